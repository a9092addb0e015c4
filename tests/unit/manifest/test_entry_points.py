from __future__ import annotations

import pytest

from tests.unit.manifest.builders import findings

INSIDE = [
    "main.py",
    "./dist/main.js",
    "dist/..hidden/main",
    "dist/a..b/...",
    "package.module:function",
    "My Tool/run me",
    "größe/main.py",
    "100%/main.py",
]


@pytest.mark.parametrize("entry_point", INSIDE)
def test_a_path_inside_the_extension_is_good(entry_point: str) -> None:
    assert not findings("entry-point-escapes", entry_point=entry_point)
    assert not findings("entry-point-remote", entry_point=entry_point)


@pytest.mark.parametrize(
    ("entry_point", "said"),
    [
        ("/usr/bin/env", "is an absolute path"),
        ("\\windows", "is an absolute path"),
        (" /bin/sh", "is an absolute path"),
        ("..", 'climbs out with ".."'),
        ("a/../../b", 'climbs out with ".."'),
        ("a\\..\\b", 'climbs out with ".."'),
        ("a/.. /b", 'climbs out with ".."'),
        ("a/%2E%2e/b", 'climbs out with ".."'),
        ("a/%252e%252e/b", 'climbs out with ".."'),
        ("a/\uff0e\uff0e/b", 'climbs out with ".."'),
        ("a/\u2025/b", 'climbs out with ".."'),
        ("%2Fbin%2Fsh", "is an absolute path"),
        ("C:\\x.exe", "is a path on a drive"),
        ("z:x.exe", "is a path on a drive"),
        ("\\\\host\\share", "is a path on the network"),
        ("//host/share", "is a path on the network"),
        ("~root/x", "starts at a home directory or a variable"),
        ("$HOME/x", "starts at a home directory or a variable"),
        ("%TEMP%\\x", "starts at a home directory or a variable"),
    ],
)
def test_a_path_that_leaves_the_extension_is_bad(entry_point: str, said: str) -> None:
    [finding] = findings("entry-point-escapes", entry_point=entry_point)
    assert finding.path == "entry_point"
    assert finding.message == f"{said}; name a file by its path inside the extension"


@pytest.mark.parametrize(
    "entry_point",
    [
        "https://example.com/main.js",
        "HTTP://EXAMPLE.COM/",
        " https://example.com",
        "https:example.com",
        "custom+scheme://x",
        "data:text/html,x",
        "javascript:x()",
        "file:/etc/passwd",
        "git@example.com:a/b",
        "https%3A%2F%2Fexample.com",
        "\uff48ttps://example.com",
    ],
)
def test_an_address_is_bad(entry_point: str) -> None:
    [finding] = findings("entry-point-remote", entry_point=entry_point)
    assert finding.path == "entry_point"
    assert finding.message == "is a URL; name a file of the extension instead"
