"""Extensions, as far as projects and workflows need to know of them."""

from __future__ import annotations

from collections.abc import Iterable

from symphony.v1.extension_pb2 import ExtensionState
from symphony_server.store import tables
from symphony_server.store.statements import Compiler, param

T = tables.Extension
U = tables.ExtensionUse


class Extensions:
    """The extensions of one connection."""

    def __init__(self, compiled: Compiler) -> None:
        """Compile the statements."""
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
        self._use = compiled.insert(U)
        self._unuse = compiled.delete(U, U.workflow_id == param("workflow"), "workflow")

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

    def set_uses(self, workflow_id: str, extension_ids: Iterable[str], *, new: bool) -> None:
        """Note which extensions a workflow uses now; a `new` one used none before."""
        if not new:
            self._unuse(workflow_id)
        for extension_id in extension_ids:
            self._use(extension_id, workflow_id)
