from __future__ import annotations

import json

import pytest

from symphony_client.contract_methods import contract_methods
from symphony_client.service_config import service_config

PACKAGE = "symphony.v1"


def test_every_service_of_the_contract_is_known() -> None:
    services = {
        method.service.removeprefix(f"{PACKAGE}.") for method in contract_methods().values()
    }

    assert services == {
        *("AccessService", "AuditService", "ChangeService", "ExecutionService"),
        *("ExtensionService", "ProjectService", "ServerInfoService", "TransactionService"),
        *("UserService", "WorkflowService"),
    }


@pytest.mark.parametrize(
    ("path", "writes", "streams"),
    [
        ("/symphony.v1.WorkflowService/CreateWorkflow", True, False),
        ("/symphony.v1.WorkflowService/GetWorkflow", False, False),
        ("/symphony.v1.ChangeService/Watch", False, True),
    ],
)
def test_a_method_is_what_its_options_say(path: str, writes: bool, streams: bool) -> None:
    method = contract_methods()[path]

    assert method.path == path
    assert (method.writes, method.answers_with_stream) == (writes, streams)


def test_every_method_that_is_safe_to_repeat_is_in_the_retry_policy_and_no_other() -> None:
    methods = contract_methods().values()

    config = json.loads(service_config(methods, attempts=4))

    (entry,) = config["methodConfig"]
    assert {(name["service"], name["method"]) for name in entry["name"]} == {
        (method.service, method.name) for method in methods if method.safe_to_repeat
    }
    assert entry["retryPolicy"]["maxAttempts"] == 4
    assert entry["retryPolicy"]["retryableStatusCodes"] == ["UNAVAILABLE", "CANCELLED"]
    assert config["retryThrottling"] == {"maxTokens": 10, "tokenRatio": 0.1}


def test_one_attempt_means_no_retry_policy() -> None:
    config = json.loads(service_config(contract_methods().values(), attempts=1))

    assert config["methodConfig"] == []
