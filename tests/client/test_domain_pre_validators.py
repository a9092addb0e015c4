from __future__ import annotations

from pathlib import Path
from time import thread_time
from typing import Any

import pytest
from google.protobuf.message import Message

from symphony.v1.execution_service_pb2 import StartExecutionRequest
from symphony.v1.extension_pb2 import MANIFEST_FORMAT_JSON, MANIFEST_FORMAT_TOML, Extension
from symphony.v1.extension_service_pb2 import (
    GetExtensionRequest,
    InstallExtensionRequest,
    UpdateExtensionRequest,
)
from symphony.v1.project_pb2 import ProjectRole
from symphony.v1.project_service_pb2 import AddProjectMemberRequest, CreateProjectRequest
from symphony.v1.user_pb2 import Role, Tier
from symphony.v1.user_service_pb2 import CreateUserRequest, GetUserByEmailRequest
from symphony_client.errors import PreValidationFailed
from symphony_client.prevalidation import (
    ContractRules,
    ExtensionPreValidator,
    ProjectPreValidator,
    UserPreValidator,
    WorkflowPreValidator,
)
from symphony_client.prevalidation.stats import StatsRecorder
from tests.client import requests
from tests.client.requests import PROJECT_ID, USER_ID, WORKFLOW_ID

EXTENSION_ID = "extension_01h455vb4pex5vsknk084sn02q"


def create_user(*, email: str = "ada@example.com", name: str = "Ada") -> CreateUserRequest:
    return CreateUserRequest(
        email=email, name=name, tier=Tier.TIER_PRO, roles=[Role.ROLE_DEVELOPER]
    )


def install(manifest: str, manifest_format: int = 0) -> InstallExtensionRequest:
    return InstallExtensionRequest(
        project_id=PROJECT_ID,
        manifest=manifest,
        manifest_format=manifest_format,  # type: ignore[arg-type] # any number
    )


def refused(validator: Any, request: Message | Path) -> list[tuple[str, str]]:
    """The fields and rules for which the request is refused."""
    with pytest.raises(PreValidationFailed) as caught:
        validator.should_attempt_request(request)
    return [(violation.field, violation.rule) for violation in caught.value.violations]


def test_good_requests_of_each_domain_may_be_sent() -> None:
    workflows, users = WorkflowPreValidator(), UserPreValidator()
    projects, extensions = ProjectPreValidator(), ExtensionPreValidator()

    workflows.should_attempt_request(requests.create_workflow())
    workflows.should_attempt_request(StartExecutionRequest(workflow_id=WORKFLOW_ID))
    users.should_attempt_request(create_user())
    users.should_attempt_request(GetUserByEmailRequest(email="ada@example.com"))
    projects.should_attempt_request(CreateProjectRequest(name="Apollo"))
    extensions.should_attempt_request(install('{"name": "lint"}'))
    extensions.should_attempt_request(GetExtensionRequest(id=EXTENSION_ID))


@pytest.mark.parametrize(
    ("validator", "request_", "expected"),
    [
        (
            WorkflowPreValidator(),
            requests.create_workflow(name=""),
            [("spec.name", "string.min_len")],
        ),
        (
            WorkflowPreValidator(),
            StartExecutionRequest(workflow_id=PROJECT_ID),
            [("workflow_id", "string.pattern")],
        ),
        (UserPreValidator(), create_user(email="ada"), [("email", "string.pattern")]),
        (UserPreValidator(), create_user(name=" "), [("name", "string.pattern")]),
        (
            ProjectPreValidator(),
            CreateProjectRequest(name="x" * 129),
            [("name", "string.max_len")],
        ),
        (
            ProjectPreValidator(),
            AddProjectMemberRequest(
                project_id="", user_id=USER_ID, role=ProjectRole.PROJECT_ROLE_VIEWER
            ),
            [("project_id", "string.pattern")],
        ),
        (ExtensionPreValidator(), install(""), [("manifest", "string.min_bytes")]),
        (
            ExtensionPreValidator(),
            install(" " * (256 * 1024 + 1)),
            [("manifest", "string.max_bytes")],
        ),
    ],
    ids=[
        *("no name", "another's id", "no at sign", "blank name", "long name", "no project"),
        *("no manifest", "large manifest"),
    ],
)
def test_a_bad_request_is_refused_by_the_contract_s_rules(
    validator: Any, request_: Message, expected: list[tuple[str, str]]
) -> None:
    assert refused(validator, request_) == expected


@pytest.mark.parametrize(
    ("manifest", "manifest_format", "said"),
    [
        ('{"name": }', 0, "it is not JSON: expecting value at line 1, column 10"),
        ("name = 'lint'", MANIFEST_FORMAT_JSON, "it is not JSON"),
        ("[1]", MANIFEST_FORMAT_JSON, "it is JSON, but not an object"),
        ("[" * 100_000, MANIFEST_FORMAT_JSON, "it is nested too deep"),
        ("a = " + "[" * 100_000, MANIFEST_FORMAT_TOML, "it is nested too deep"),
        ('{"n": ' + "9" * 5000 + "}", MANIFEST_FORMAT_JSON, "thousands of digits"),
        ("n = " + "9" * 5000, MANIFEST_FORMAT_TOML, "thousands of digits"),
        ("name = lint", MANIFEST_FORMAT_TOML, "it is not TOML: invalid value"),
        ("a = 1\na = 2", MANIFEST_FORMAT_TOML, "it is not TOML: cannot overwrite a value"),
    ],
    ids=[
        *("broken", "TOML as JSON", "list", "deep JSON", "deep TOML", "long number in JSON"),
        *("long number in TOML", "broken TOML", "key twice"),
    ],
)
def test_a_manifest_that_cannot_be_read_is_not_sent(
    manifest: str, manifest_format: int, said: str
) -> None:
    with pytest.raises(PreValidationFailed, match="the manifest cannot be read: ") as caught:
        ExtensionPreValidator().should_attempt_request(install(manifest, manifest_format))

    [violation] = caught.value.violations
    assert (violation.field, violation.rule) == ("manifest", "MANIFEST_MALFORMED")
    assert said in violation.description


@pytest.mark.parametrize(
    "manifest",
    [
        "a = {\n  b = 1,\n}",
        'a = "\\e[0m"',
        'a = "\\x41"',
        "a = 12:30",
        "\ufeffa = 1",
    ],
    ids=["braces", "escape", "hex", "time", "byte order mark"],
)
def test_toml_that_is_newer_than_what_can_be_read_here_is_left_to_the_server(
    manifest: str,
) -> None:
    ExtensionPreValidator().should_attempt_request(install(manifest, MANIFEST_FORMAT_TOML))


def test_toml_that_would_take_long_to_read_is_left_to_the_server() -> None:
    manifest = "a" + ".a" * 50_000 + " = 1"
    start = thread_time()

    ExtensionPreValidator().should_attempt_request(install(manifest, MANIFEST_FORMAT_TOML))

    assert thread_time() - start < 2  # an order of magnitude: read, it takes 40 s


def test_the_contract_s_rules_are_told_before_a_manifest_is_read() -> None:
    request = install("{")
    request.project_id = "nonsense"

    assert refused(ExtensionPreValidator(), request) == [("project_id", "string.pattern")]


def test_the_manifest_of_an_update_is_left_to_the_server_whose_mask_may_leave_it_out() -> None:
    request = UpdateExtensionRequest(extension=Extension(id=EXTENSION_ID, manifest="{"))

    ExtensionPreValidator().should_attempt_request(request)


def test_a_manifest_s_file_may_be_asked_about_too(tmp_path: Path) -> None:
    manifest = tmp_path / "manifest.json"
    manifest.write_text('{"name": "test-extension", "version": "1.0.0", "type": "instrument"}')

    ExtensionPreValidator().should_attempt_request(manifest)

    manifest.unlink()
    assert refused(ExtensionPreValidator(), manifest) == [("manifest", "file.exists")]


@pytest.mark.parametrize(
    "validator_class",
    [WorkflowPreValidator, UserPreValidator, ProjectPreValidator, ExtensionPreValidator],
)
def test_a_pre_validator_judges_by_the_rules_that_it_is_given(validator_class: Any) -> None:
    recorder = StatsRecorder()
    validator = validator_class(ContractRules(recorder=recorder))

    validator.should_attempt_request(requests.get_workflow())

    assert recorder.read().checked == 1
