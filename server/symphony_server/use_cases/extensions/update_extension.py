"""Updates an extension: enables, disables or upgrades it."""

from __future__ import annotations

from symphony.v1.change_pb2 import ChangeOperation, ResourceKind
from symphony.v1.error_reason_pb2 import ErrorReason
from symphony.v1.extension_pb2 import MANIFEST_FORMAT_JSON, Extension
from symphony.v1.extension_service_pb2 import UpdateExtensionRequest
from symphony_server.clock import timestamp_us
from symphony_server.refusal import Violation
from symphony_server.rules.names import quoted
from symphony_server.store.stamps import stamp
from symphony_server.store.transaction import Transaction
from symphony_server.use_cases.call import Call
from symphony_server.use_cases.etags import next_time, stale
from symphony_server.use_cases.extensions.get_extension import permitted_extension
from symphony_server.use_cases.extensions.judge_for_project import installed_in, judge_for_project
from symphony_server.use_cases.recording import record_change
from symphony_server.use_cases.update_masks import apply_update


def update_extension(
    transaction: Transaction, call: Call, request: UpdateExtensionRequest
) -> Extension:
    """The extension as changed; a manifest other than the present one is judged as a new one's."""
    judgement = call.judgement
    asked = request.extension
    current = permitted_extension(
        transaction, call, "extensions.update", asked.id, field="extension.id"
    )
    updated: Extension = apply_update(current, asked, call.update_paths)
    updated.manifest_format = updated.manifest_format or MANIFEST_FORMAT_JSON
    if (updated.manifest, updated.manifest_format) != (current.manifest, current.manifest_format):
        judged = judge_for_project(
            judgement,
            updated.manifest,
            updated.manifest_format,
            installed_in(transaction, current.project_id, replaced=current.name),
            under="extension",
        )
        judgement.ask("extension.name_kept", _renamed(current.name, judged.name))
        # What comes from a manifest comes from the new one alone, and the rest stays.
        judged.id, judged.project_id = current.id, current.project_id
        judged.installed_by, judged.state = current.installed_by, updated.state
        updated = judged
    judgement.end_stage()
    judgement.ask("etag", stale(asked.etag, current.etag, field="extension.etag"))
    judgement.conclude()

    time_us = next_time(transaction.time_us, current.update_time)
    stamp(updated, create_time_us=timestamp_us(current.create_time), update_time_us=time_us)
    transaction.extensions.update(updated, time_us=time_us)
    record_change(
        transaction,
        call,
        ResourceKind.RESOURCE_KIND_EXTENSION,
        ChangeOperation.CHANGE_OPERATION_UPDATED,
        current.id,
        project_id=current.project_id,
        resource=updated,
    )
    return updated


def _renamed(name: str, new_name: str) -> Violation | None:
    """The steps that use an extension must not get another one under its id."""
    if new_name in ("", name):
        return None
    return Violation(
        ErrorReason.ERROR_REASON_MANIFEST_INVALID,
        f"is {quoted(new_name)}, but this extension is {quoted(name)}; install the other one "
        "with InstallExtension",
        field="extension.manifest.name",
    )
