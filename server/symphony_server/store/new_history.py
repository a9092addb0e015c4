"""After a restore: who watched the history that is gone starts afresh.

A watcher goes on from the last revision that it knows. The store it comes back to may not have
that revision, in which case it is refused, or may by then have another change under it, and then
it would never learn what differs. So the revisions go on far above any that anybody knows, and
from below nothing is kept.
"""

from __future__ import annotations

from typing import Any, Final

from symphony_server.store.change_log import ChangeLog
from symphony_server.store.session import Session
from symphony_server.store.statements import Compiler
from symphony_server.store.tables import ChangeEntry

T: Any = ChangeEntry
REVISIONS_SKIPPED: Final = 1_000_000_000
"""As etcd advises for the same (`etcdutl snapshot restore --bump-revision`): more changes than
were lost, however old the backup is."""


def begin_new_history(session: Session) -> int:
    """Renumber the last change and forget the others; returns its revision, 0 if there is none."""
    compiled = Compiler(session)
    session.begin_batch()
    last = ChangeLog(compiled).last()
    if last:
        compiled(T.delete().where(T.revision < last))()
        compiled(T.update({T.revision: T.revision + REVISIONS_SKIPPED}))()
    session.prepare_commit(changed=bool(last))
    session.commit()
    return last and last + REVISIONS_SKIPPED
