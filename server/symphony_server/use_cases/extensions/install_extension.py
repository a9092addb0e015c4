"""Installs an extension in a project, once its manifest has passed the security scan."""

from __future__ import annotations

from collections.abc import Sequence

from symphony.v1.change_pb2 import ChangeOperation, ResourceKind
from symphony.v1.error_reason_pb2 import ErrorReason
from symphony.v1.extension_pb2 import Extension, ExtensionState
from symphony.v1.extension_service_pb2 import InstallExtensionRequest
from symphony_server.access.decisions import decide
from symphony_server.access.permissions import Facts
from symphony_server.ids import new_id
from symphony_server.refusal import Violation, not_found
from symphony_server.rules import tiers
from symphony_server.rules.manifest.claims import InstalledExtension
from symphony_server.rules.names import quoted
from symphony_server.store.stamps import stamp
from symphony_server.store.transaction import Transaction
from symphony_server.use_cases.call import Call
from symphony_server.use_cases.extensions.judge_for_project import installed_in, judge_for_project
from symphony_server.use_cases.recording import record_change
from symphony_server.use_cases.taken import id_taken


def install_extension(
    transaction: Transaction, call: Call, request: InstallExtensionRequest
) -> Extension:
    """The extension, ENABLED, with what its manifest says and what the scan found."""
    judgement = call.judgement
    user = call.caller.user
    project_id = request.project_id
    extension_id = call.resource_id = request.extension_id or new_id("extension")

    # Who may: role, then project, then tier.
    place = transaction.projects.place(project_id, user.id)
    constraints, relation = place.constraints, place.relation
    judgement.decided(decide("extensions.install", user, Facts(relation=relation)))
    installed = installed_in(transaction, project_id)
    if relation or not judgement.violations:
        # Others must not learn how many extensions a project has, or that there is one.
        judgement.ask(
            "tier.extension_limit",
            tiers.extension_limit(
                call.deployment.tiers, user.tier, len(installed), subject=f"project:{project_id}"
            ),
            f"{len(installed)} installed",
        )
    judgement.end_stage()
    if constraints is None and judgement.permitted:
        judgement.stop("project.exists", not_found("project", project_id, field="project_id"))
    if not judgement.permitted:
        installed = []

    # Business rules: the manifest and its scan.
    extension = judge_for_project(judgement, request.manifest, request.manifest_format, installed)
    judgement.end_stage()

    # Data constraints.
    judgement.ask_if_permitted("extension.name_free", _name_taken(extension.name, installed))
    if request.extension_id:
        used = transaction.extensions.get(extension_id, user.id)[0] is not None
        judgement.ask_if_permitted("extension.id_free", id_taken("extension_id") if used else None)
    judgement.conclude()

    # Write.
    time_us = transaction.time_us
    extension.id = extension_id
    extension.project_id = project_id
    extension.installed_by = user.id
    extension.state = ExtensionState.EXTENSION_STATE_ENABLED
    stamp(extension, create_time_us=time_us, update_time_us=time_us)
    transaction.extensions.insert(extension, time_us=time_us)
    record_change(
        transaction,
        call,
        ResourceKind.RESOURCE_KIND_EXTENSION,
        ChangeOperation.CHANGE_OPERATION_CREATED,
        extension_id,
        project_id=project_id,
        resource=extension,
    )
    return extension


def _name_taken(name: str, installed: Sequence[InstalledExtension]) -> Violation | None:
    if all(other.name != name for other in installed):
        return None
    return Violation(
        ErrorReason.ERROR_REASON_DUPLICATE_NAME,
        f"the project has an extension named {quoted(name)} already; upgrade it with "
        "UpdateExtension, or uninstall it first",
        field="manifest.name",
    )
