from __future__ import annotations

import pytest

from symphony_server.rules.manifest.permissions import PERMISSIONS
from tests.unit.manifest.builders import findings


def test_every_permission_there_is_may_be_asked_for_alone() -> None:
    for permission in PERMISSIONS:
        for rule in ("wildcard", "unknown"):
            assert not findings(f"permission-{rule}", permissions=[permission])
        assert not findings("permissions-dangerous", permissions=[permission])
        assert not findings("permissions-risky", permissions=[permission])


@pytest.mark.parametrize(
    "permission", ["*", "filesystem.*", "*.read", "net*", "all", "ANY", "filesystem.all", "root"]
)
def test_a_wildcard_is_bad_and_not_unknown_as_well(permission: str) -> None:
    [finding] = findings("permission-wildcard", permissions=["ui.render", permission])
    assert finding.path == "permissions[1]"
    assert not findings("permission-unknown", permissions=[permission])


@pytest.mark.parametrize(
    ("permission", "hint"),
    [
        ("filesystem.reed", "did you mean filesystem.read?"),
        ("Network.Connect", "did you mean network.connect?"),
        (
            "zzz",
            "they begin with filesystem, storage, network, process, env, secrets, model, workflow,"
            " ui, clipboard, audio, video, screen, time, telemetry",
        ),
    ],
)
def test_a_permission_that_does_not_exist_is_bad(permission: str, hint: str) -> None:
    [finding] = findings("permission-unknown", permissions=["ui.render", permission])
    assert finding.path == "permissions[1]"
    assert finding.message == f"is no permission that exists; {hint}"


@pytest.mark.parametrize(
    "together",
    [
        ["filesystem.write", "network.connect"],
        ["network.listen", "filesystem.write"],
        ["process.spawn", "filesystem.write"],
        ["network.connect", "process.spawn"],
        ["process.spawn", "network.listen"],
    ],
)
def test_what_makes_a_back_door_together_is_bad(together: list[str]) -> None:
    [finding] = findings("permissions-dangerous", permissions=["ui.render", *together])
    assert finding.path == "permissions"
    assert " and ".join(sorted(together)) in finding.message


def test_storing_its_own_data_and_connecting_is_good() -> None:
    together = ["storage.write", "network.connect", "ui.render"]
    assert not findings("permissions-dangerous", permissions=together)
    assert not findings("permissions-risky", permissions=together)


def test_what_could_send_data_away_is_worth_knowing() -> None:
    found = findings(
        "permissions-risky", permissions=["env.read", "filesystem.read", "network.connect"]
    )
    assert [finding.message for finding in found] == [
        "with filesystem.read and network.connect it could send away what it reads;"
        " leave one out if you can",
        "with env.read and network.connect it could send away what it reads;"
        " leave one out if you can",
    ]
