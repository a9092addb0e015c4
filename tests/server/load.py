"""Callers who make workflows at one server or several, and what they were told."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count

import grpc

from symphony.v1.workflow_service_pb2 import CreateWorkflowRequest
from symphony_server.audit_verification import verify_log
from tests.server.world import Answer, Person, World, read_refusal, spec


def at(world: World, person: Person) -> Person:
    """The same person, calling another server."""
    return Person(world.admin.channel, person.secret, person.user)


def records(world: World) -> int:
    """How many audit records there are, once all are verified."""
    store = world.server.running.services.store
    verdict = world.server.run(store.read(lambda snapshot: verify_log(snapshot.audit)))
    assert verdict.fault is None
    return verdict.size


class Load:
    """Callers of several servers who make workflows, and note what they are told."""

    def __init__(self, worlds: Sequence[World]) -> None:
        self.worlds = worlds
        self.owner = worlds[0].user()
        self.project = worlds[0].project(self.owner)
        self.made: dict[str, str] = {}
        """What was acknowledged: name → id."""
        self.answers: dict[str, Answer] = {}
        """What was said of it, by name too."""
        self.unknown: set[str] = set()
        self.times_unknown = 0
        """How often somebody was not told."""
        self.refusals: set[str] = set()
        self.pause_seconds = 0.0
        """What each caller waits between two calls."""
        self._counting = threading.Lock()
        self.over = threading.Event()
        self.answered = [threading.Event() for _ in worlds]
        """Server by server: set by each acknowledgement."""

    def create(self, number: int, name: str) -> None:
        """Ask one of the servers, with the name as the request's id."""
        person = at(self.worlds[number], self.owner)
        request = CreateWorkflowRequest(
            project_id=self.project.id, spec=spec(name), request_id=name
        )
        self.unknown.add(name)
        try:
            answer = person.ask(person.workflows.CreateWorkflow, request)
        except grpc.RpcError as error:
            self.refusals.add(read_refusal(error).reason)
            with self._counting:
                self.times_unknown += 1
            self.over.wait(0.02)
            return
        self.answers[name] = answer
        self.made[name] = answer.response.id
        self.unknown.remove(name)
        self.answered[number].set()

    def call(self, caller: int) -> None:
        """One after the other, asked for until it is acknowledged."""
        for number in count():
            name = f"{caller}-{number}"
            while name not in self.made:
                if self.over.is_set():
                    return
                self.create(caller % len(self.worlds), name)
                if self.pause_seconds:
                    self.over.wait(self.pause_seconds)

    def wait_for_answers(self) -> None:
        """Wait until each server has acknowledged something from now on."""
        for answered in self.answered:
            answered.clear()
        for answered in self.answered:
            assert answered.wait(20), self.refusals

    @contextmanager
    def calling(self, callers: int) -> Iterator[None]:
        """So many callers at once, for as long as the block lasts."""
        with ThreadPoolExecutor(callers) as pool:
            calls = [pool.submit(self.call, caller) for caller in range(callers)]
            try:
                yield
            finally:
                self.over.set()
        for call in calls:
            call.result()

    def ask_again(self) -> None:
        """Ask for what is unknown: who asks again with the same request_id gets it, once."""
        for name in sorted(self.unknown):
            self.create(0, name)

    def check(self) -> None:
        """Hold what was told against what there is: everything acknowledged once, and nothing
        else but what was asked for and is acknowledged when it is asked for again.
        """
        assert self.refusals <= {"STORE_UNAVAILABLE"}
        self.ask_again()
        assert not self.unknown
        rows = self.worlds[0].query("SELECT id FROM workflows")
        assert sorted(row[0] for row in rows) == sorted(self.made.values())
        assert records(self.worlds[-1]) > len(self.made)
