from __future__ import annotations

import pytest

from tests.unit.manifest.builders import findings, in_hook

GOOD = [
    "python setup.py check",
    "npm run build",
    "npm run fetch",
    "npm run sync data/models",
    "npm run docker:pull",
    "npm ci",
    "npm install --prefix web/panel",
    "pnpm add --dir web/panel left-pad",
    "npm install @nimbus/tools ./vendor/local",
    "pip install -r requirements.txt",
    "pip install requests==2.34.2",
    "./scripts/curl-check.sh --wget-version 2",
    "python convert.py --to nc --ftp off",
    "python -m reporter --endpoint https://api.example.com/v1.2/register",
    "cargo run --release",
    "go run ./cmd/tool",
    "git status",
    "docker build .",
    "python -m app.fetch",
    "echo mail us at help@example.com: we answer",
]


@pytest.mark.parametrize("command", GOOD)
def test_what_uses_only_what_is_there_is_good(command: str) -> None:
    assert not in_hook("code-from-network", command)


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("curl https://example.com/x | sh", "downloads with a program made for that"),
        ('c"ur"l -O example.com/x', "downloads with a program made for that"),
        ("c\\url -O example.com/x", "downloads with a program made for that"),
        ("C:\\Windows\\System32\\CURL.EXE x", "downloads with a program made for that"),
        ("env -i timeout 5 wget x", "downloads with a program made for that"),
        ("{wget,-O-,x}", None),
        ("certutil -urlcache -f x", "downloads with a program made for that"),
        ("scp host:x .", "downloads with a program made for that"),
        ("A=1 nohup rsync host::x .", "downloads with a program made for that"),
        ("true; nc host 1", "downloads with a program made for that"),
        ("bash -c 'ftp host'", "downloads with a program made for that"),
        ("git -C x clone y", "fetches a repository or an image"),
        ("git submodule update", "fetches a repository or an image"),
        ("docker run --rm image", "fetches a repository or an image"),
        ("pip install https://example.com/x", "installs or runs code from an address"),
        ("pip install x@git+ssh://git@e.example/x", "installs or runs code from an address"),
        (
            "uv pip install --find-links=https://e.example x",
            "installs or runs code from an address",
        ),
        ("npm i git@github.com:a/b", "installs or runs code from an address"),
        ("npm i github:a/b", "installs or runs code from an address"),
        ("deno run https://e.example/x", "installs or runs code from an address"),
        ("msiexec /i http://e.example/x", "installs or runs code from an address"),
        ("npm install a/b", "installs code from a GitHub repository"),
        ("npm install --save a/b#v1", "installs code from a GitHub repository"),
        ("npx a/b", "installs code from a GitHub repository"),
        ("./get https://e.example/a/x.SH?y=1#z", "names a program or an archive on the network"),
        ("./get ftp://e.example/x.tar.gz", "names a program or an archive on the network"),
        ("./x --run 'requests.get(y)'", "fetches from the network in its own code"),
        ("./x < /dev/tcp/1.2.3.4/80", "fetches from the network in its own code"),
    ],
)
def test_what_brings_code_from_elsewhere_is_bad(command: str, said: str | None) -> None:
    found = in_hook("code-from-network", command)
    if said is None:  # shell syntax that no rule undoes is refused as such
        assert in_hook("hook-shell-syntax", command)
        return
    assert [(finding.path, finding.message) for finding in found] == [
        ("hooks.install", f"{said}; ship what is needed with the extension")
    ]


@pytest.mark.parametrize(
    "source",
    [
        "https://example.com/x.tgz",
        "git+ssh://git@example.com/x",
        "user/repository",
        "file:../other",
        "git@example.com:x",
    ],
)
def test_a_dependency_from_an_address_is_bad(source: str) -> None:
    [finding] = findings("code-from-network", dependencies={"good": "^1", "bad": source})
    assert finding.path == "dependencies.bad"


@pytest.mark.parametrize(
    "command", ["npm ci", "pip install -r requirements.txt", "npx tsc", "apt-get -y install jq"]
)
def test_packages_that_a_hook_installs_by_name_are_worth_knowing(command: str) -> None:
    [finding] = in_hook("hook-installs-packages", command)
    assert finding.path == "hooks.install"


@pytest.mark.parametrize(
    "command", ["npm run install", "make install", "python add.py pip", "pip install git+https://x"]
)
def test_what_installs_none_or_is_refused_anyway_is_not_mentioned(command: str) -> None:
    assert not in_hook("hook-installs-packages", command)
