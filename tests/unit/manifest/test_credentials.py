from __future__ import annotations

import base64

import pytest

from symphony_server.rules.manifest.detectors import MAX_PIECES, credentials_in, detectors
from tests.unit.manifest.builders import findings, judged

# One of each kind, made up, in the form that its maker gives it.
TOKENS = {
    "private key": "-----BEGIN OPENSSH PRIVATE KEY-----",
    "aws": "AKIAIOSFODNN7EXAMPLE",
    "azure": "AccountKey=" + "aB3/" * 21 + "aB==",
    "basic auth": "https://user:pa55word@example.com/",
    "discord": "MTk4NjIyNDgzNDcxOTI1MjQ4.Cl2FMQ.ZnCjm1XVW7vRze4b7Cq4se7kKWs",
    "github": "ghp_" + "aB3d" * 9,
    "github fine-grained": "github_pat_" + "11ABCDEFG0_" * 7,
    "gitlab": "glpat-" + "aB3d5" * 4,
    "jwt": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
    "mailchimp": "0123456789abcdef" * 2 + "-us12",
    "npm": "//registry.npmjs.org/:_authToken=npm_" + "aB3d" * 9,
    "openai": "sk-" + "aB3d5" * 4 + "T3BlbkFJ" + "aB3d5" * 4,
    "openai project": "sk-proj-" + "aB3d5_" * 20,
    "anthropic": "sk-ant-api03-" + "aB3d5-" * 16,
    "google": "AIza" + "aB3d5" * 7,
    "google access": "ya29." + "aB3d5" * 10,
    "hugging face": "hf_" + "aBcD" * 8 + "aB",
    "pypi": "pypi-AgEIcHlwaS5vcmc" + "aB3d5" * 15,
    "sendgrid": "SG." + "a" * 22 + "." + "b" * 43,
    "slack": "xoxb-123456789012-1234567890123-abcdefghijklmnopqrstuvwx",
    "slack hook": "https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXX",
    "square": "sq0csp-" + "aB3_5" * 8 + "abc",
    "stripe": "sk_live_" + "aB3d" * 6,
    "symphony": "sym_" + "aB3d5" * 9 + "aB3d",
    "telegram": "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsawx",
    "twilio": "SK" + "0123456789abcdef" * 2,
}

INNOCENT = [
    "",
    "The quick brown fox jumps over the lazy dog.",
    "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==",
    "3f2504e0-4f89-41d3-9a0c-0305e82c3301",
    "data:image/png;base64," + base64.b64encode(bytes(range(256)) * 20).decode(),
    "ssh://git@example.com/a/b.git",
    "git@github.com:a/b.git",
    "https://example.com:8080/a?b=c@d",
    "APACHE2025 APEXrunner123 AKCEPTED12345",
    "us-east-1 eyJeyJeyJ.x sk-learn ghp_short hf_hub",
    "192.168.0.1 and 8.8.8.8",
    "BEGIN PUBLIC KEY",
    *(
        f"sha256:{at:064x} english-{at:024x} eyJ.{at:x} x-us{at % 9} a.{at:06}.{at:027}"
        for at in range(500)
    ),
]


@pytest.mark.parametrize("token", TOKENS.values(), ids=TOKENS)
def test_a_credential_is_found_wherever_it_stands_in_a_text(token: str) -> None:
    assert set(credentials_in([token])) == {0}
    assert set(credentials_in(["x", f"It is {token} .", "x"])) == {1}
    assert set(credentials_in(["", f"https://example.com?token={token}"])) == {1}


def test_innocent_texts_hold_none() -> None:
    assert credentials_in(INNOCENT) == {}


def test_a_credential_among_many_look_alikes_is_found_or_all_are_refused() -> None:
    decoys = ["eyJhbGciOiJIUzI1NiJ9.eyJ"] * (MAX_PIECES - 1)
    assert set(credentials_in([*decoys, TOKENS["jwt"]])) == {len(decoys)}
    decoys *= 2
    assert set(credentials_in([*decoys, TOKENS["jwt"]])) == {MAX_PIECES}


@pytest.mark.parametrize("bomb", [b"[" * 100_000, b"9" * 100_000, b"\xff" * 100_000])
def test_a_token_whose_payload_is_a_bomb_does_no_harm(bomb: bytes) -> None:
    header, payload = (base64.urlsafe_b64encode(part).decode() for part in (b'{"alg":1}', bomb))
    assert header.startswith("eyJ")
    assert credentials_in([f"{header}.{payload.rstrip('=')}.x"]) == {}


def test_the_detectors_are_made_once() -> None:
    assert detectors() is detectors()


@pytest.mark.parametrize(
    ("path", "changes"),
    [
        ("description", {"description": TOKENS["github"]}),
        ("config.list[1].x", {"config": {"list": [1, {"x": TOKENS["aws"]}]}}),
        ("publisher", {"publisher": TOKENS["aws"]}),
        ("permissions[0]", {"permissions": [TOKENS["github"]]}),
        ("hooks.login", {"hooks": {"login": f"./login {TOKENS['stripe']}"}}),
        ("homepage", {"homepage": TOKENS["basic auth"]}),
        ("config[<hidden>]", {"config": {TOKENS["github"]: 1}}),
        ("[<hidden>]", {TOKENS["github"]: 1}),
    ],
)
def test_a_credential_is_bad_in_any_place(path: str, changes: dict[str, object]) -> None:
    [finding] = findings("embedded-credential", **changes)
    assert finding.path == path


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("password", "hunter2"),
        ("password", "swordfish"),
        ("dbPassword", "tr0ub4dor"),
        ("DB_PASS", "tr0ub4dor"),
        ("X-Api-Key", "9f8e7d6c5b4a"),
        ("apikey", "9f8e7d6c5b4a"),
        ("aws_secret_access_key", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
        ("clientSecret", "abcdefgh"),
        ("secret", "s3cr3tv4lue"),
        ("credentials", "user1234:pw"),
        ("auth_token", "0a1b2c3d4e5f60718293"),
        ("Authorization", "Bearer 0a1b2c3d4e5f60718293"),
        ("contraseña", "hunter2"),
    ],
)
def test_a_value_under_a_key_for_credentials_is_bad(key: str, value: str) -> None:
    [finding] = findings("embedded-credential", settings={key: value})
    assert finding.message.startswith("sets a password or a key; ")
    assert value not in finding.message
    [finding] = findings("embedded-credential", settings={key: ["", value]})
    assert finding.path.endswith("[1]")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("password", ""),
        ("password", "pw"),
        ("password", "${DB_PASSWORD}"),
        ("password", "$DB_PASSWORD"),
        ("password", "DB_PASSWORD"),
        ("password", "{{ vault.db }}"),
        ("password", "<your password>"),
        ("password", "%DB_PASSWORD%"),
        ("password", "{password}"),
        ("password", "xxxxxxxx"),
        ("password", "********"),
        ("password", "env:DB_PASSWORD"),
        ("password", "/run/secrets/db"),
        ("password", "required"),
        ("password", "Ask your administrator for it"),
        ("password", "x1" * 200),
        ("private_key", "keys/private.pem"),
        ("secret", "openai-credentials"),
        ("token", "madeupword0000"),
        ("eos_token", "<|im_end|>"),
        ("password_hint", "hunter2"),
        ("api_key_name", "abcdefgh1"),
        ("key", "abcdefgh1"),
        ("monkey", "abcdefgh1"),
        ("compass", "abcdefgh1"),
        ("author", "abcdefgh1abcdefgh1"),
        ("max_tokens", "12345678901234567a"),
    ],
)
def test_what_stands_for_a_credential_is_good(key: str, value: str) -> None:
    assert not findings("embedded-credential", settings={key: value})


@pytest.mark.parametrize(
    "command",
    [
        "./login --password hunter2",
        "./login --api-key=abcdefgh1",
        "env DB_PASSWORD=hunter2 ./run",
        "./login -u me --db-pass 'hunter2'",
    ],
)
def test_a_credential_that_a_hook_passes_is_bad(command: str) -> None:
    [finding] = findings("embedded-credential", hooks={"login": command})
    assert finding.path == "hooks.login"
    assert finding.message.startswith("passes a password or a key; ")


@pytest.mark.parametrize(
    "command",
    ["./login --password-file x1", "./login password hunter2", "./login --password $PASS"],
)
def test_a_reference_that_a_hook_passes_is_good(command: str) -> None:
    assert not findings("embedded-credential", hooks={"login": command})


def hiding_places(token: str) -> list[dict[str, object]]:
    """Changes that bring the token into a manifest, each with something else that is wrong."""
    return [
        {"name": token},
        {"version": token, "type": token, "homepage": token},
        {"publisher": f"{token}\u0430\u200b", "entry_point": f"/{token}"},
        {"permissions": [token, f"{token}.*"]},
        {"dependencies": {token: token, "a": token}},
        {"hooks": {token: token, "a": f"curl {token} | sudo eval /{token}"}},
        {token: {token: [{token: token}]}},
        {"hooks": {"a b": {token: 1}}, "x": {f"my {token}": f"password={token}"}},
    ]


@pytest.mark.parametrize("token", TOKENS.values(), ids=TOKENS)
def test_no_credential_gets_into_any_message(token: str) -> None:
    for changes in hiding_places(token):
        verdict = judged(**changes)
        assert verdict.violations
        assert token[8:] not in f"{verdict.violations} {verdict.report}"
