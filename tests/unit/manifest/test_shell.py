from __future__ import annotations

import pytest

from tests.unit.manifest.builders import findings, in_hook


@pytest.mark.parametrize(
    "command",
    [
        "python setup.py check",
        "./run --glob '*.txt' --expr 'a && b | c; $d' --text \"x > y; z & 'w'\"",
        'echo "it\'s (almost) done"',
        "tool --list=a,b --range=1..5 --pattern=[a-z]* #5 100% ~",
        'pip install "ruff>=0.5,<1"',
    ],
)
def test_one_program_and_its_arguments_are_good(command: str) -> None:
    assert not in_hook("hook-shell-syntax", command)


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        ("a && b", "&"),
        ("a; b", ";"),
        ("a | b", "|"),
        ("a > b", ">"),
        ("a < b", "<"),
        ("a $B", "$"),
        ('a "$B"', '"'),
        ('a "`b`"', '"'),
        ("a `b`", "`"),
        ("a {b,c}", "{"),
        ("(a)", "("),
        ("a\\ b", "\\"),
        ("a\nb", "a line break"),
        ("a 'b", "'"),
    ],
)
def test_shell_syntax_is_bad(command: str, shown: str) -> None:
    [finding] = in_hook("hook-shell-syntax", command)
    assert finding.path == "hooks.install"
    assert finding.message == (
        f"has shell syntax ({shown}); start one program, and put the rest into it"
    )
    [finding] = findings("hook-shell-syntax", entry_point=command)
    assert finding.path == "entry_point"


@pytest.mark.parametrize(
    "command",
    [
        "python evaluate.py",
        "python -m bench.eval --exec fast",
        "python build.py -c settings.toml",
        "python -m compileall src",
        "node server.js -e production",
        "node -r ./register.js server.js",
        "bash scripts/test.sh -c all",
        "ruby -rset run.rb",
        "perl -w run.pl -e",
        "php artisan run",
        "powershell -ExecutionPolicy Bypass -File run.ps1",
        "cmd run.cmd /c",
        "tool --source . --print",
        "base64 icon.png",
        "./exec-all",
    ],
)
def test_a_program_in_a_file_is_good(command: str) -> None:
    assert not in_hook("hook-evaluates-code", command)


@pytest.mark.parametrize(
    "command",
    [
        "eval x",
        "exec ./x",
        "sudo -u x eval y",
        ". ./x",
        "source x",
        "python -c 'import os'",
        "python3.11 -Ic x",
        "/usr/bin/python -W ignore -c x",
        "bash -c ls",
        "sh -lc ls",
        "bash -o pipefail -ec ls",
        "node -e x",
        "node --eval=x",
        "node -r a --print x",
        "deno eval x",
        "perl -ne x",
        "perl -eprint",
        "ruby -e x",
        "php -r x",
        "powershell -NoProfile -Command x",
        "PowerShell.exe -enc eA==",
        "pwsh -EncodedCommand eA==",
        "cmd.exe /c dir",
        "tool 'eval(x)'",
        "tool 'os.system(x)'",
        "tool subprocess.run",
        "tool '__import__(x)'",
        "base64 --decode x",
        "xxd -r -p x",
        "tool 'new Function(x)'",
        "tool \\x41\\x42",
        "tool 'String.fromCharCode(1)'",
    ],
)
def test_text_that_is_run_as_code_is_bad(command: str) -> None:
    [finding] = in_hook("hook-evaluates-code", command)
    assert finding.path == "hooks.install"
    assert finding.message == "runs text as code; put the code into a file and start that"


@pytest.mark.parametrize(
    "command", ["chmod 0755 run", "chmod +x run", "tool su sudo", "tool u+s 4755", "chmod 0644 x"]
)
def test_the_users_own_rights_are_good(command: str) -> None:
    assert not in_hook("hook-gains-privileges", command)


@pytest.mark.parametrize(
    "command",
    ["sudo x", "env A=1 sudo x", "su root", "chmod u+s x", "chmod 4755 x", "chmod 02755 x"],
)
def test_other_rights_are_bad(command: str) -> None:
    [finding] = in_hook("hook-gains-privileges", command)
    assert finding.path == "hooks.install"


@pytest.mark.parametrize(
    "command",
    [
        "./run data/x --out=dist/y",
        "/usr/bin/env python x.py",
        "tool /dev/null",
        "tool a..b ... https://example.com/a",
        "pip install x~=1.2",
    ],
)
def test_files_of_the_extension_are_good(command: str) -> None:
    assert not in_hook("hook-leaves-extension", command)


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("cp x /etc/passwd", "is an absolute path"),
        ("tool --out=/etc/x", "is an absolute path"),
        ("/usr/bin/../../tmp/x", "is an absolute path"),
        ("cp x ../y", 'climbs out with ".."'),
        ("cp x ~/.ssh/y", "starts at a home directory or a variable"),
        ("cp x $HOME/y", "starts at a home directory or a variable"),
        ("copy x C:\\y", "is a path on a drive"),
        ("copy x \\\\host\\y", "is a path on the network"),
    ],
)
def test_other_files_are_bad(command: str, said: str) -> None:
    [finding] = in_hook("hook-leaves-extension", command)
    assert finding.path == "hooks.install"
    assert finding.message == f"{said}; use paths inside the extension only"
