"""Extensions: rows ↔ messages, and the statements on them and on what uses them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from symphony.v1.extension_pb2 import Extension, ExtensionState, ScanReport
from symphony_server.store import tables
from symphony_server.store.relations import WithRelation
from symphony_server.store.stamps import stamp
from symphony_server.store.statements import Compiler, param

T = tables.Extension
U = tables.ExtensionUse
COLUMNS = (
    T.id,
    T.project_id,
    T.installed_by,
    T.name,
    T.version,
    T.type,
    T.publisher,
    T.permissions,
    T.entry_point,
    T.manifest,
    T.manifest_format,
    T.scan,
    T.state,
    T.create_time,
    T.update_time,
)


def extension_message(row: Sequence[Any]) -> Extension:
    """The message of a row with `COLUMNS`."""
    (
        extension_id,
        project_id,
        installed_by,
        name,
        version,
        kind,
        publisher,
        permissions,
        entry_point,
        manifest,
        manifest_format,
        scan,
        state,
        create_time,
        update_time,
    ) = row
    extension = Extension(
        id=extension_id,
        project_id=project_id,
        installed_by=installed_by,
        name=name,
        version=version,
        type=kind,
        publisher=publisher,
        permissions=permissions.split(),
        entry_point=entry_point,
        manifest=manifest,
        manifest_format=manifest_format,
        scan=ScanReport.FromString(scan),
        state=state,
    )
    stamp(extension, create_time_us=create_time, update_time_us=update_time)
    return extension


class Extensions:
    """The extensions of one connection."""

    def __init__(self, compiled: Compiler) -> None:
        """Compile the statements."""
        self._read = WithRelation(
            compiled, COLUMNS, extension_message, resource_id=T.id, project_id=T.project_id
        )
        self._installed = compiled(
            T.select(T.name, T.version, T.publisher).where(T.project_id == param("project")),
            "project",
        )
        self._any = compiled(
            T.select(T.id).where(T.project_id == param("project")).limit(1), "project"
        )
        self._enabled = compiled(
            T.select(T.id).where(
                (T.id == param("id"))
                & (T.project_id == param("project"))
                & (T.state == ExtensionState.EXTENSION_STATE_ENABLED)
            ),
            "id",
            "project",
        )
        self._insert = compiled.insert(T)
        self._update = compiled.update(
            T,
            (
                T.name,
                T.version,
                T.type,
                T.publisher,
                T.permissions,
                T.entry_point,
                T.manifest,
                T.manifest_format,
                T.scan,
                T.state,
                T.update_time,
            ),
            T.id == param("id"),
            "id",
        )
        self._delete = compiled.delete(T, T.id == param("id"), "id")
        self._used = compiled(
            U.select(U.workflow_id).where(U.extension_id == param("id")).limit(1), "id"
        )
        self._use = compiled.insert(U)
        self._unuse = compiled.delete(U, U.workflow_id == param("workflow"), "workflow")

    def get(self, extension_id: str, user_id: str) -> tuple[Extension | None, int]:
        """An extension, or None, and the user's relation to its project (0 for none)."""
        return self._read.get(extension_id, user_id)

    def installed(self, project_id: str) -> list[tuple[str, str, str]]:
        """Name, version and publisher of each extension in a project."""
        return [tuple(row) for row in self._installed(project_id).fetchall()]

    def any_in(self, project_id: str) -> bool:
        """True when an extension is installed in the project."""
        return self._any(project_id).fetchone() is not None

    def enabled(self, project_id: str, extension_ids: Iterable[str]) -> frozenset[str]:
        """Those of the ids that are installed in the project and ENABLED."""
        return frozenset(
            extension_id
            for extension_id in extension_ids
            if self._enabled(extension_id, project_id).fetchone() is not None
        )

    def insert(self, extension: Extension, *, time_us: int) -> None:
        """Add an extension."""
        where_and_who = (extension.id, extension.project_id, extension.installed_by)
        self._insert(*where_and_who, *_values(extension), time_us, time_us)

    def update(self, extension: Extension, *, time_us: int) -> None:
        """Replace everything of an extension but where, when and by whom it was installed."""
        self._update(*_values(extension), time_us, extension.id)

    def delete(self, extension_id: str) -> None:
        """Remove an extension that nothing uses."""
        self._delete(extension_id)

    def is_used(self, extension_id: str) -> bool:
        """True when a step of some workflow uses the extension."""
        return self._used(extension_id).fetchone() is not None

    def set_uses(self, workflow_id: str, extension_ids: Iterable[str], *, new: bool) -> None:
        """Note which extensions a workflow uses now; a `new` one used none before."""
        if not new:
            self._unuse(workflow_id)
        for extension_id in extension_ids:
            self._use(extension_id, workflow_id)


def _values(extension: Extension) -> tuple[Any, ...]:
    """What an update may change, in the order of the table's columns."""
    return (
        extension.name,
        extension.version,
        extension.type,
        extension.publisher,
        " ".join(extension.permissions),
        extension.entry_point,
        extension.manifest,
        extension.manifest_format,
        extension.scan.SerializeToString(),
        extension.state,
    )
