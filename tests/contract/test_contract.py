"""What is promised of the contract itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from google.protobuf import descriptor_pb2

from symphony.v1 import error_reason_pb2, policy_pb2
from symphony_server.access.permissions import PERMISSIONS
from symphony_server.ids import KINDS
from symphony_server.refusal import REASON_CODES, REASON_NAMES
from symphony_server.rpc.methods import read_methods
from symphony_server.rpc.plain_words import _WORDS
from symphony_server.rpc.services import CHANGES_IDENTITY, ENDPOINTS, STREAMS
from symphony_server.use_cases.pages import MAX_PAGE_SIZE
from symphony_server.use_cases.update_masks import UpdateRules

GENERATED = Path(__file__).parents[2] / "generated"

CODES = {
    "INVALID_ARGUMENT": """FIELD_INVALID UPDATE_MASK_INVALID PAGE_TOKEN_INVALID STEP_NAME_DUPLICATE
        STEP_DEPENDENCY_UNKNOWN STEP_DEPENDENCY_SELF STEP_DEPENDENCY_CYCLE
        ESTIMATE_BELOW_CRITICAL_PATH MANIFEST_MALFORMED MANIFEST_INVALID""",
    "UNAUTHENTICATED": "CREDENTIALS_MISSING CREDENTIALS_INVALID CREDENTIALS_EXPIRED",
    "PERMISSION_DENIED": """ROLE_REQUIRED PROJECT_ACCESS_REQUIRED OWNER_REQUIRED
        RESOURCE_ACCESS_REQUIRED ACT_AS_NOT_ALLOWED TOKEN_SCOPE_REQUIRED USER_SUSPENDED""",
    "NOT_FOUND": "RESOURCE_NOT_FOUND",
    "ALREADY_EXISTS": "DUPLICATE_NAME EMAIL_TAKEN ID_TAKEN REQUEST_ID_REUSED ALREADY_MEMBER",
    "FAILED_PRECONDITION": """TIER_STEP_LIMIT TIER_DURATION_LIMIT PROJECT_STEP_LIMIT
        PROJECT_DURATION_LIMIT PROJECT_EXTENSION_NOT_ALLOWED EXTENSION_NOT_INSTALLED SCAN_REJECTED
        RESOURCE_IN_USE STATE_TRANSITION_INVALID PRECONDITION_FAILED LAST_OWNER""",
    "RESOURCE_EXHAUSTED": """TIER_WORKFLOW_LIMIT TIER_EXTENSION_LIMIT PROJECT_WORKFLOW_LIMIT
        RATE_LIMITED""",
    "ABORTED": "ETAG_MISMATCH",
    "OUT_OF_RANGE": "REVISION_COMPACTED",
    "UNAVAILABLE": "OVERLOADED STORE_UNAVAILABLE SHUTTING_DOWN",
    "INTERNAL": "INTERNAL",
}
"""The design's table of reasons, which people script against."""

SERVICES = {
    "UserService": """CreateUser GetUser GetUserByEmail UpdateUser DeleteUser ListUsers
        GetUserCapabilities""",
    "ProjectService": """CreateProject GetProject UpdateProject DeleteProject ListProjects
        GetProjectConstraints AddProjectMember UpdateProjectMember RemoveProjectMember
        ListProjectMembers""",
    "WorkflowService": "CreateWorkflow GetWorkflow UpdateWorkflow DeleteWorkflow ListWorkflows",
    "ExecutionService": """StartExecution GetExecution UpdateExecution CancelExecution
        ListExecutions""",
    "ExtensionService": """InstallExtension GetExtension UpdateExtension UninstallExtension
        ListExtensions""",
    "TransactionService": "ExecuteTransaction",
    "ChangeService": "Watch",
    "AccessService": """WhoAmI CheckAccess ExplainDecision CreateToken ListTokens
        RevokeToken""",
    "AuditService": """ListAuditRecords GetAuditRecord GetAuditTreeHead GetInclusionProof
        GetConsistencyProof""",
    "ServerInfoService": "GetServerInfo",
}


@pytest.fixture(scope="module")
def files() -> list[descriptor_pb2.FileDescriptorProto]:
    """The contract's own files, with comments, as `symphony.binpb` ships them."""
    shipped = descriptor_pb2.FileDescriptorSet.FromString(
        (GENERATED / "symphony.binpb").read_bytes()
    )
    return [file for file in shipped.file if file.name.startswith("symphony/")]


def rpc_comments(files: list[descriptor_pb2.FileDescriptorProto]) -> Iterator[tuple[str, str]]:
    for file in files:
        comments = {
            tuple(location.path): location.leading_comments
            for location in file.source_code_info.location
        }
        for s, service in enumerate(file.service):
            for m, method in enumerate(service.method):
                yield f"{file.package}.{service.name}/{method.name}", comments[6, s, 2, m]


def test_the_services_and_rpcs_are_those_of_the_design() -> None:
    expected = {
        f"symphony.v1.{service}/{rpc}" for service, rpcs in SERVICES.items() for rpc in rpcs.split()
    }
    assert set(read_methods()) == expected


def test_the_reasons_and_their_codes_are_those_of_the_design() -> None:
    codes = error_reason_pb2.DESCRIPTOR.pool.FindEnumTypeByName("google.rpc.Code")
    named = {
        REASON_NAMES[number]: codes.values_by_number[code].name
        for number, code in REASON_CODES.items()
        if number
    }
    assert named == {reason: code for code, line in CODES.items() for reason in line.split()}


def test_every_rpc_tells_who_may_call_it_and_names_only_real_reasons(
    files: list[descriptor_pb2.FileDescriptorProto],
) -> None:
    reasons = set(REASON_NAMES.values())
    roles = {"ADMIN", "AUDITOR", "DEVELOPER", "SERVICE", "VIEWER", "COLLABORATOR", "OWNER"}
    states = {"PENDING", "RUNNING", "DELETED"}
    for name, comment in rpc_comments(files):
        assert re.search(r"^ Who: ", comment, re.M), name
        assert re.search(r"^ Errors: ", comment, re.M), name
        _, _, errors = comment.partition("Errors: ")
        for word in re.findall(r"\b[A-Z][A-Z_]{3,}\b", errors):
            assert word in reasons | set(CODES) | roles | states, f"{name}: {word}"
        for code, reason in re.findall(r"([A-Z_]+): ([A-Z_]+)", errors):
            assert reason in CODES[code].split(), f"{name}: {code}: {reason}"


def test_the_comment_of_each_reason_begins_with_its_code(
    files: list[descriptor_pb2.FileDescriptorProto],
) -> None:
    (file,) = (file for file in files if file.name.endswith("error_reason.proto"))
    comments = {tuple(loc.path): loc.leading_comments for loc in file.source_code_info.location}
    by_reason = {reason: code for code, line in CODES.items() for reason in line.split()}
    for index, value in enumerate(file.enum_type[0].value):
        name = value.name.removeprefix("ERROR_REASON_")
        if name in by_reason:
            assert comments[5, 0, 2, index].startswith(f" {by_reason[name]}. "), name


def test_every_write_takes_request_id_and_validate_only() -> None:
    for method in read_methods().values():
        fields = method.request_class.DESCRIPTOR.fields_by_name
        assert ("request_id" in fields) == method.writes, method.name
        assert ("validate_only" in fields) == method.writes, method.name


def test_every_method_of_the_contract_is_served_and_its_permission_in_the_table() -> None:
    methods = read_methods()
    assert set(ENDPOINTS) == {name for name, method in methods.items() if not method.streams}
    assert set(STREAMS) == {name for name, method in methods.items() if method.streams}
    assert set(ENDPOINTS) >= CHANGES_IDENTITY
    for name in methods:
        if not methods[name].anonymous:
            assert methods[name].permission in PERMISSIONS, name


def test_ids_have_the_prefixes_of_the_design(
    files: list[descriptor_pb2.FileDescriptorProto],
) -> None:
    text = "".join(str(file) for file in files)
    prefixes = set(re.findall(r"\^([a-z]+)_\[0-7\]", text))
    assert prefixes == set(KINDS)


def test_every_rule_on_text_has_plain_words() -> None:
    """Numbers and times say best what protovalidate says; the rest is ours to say."""
    text = "".join(path.read_text() for path in (GENERATED.parent / "protos").rglob("*.proto"))
    used = {f"string.{rule}" for rule in re.findall(r"\.string\.(\w+) =", text)}
    for block in re.findall(r"string(?: =|:) \{(.*?)\}", text, re.S):
        used |= {f"string.{rule}" for rule in re.findall(r"(\w+):", re.sub(r'"[^"]*"', "", block))}
    assert used
    assert used <= set(_WORDS)


def test_the_largest_page_is_the_contracts() -> None:
    for method in read_methods().values():
        field = method.request_class.DESCRIPTOR.fields_by_name.get("page_size")
        if field is not None:
            assert f"lte: {MAX_PAGE_SIZE}" in str(field.GetOptions()), method.name


def test_what_an_update_may_change_follows_from_the_contract() -> None:
    workflow = read_methods()["symphony.v1.WorkflowService/UpdateWorkflow"]
    rules = UpdateRules(workflow.request_class.DESCRIPTOR.fields[0].message_type)
    assert {path for path in rules.paths if "." not in path} == {
        "spec",
        "estimated_cost",
        "shared",
        "status",
    }
    assert {"spec.name", "spec.steps", "estimated_cost.compute_units"} <= set(rules.paths)
    assert set(rules.fixed) == {"id", "project_id", "user_id", "create_time", "update_time", "etag"}


def test_a_policy_is_needed_for_every_method() -> None:
    for name, method in read_methods().items():
        descriptor = method.request_class.DESCRIPTOR.file.services_by_name.get(
            method.service.rpartition(".")[2]
        )
        if descriptor is None:
            continue
        options = descriptor.methods_by_name[name.partition("/")[2]].GetOptions()
        assert options.HasExtension(policy_pb2.policy), name
