"""The unit, by systemd's own checks and by what its files say together."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from symphony_server.settings import Settings
from tests.deploy.deploy_files import BIN, DEPLOY, run, seconds, settings_of, stopping_seconds

FOLDER = DEPLOY / "systemd"
needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None,
    reason="systemd-analyze, of the package systemd, is missing",
)
MOST_EXPOSED = 20
"""Of 100 in `systemd-analyze security`, which calls up to 20 "OK" and above 40 "MEDIUM"."""


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit with a program that is there."""
    text = (FOLDER / "symphony.service").read_text()
    file = tmp_path / "symphony.service"
    file.write_text(text.replace("/opt/symphony/bin/", f"{BIN}/"))
    assert file.read_text() != text
    return file


def complaints(unit: Path) -> list[str]:
    done = run("systemd-analyze", "verify", unit)
    lines = [line for line in done.stderr.splitlines() if "symphony" in line]
    assert done.returncode == 0 or lines, done.stderr
    return lines


@needs_systemd
def test_systemd_takes_the_unit(unit: Path) -> None:
    assert complaints(unit) == []


@needs_systemd
def test_systemd_takes_it_with_tls(unit: Path) -> None:
    more = unit.with_name("symphony.service.d")
    more.mkdir()
    shutil.copyfile(FOLDER / "tls.conf", more / "tls.conf")
    assert complaints(unit) == []


@needs_systemd
def test_systemd_complains_of_what_is_wrong(unit: Path) -> None:
    unit.write_text(unit.read_text() + "[Service]\nProtectEverything=yes\n")
    assert complaints(unit)


@needs_systemd
def test_it_is_confined(unit: Path) -> None:
    done = run("systemd-analyze", "security", "--offline=yes", f"--threshold={MOST_EXPOSED}", unit)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_settings_are_valid_with_what_the_example_leaves_out_too() -> None:
    as_it_is = settings_of({**unit_variables(), **example()})
    in_full = settings_of({**unit_variables(), **example(), **example(left_out=True)})
    for settings in (as_it_is, in_full):
        assert settings.listen == Settings.model_fields["listen"].default
    assert as_it_is.database_url.startswith("sqlite://")
    assert in_full.database_url.startswith("postgresql://")
    assert in_full.bootstrap_admin == "you@example.com"


def test_with_tls_it_may_serve_others() -> None:
    variables = variables_in((FOLDER / "tls.conf").read_text())
    listen = re.findall(r"SYMPHONY_LISTEN=([\d.:]+\d)", (FOLDER / "tls.conf").read_text())
    credentials = re.findall(r"^LoadCredential=(.*?):", (FOLDER / "tls.conf").read_text(), re.M)
    settings = settings_of({**unit_variables(), **variables, "SYMPHONY_LISTEN": listen[0]})
    assert [settings.tls_cert, settings.tls_key] == [Path("%d", name) for name in credentials]


def test_data_and_token_are_in_the_state_directory() -> None:
    state = f"%S/{service('StateDirectory')[0]}"
    settings = settings_of(unit_variables())
    assert settings.database_url == f"sqlite:///{state}/symphony.db"
    assert settings.token_file == Path(state, "admin.token")
    assert service("WorkingDirectory") == [state]


def test_it_is_killed_only_after_it_had_time_to_stop_by_itself() -> None:
    settings = settings_of({**unit_variables(), **example()})
    assert seconds(service("TimeoutStopSec")[0]) > stopping_seconds(settings)
    assert service("KillSignal") == ["SIGTERM"]


def service(key: str) -> list[str]:
    text = (FOLDER / "symphony.service").read_text()
    return re.findall(rf"^{key}=(.*)$", text, flags=re.MULTILINE)


def unit_variables() -> dict[str, str]:
    return variables_in((FOLDER / "symphony.service").read_text())


def variables_in(text: str) -> dict[str, str]:
    pairs = re.findall(r"^Environment=(\w+)=(.*)$", text, flags=re.MULTILINE)
    return dict(pairs)


def example(*, left_out: bool = False) -> dict[str, str]:
    """What the example of a file sets, or what it shows in comments."""
    begins = "#" if left_out else ""
    text = (FOLDER / "symphony.env").read_text()
    return dict(re.findall(rf"^{begins}(\w+)=(.*)$", text, flags=re.MULTILINE))
