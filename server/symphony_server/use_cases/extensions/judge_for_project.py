"""Judges a manifest beside what is installed in the project that it is for."""

from __future__ import annotations

from collections.abc import Sequence

from symphony.v1.extension_pb2 import Extension, ManifestFormat
from symphony_server.rules.manifest.claims import InstalledExtension
from symphony_server.rules.manifest.judge import judge_manifest, write_manifest
from symphony_server.store.transaction import Snapshot
from symphony_server.use_cases.judgement import Judgement


def installed_in(
    snapshot: Snapshot, project_id: str, *, replaced: str = ""
) -> list[InstalledExtension]:
    """The extensions of a project, in any state; the one with the name `replaced` is to go."""
    return [
        InstalledExtension(*row, stays=row[0] != replaced)
        for row in snapshot.extensions.installed(project_id)
    ]


def judge_for_project(
    judgement: Judgement,
    text: str,
    manifest_format: ManifestFormat.ValueType,
    installed: Sequence[InstalledExtension],
    *,
    under: str = "",
) -> Extension:
    """An extension with all that comes from the manifest, and with nothing if that is refused.

    `under` is the field of the request that has the manifest, if it is not the request itself.
    """
    judged = judge_manifest(text, manifest_format, installed)
    judgement.ask_all(
        "extension.manifest",
        [violation.under(under) if under else violation for violation in judged.violations],
    )
    extension = Extension()
    if judged.manifest is not None:
        write_manifest(extension, judged.manifest, judged.report, text, manifest_format)
    return extension
