"""First answers, kept so that a retry with the same `request_id` gets the same."""

from __future__ import annotations

from dataclasses import dataclass

from symphony_server.store.statements import Compiler, param
from symphony_server.store.tables import RequestRecord as T


@dataclass(frozen=True, slots=True)
class FirstAnswer:
    """What was answered to a `request_id` the first time."""

    fingerprint: bytes
    """SHA-256 of the method and the request."""
    answer: bytes
    """The serialized response."""
    decision_id: str
    revision: int


class RequestIds:
    """The request ids of one connection."""

    def __init__(self, compiled: Compiler) -> None:
        """Compile the statements."""
        self._find = compiled(
            T.select(T.fingerprint, T.answer, T.decision_id, T.revision).where(
                (T.caller_id == param("caller"))
                & (T.request_id == param("request"))
                & (T.create_time >= param("since"))
            ),
            "caller",
            "request",
            "since",
        )
        self._insert = compiled.insert(T)
        self._forget = compiled.delete(
            T,
            (T.caller_id == param("caller")) & (T.request_id == param("request")),
            "caller",
            "request",
        )
        self._expired = compiled(
            T.select(T.caller_id, T.request_id)
            .where(T.create_time < param("before"))
            .order_by(T.create_time)
            .limit(param("limit")),
            "before",
            "limit",
        )

    def find(self, caller_id: str, request_id: str, *, since_us: int) -> FirstAnswer | None:
        """The first answer, if the id was used at or after a time."""
        row = self._find(caller_id, request_id, since_us).fetchone()
        return None if row is None else FirstAnswer(*row)

    def remember(
        self, caller_id: str, request_id: str, answer: FirstAnswer, *, time_us: int
    ) -> None:
        """Keep a first answer; an expired one of the same id makes room."""
        self._forget(caller_id, request_id)
        self._insert(
            caller_id,
            request_id,
            answer.fingerprint,
            answer.answer,
            answer.decision_id,
            answer.revision,
            time_us,
        )

    def forget_expired(self, *, before_us: int, limit: int) -> int:
        """Remove at most `limit` answers from before a time; returns how many it removed."""
        expired = self._expired(before_us, limit).fetchall()
        for caller_id, request_id in expired:
            self._forget(caller_id, request_id)
        return len(expired)
