"""Holds a history against the model: is there an order of all writes that explains everything?

The order is not searched for: an answer tells the revision that its write made, and the revisions
are the order. So the states are known, one a revision, and it is left to see

- that every revision has its write, and a transaction has all of its revisions or none;
- that writes are ordered as they were made: who began after another ended has a later revision;
- that each write was allowed in the state just before it, by permissions, etags and names, and was
  answered with what the model makes of it;
- that each read, and each refusal, is right in some state between its call and its answer;
- that each watcher was told the changes that it may see, once and in order.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator
from itertools import accumulate
from typing import Any

from symphony.v1.transaction_service_pb2 import ExecuteTransactionRequest
from tests.faults.contract_model import State
from tests.faults.history import UNKNOWN, Call, History, Told
from tests.faults.watch_checker import faults_of_watch


def check(history: History) -> list[str]:
    """What the model cannot explain, in sentences; empty when it explains everything."""
    return _Checker(history).check()


class _Checker:
    def __init__(self, history: History) -> None:
        self._history = history
        self._faults: list[str] = []
        self._states = [State(history.start_revision, dict(history.start))]
        self._made: list[tuple[Call, list[int]]] = []
        """Each write that was done, and its revisions; in order."""

    def check(self) -> list[str]:
        self._order_writes()
        if not self._faults:
            self._replay()
        if not self._faults:
            self._explain_reads()
            for watched in self._history.watches:
                self._faults += faults_of_watch(watched, self._states)
        return self._faults

    def _order_writes(self) -> None:
        """Give every revision its write."""
        start, end = self._history.start_revision, self._history.end_revision
        by_revision: dict[int, Call] = {}
        for call in self._history.calls:
            if call.is_read or call.reason:
                continue
            if call.revision is None:
                self._faults.append(f"{call}: told no revision")
                continue
            for revision in range(call.revision - _size(call) + 1, call.revision + 1):
                if revision in by_revision:
                    self._faults.append(f"{call}: has the revision of {by_revision[revision]}")
                by_revision[revision] = call
        self._find_given_up(by_revision)
        for revision in range(start + 1, end + 1):
            if revision not in by_revision:
                self._faults.append(f"revision {revision} is nobody's")
        for revision in by_revision.keys() - range(start + 1, end + 1):
            self._faults.append(f"{by_revision[revision]}: its revision is not in the history")
        revisions: dict[int, list[int]] = defaultdict(list)
        for revision in sorted(by_revision):
            revisions[id(by_revision[revision])].append(revision)
        calls = {id(call): call for call in by_revision.values()}
        self._made = [(calls[key], found) for key, found in revisions.items()]
        for call, found in self._made:
            if found[-1] - found[0] + 1 != len(found) or len(found) != _size(call):
                self._faults.append(f"{call}: {_size(call)} changes, at the revisions {found}")
        self._in_time()

    def _find_given_up(self, by_revision: dict[int, Call]) -> None:
        """Find the writes that were given up and done all the same, by what watchers saw."""
        given_up = {
            call.request.request_id: call
            for call in self._history.calls
            if call.reason == UNKNOWN and not call.is_read
        }
        for revision, told in self._told_by_revision().items():
            call = given_up.get(told.request_id)
            if call is None:
                continue
            if revision in by_revision:
                self._faults.append(f"{call}: has the revision of {by_revision[revision]}")
            by_revision[revision] = call

    def _told_by_revision(self) -> dict[int, Told]:
        """The change of each revision, as somebody who sees everything was told it."""
        return {
            told.revision: told
            for watched in self._history.watches
            if watched.person.is_admin
            for told in watched.changes
        }

    def _in_time(self) -> None:
        """Writes have revisions in the order in which they were made."""
        latest: Call | None = None
        for call, _ in self._made:
            if latest is not None and call.reason != UNKNOWN and call.responded < latest.invoked:
                self._faults.append(
                    f"{call}: has a later revision than {latest}, which began later"
                )
            if latest is None or call.invoked > latest.invoked:
                latest = call

    def _replay(self) -> None:
        """Make each write's states, and hold its answer against them."""
        told = self._told_by_revision()
        etags: dict[str, set[str]] = defaultdict(set)
        for call, revisions in self._made:
            state = self._states[-1]
            reason, effects = state.write(call.person, call.request)
            if reason or len(effects) != len(revisions):
                self._faults.append(f"{call}: was allowed, and the model refuses it: {reason}")
                return
            if call.reason == UNKNOWN:
                answers = [told[revision].resource for revision in revisions]
            else:
                answers = _answers(call)
            for effect, answered in zip(effects, answers, strict=True):
                before = self._states[-1].resources.get(effect.resource_id)
                if not effect.matches(answered, before):
                    self._faults.append(f"{call}: was answered {answered}, not {effect.resource}")
                    return
                etag = getattr(answered, "etag", "")
                if etag and etag in etags[effect.resource_id]:
                    self._faults.append(f"{call}: its etag was another's before")
                etags[effect.resource_id].add(etag)
                self._states.append(self._states[-1].after(effect.resource_id, answered))

    def _explain_reads(self) -> None:
        """Find a state for each read and each refusal."""
        ended = sorted(
            (call.responded, revisions[-1])
            for call, revisions in self._made
            if call.reason != UNKNOWN
        )
        ended_at = [moment for moment, _ in ended]
        latest = list(accumulate((revision for _, revision in ended), max))
        begun = sorted((call.invoked, revisions[0]) for call, revisions in self._made)
        begun_at = [moment for moment, _ in begun]
        earliest = list(accumulate((revision for _, revision in reversed(begun)), min))[::-1]
        start = self._history.start_revision
        for call in self._history.calls:
            if call.reason == UNKNOWN or not (call.is_read or call.reason):
                continue
            before = bisect_left(ended_at, call.invoked)
            low = latest[before - 1] if before else start
            after = bisect_right(begun_at, call.responded)
            high = earliest[after] - 1 if after < len(earliest) else self._history.end_revision
            states = self._states[low - start : high - start + 1]
            if not any(_explains(state, call) for state in states):
                self._faults.append(
                    f"{call}: no state from revision {low} to {high} explains "
                    f"{call.reason or call.response}"
                )


def _size(call: Call) -> int:
    """How many changes a write makes."""
    request = call.request
    return len(request.operations) if isinstance(request, ExecuteTransactionRequest) else 1


def _answers(call: Call) -> list[Any]:
    """The resources that a write answered with, None where it removed one."""
    return list(_resources(call))


def _resources(call: Call) -> Iterator[Any]:
    if not isinstance(call.request, ExecuteTransactionRequest):
        yield _resource(call.response)
        return
    for result in call.response.results:
        yield _resource(getattr(result, result.WhichOneof("result") or ""))


def _resource(answered: Any) -> Any:
    return None if answered.DESCRIPTOR.name == "Empty" else answered


def _explains(state: State, call: Call) -> bool:
    if call.is_read:
        return state.read(call.person, call.request) == (call.reason, call.response)
    reason, _ = state.write(call.person, call.request)
    return reason == call.reason
