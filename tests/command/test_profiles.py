"""`symphony profile`, and which server and token the other commands take."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from tests.command.terminal import Shown, Terminal
from tests.server.world import World


@pytest.fixture
def bare(tmp_path: Path) -> Terminal:
    """A terminal whose shell has nothing set, and no profiles yet."""
    return Terminal(tmp_path)


def keep(bare: Terminal, name: str, world: World, secret: str | None) -> Shown:
    """Make a profile with the token out of standard input."""
    add = ("profile", "add", name, "--server", world.server.target, "--token-stdin")
    return bare.run(*add, stdin=f"{secret}\n")


def me(bare: Terminal, *options: str) -> str:
    """Who the server takes one for."""
    return str(bare.run("whoami", "-o", "json", *options).json["user"]["id"])


def test_a_profile_is_kept_used_and_forgotten(world: World, bare: Terminal) -> None:
    first, second = world.user(), world.user()
    assert keep(bare, "first", world, first.secret).code == 0
    assert me(bare) == first.id
    assert keep(bare, "second", world, second.secret).code == 0
    assert me(bare) == second.id
    assert me(bare, "--profile", "first") == first.id
    assert bare.run("profile", "use", "first").text == "first is the current profile"
    assert me(bare) == first.id
    bare.variables["SYMPHONY_PROFILE"] = "second"
    assert me(bare) == second.id
    assert bare.run("profile", "remove", "second").code == 0
    gone = bare.run("whoami")
    assert gone.code == 2
    assert "there is no profile 'second'" in gone.err


def test_only_its_owner_can_read_the_file_and_nothing_prints_a_token(
    world: World, bare: Terminal
) -> None:
    secret = world.user().secret or ""
    shown = [keep(bare, "mine", world, secret), bare.run("profile", "list")]
    shown += [bare.run("profile", "list", "-o", "json"), bare.run("profile", "use", "mine")]
    file = bare.directory / "config.toml"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert secret in file.read_text()
    assert all(secret not in one.out + one.err for one in shown)
    assert bare.run("profile", "list", "-o", "json").json == [
        {
            "name": "mine",
            "current": True,
            "server": world.server.target,
            "token": "kept here",
            "tls": False,
        }
    ]


def test_a_token_file_is_read_anew_at_each_call(world: World, bare: Terminal) -> None:
    first, second = world.user(), world.user()
    file = bare.directory / "token"
    file.write_text(f"{first.secret}\n")
    add = ("profile", "add", "filed", "--server", world.server.target, "--token-file", "token")
    assert bare.run(*add).code == 0
    assert me(bare) == first.id
    file.write_text(f"{second.secret}\n")
    assert me(bare) == second.id
    file.unlink()
    missing = bare.run("whoami")
    assert missing.code == 2
    assert "cannot be read: No such file" in missing.err


def test_options_win_over_variables_and_variables_over_the_profile(
    world: World, bare: Terminal
) -> None:
    kept, variable, given = world.user(), world.user(), world.user()
    keep(bare, "kept", world, kept.secret)
    (bare.directory / "given").write_text(given.secret or "")
    assert me(bare) == kept.id
    bare.token = variable.secret or ""
    assert me(bare) == variable.id
    assert me(bare, "--token-file", "given") == given.id
    bare.server = "127.0.0.1:1"
    assert bare.run("whoami").code == 5
    assert me(bare, "--server", world.server.target) == variable.id


def test_a_profiles_token_goes_to_no_other_server(world: World, bare: Terminal) -> None:
    keep(bare, "elsewhere", world, world.user().secret)
    config = bare.directory / "config.toml"
    config.write_text(config.read_text().replace(world.server.target, "127.0.0.1:1"))
    shown = bare.run("whoami", "--server", world.server.target)
    assert shown.code == 4
    assert "Next: give --token-file FILE, set SYMPHONY_TOKEN" in shown.err


def test_what_else_stands_in_the_file_stays(world: World, bare: Terminal) -> None:
    keep(bare, "one", world, "x")
    file = bare.directory / "config.toml"
    file.write_text(f"# mine\n{file.read_text()}")
    keep(bare, "two", world, "y")
    bare.run("profile", "remove", "one")
    assert file.read_text().startswith("# mine\n")
    assert [one["name"] for one in bare.run("profile", "list", "-o", "json").json] == ["two"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("current =", "cannot be read"),
        ("profiles = 1", "'profiles' takes a table"),
        ("[profiles.x]\ntoken = 'secret'", "it has no 'server'"),
        ("[profiles.x]\nserver = 'a:1'\ntokn = 'secret'", "there is no setting 'tokn'"),
        ("[profiles.x]\nserver = 'a:1'\ntls = 'yes'", "'tls' takes true or false"),
    ],
)
def test_a_broken_file_is_told_and_not_written_over(bare: Terminal, text: str, words: str) -> None:
    file = bare.directory / "config.toml"
    file.write_text(text)
    for arguments in (("whoami",), ("profile", "list"), ("profile", "add", "new")):
        shown = bare.run(*arguments)
        assert shown.code == 2
        assert words in shown.err
        assert "secret" not in shown.err
    assert file.read_text() == text


def test_without_profiles_one_is_told_how_to_make_one(bare: Terminal) -> None:
    assert "symphony profile add" in bare.run("profile", "list").err
    unknown = bare.run("whoami", "--profile", "nowhere")
    assert unknown.code == 2
    assert "symphony profile add" in unknown.err
    assert bare.run("profile", "use", "nowhere").code == 3


def test_the_file_lies_where_the_platform_keeps_such_files(bare: Terminal) -> None:
    variables = {"SYMPHONY_CONFIG": "", "HOME": str(bare.directory), "XDG_CONFIG_HOME": ""}
    shown = bare.process("profile", "add", "here", **variables)
    assert shown.code == 0
    kept = bare.directory / ".config" / "symphony" / "config.toml"
    assert str(kept) in shown.out
    assert stat.S_IMODE(kept.parent.stat().st_mode) == 0o700
