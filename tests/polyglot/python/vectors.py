"""Runs the vectors of a folder; the README beside them says what they mean."""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import re
import time
import traceback
from pathlib import Path
from typing import Any, cast

import grpc
import protovalidate
from google.protobuf import descriptor_pool, json_format, message_factory
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from google.rpc import error_details_pb2
from grpc_status import rpc_status

import symphony.v1

# A service is found by its name once its module has been imported.
for _module in pkgutil.iter_modules(symphony.v1.__path__):
    importlib.import_module(f"symphony.v1.{_module.name}")


def run(channel: grpc.Channel, folder: Path) -> int:
    """Run every vector of a folder; returns the exit status."""
    tokens = json.loads(Path(os.environ["SYMPHONY_TOKENS"]).read_text())
    failed = 0
    files = sorted(folder.glob("*.json"))
    for file in files:
        vector = Vector(channel, tokens, unique=f"python {time.time_ns()}")
        try:
            for call in _read(file)["calls"]:
                vector.perform(call)
        except Exception:
            failed += 1
            print(f"FAIL {file.name}: {traceback.format_exc()}")
    print(f"{len(files) - failed} passed, {failed} failed")
    return min(failed, 1)


class Vector:
    """A vector being run, with the values that it has saved."""

    def __init__(self, channel: grpc.Channel, tokens: dict[str, str], unique: str) -> None:
        self._channel = channel
        self._tokens = tokens
        self._saved = {"unique": unique}

    def perform(self, call: dict[str, Any]) -> None:
        """Make a call and hold what comes of it against what is expected."""
        method = _find(call["call"])
        request = _new(method.input_type)
        json_format.ParseDict(self._fill(call["request"]), request)
        outcome: dict[str, Any] = {"code": "OK", "prevalidation": _broken_rules(request)}
        who = call.get("as", "developer")
        bearer = [("authorization", f"Bearer {self._tokens[who]}")] if who != "nobody" else []
        timeout = call.get("timeout_ms", 20_000) / 1000
        try:
            if "stream" in call:
                stream = self._stub("unary_stream", method)(request, timeout, bearer)
                self._follow(stream, call)
            else:
                response = self._stub("unary_unary", method)(request, timeout, bearer)
                outcome["response"] = _json(response)
        except grpc.RpcError as error:
            outcome |= _refusal(error)
        self._settle({"code": "OK", "prevalidation": []}, call, outcome)

    def _follow(self, stream: Any, call: dict[str, Any]) -> None:
        """Receive what is expected, in this order, and make calls while the stream is open."""
        for step in call["stream"]:
            if "call" in step:
                self.perform(step)
                continue
            for message in map(_json, stream):
                if step["receive"] in message or "checkpoint" not in message:
                    assert step["receive"] in message, message
                    self._settle({}, step, message)
                    break
        if "code" in call.get("expect", ()):
            next(iter(stream), None)  # the end is what is expected
        stream.cancel()

    def _settle(self, usual: dict[str, Any], step: dict[str, Any], outcome: Any) -> None:
        """Compare what is expected, path by path, and save what is to be used again."""
        for path, expected in self._fill(usual | step.get("expect", {})).items():
            actual = _at(path, outcome)
            assert actual == expected, f"{path}: expected {expected!r}, got {actual!r}: {outcome}"
        for name, path in step.get("save", {}).items():
            self._saved[name] = _at(path, outcome)

    def _fill(self, value: Any) -> Any:
        """Put what was saved in the place of `${name}`."""
        text = json.dumps(value)
        for name, saved in self._saved.items():
            text = text.replace(f"${{{name}}}", saved)
        return json.loads(text)

    def _stub(self, kind: str, method: MethodDescriptor) -> Any:
        return getattr(self._channel, kind)(
            f"/{method.containing_service.full_name}/{method.name}",
            request_serializer=lambda request: request.SerializeToString(),
            response_deserializer=type(_new(method.output_type)).FromString,
        )


def _read(file: Path) -> Any:
    """Read a vector and write out what is to be repeated."""
    return json.loads(
        re.sub(
            r'\{\s*"\$repeat":\s*(\d+),\s*"item":\s*(\{[^{}]*\})\s*\}',
            lambda found: (
                f"[{','.join(found[2].replace('#', str(i)) for i in range(int(found[1])))}]"
            ),
            file.read_text(),
        )
    )


def _at(path: str, value: Any) -> Any:
    """What is at a path like `response.steps.0.name`, or None."""
    for key in path.split("."):
        if isinstance(value, list):
            value = value[int(key)] if int(key) < len(value) else None
        else:
            value = value.get(key) if value else None
    return value


def _find(call: str) -> MethodDescriptor:
    service, _, method = call.partition("/")
    return descriptor_pool.Default().FindServiceByName(service).methods_by_name[method]


def _new(descriptor: Any) -> Message:
    return message_factory.GetMessageClass(descriptor)()


def _json(message: Message) -> dict[str, Any]:
    return json_format.MessageToDict(message, preserving_proto_field_name=True)


def _broken_rules(request: Message) -> list[str]:
    """What the contract's own rules say of a request, without a call."""
    found = (violation.proto for violation in protovalidate.collect_violations(request))
    return sorted(f"{_path(violation.field)}: {violation.rule_id}" for violation in found)


def _path(path: Any) -> str:
    return ".".join(
        element.field_name + (f"[{element.subscript.value}]" if element.subscript else "")
        for element in path.elements
    )


def _refusal(error: grpc.RpcError) -> dict[str, Any]:
    """The code of an error, and what its details say."""
    call = cast(grpc.Call, error)  # every error of a call is one, which the stubs do not say
    refusal: dict[str, Any] = {"code": call.code().name}
    status = rpc_status.from_call(call)
    for detail in status.details if status else ():
        info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
        if detail.Unpack(info):
            refusal |= {"reason": info.reason, "metadata": dict(info.metadata)}
        elif detail.Unpack(bad):
            violations = (f"{v.field}: {v.reason}" for v in bad.field_violations)
            refusal["violations"] = sorted(violations)
    return refusal
