"""The operations of a transaction: which call each stands for, and their structure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from symphony.v1 import transaction_pb2
from symphony.v1.error_reason_pb2 import ErrorReason
from symphony_server.refusal import Refused, Violation
from symphony_server.rpc.methods import read_methods
from symphony_server.rpc.structure import Structure
from symphony_server.use_cases.transactions.execute_transaction import operation_requests

TRANSACTION: Final = "symphony.v1.TransactionService/ExecuteTransaction"
_THE_TRANSACTIONS: Final = ("request_id", "validate_only")


class Operations:
    """What is known of the operations before one is done."""

    def __init__(self) -> None:
        """Match each operation with the method that takes the same request."""
        methods = {
            method.request_class.DESCRIPTOR.full_name: method for method in read_methods().values()
        }
        found = {
            field.name: methods[field.message_type.full_name]
            for field in transaction_pb2.TransactionOperation.DESCRIPTOR.fields
            if field.message_type is not None
        }
        self.named: Mapping[str, tuple[str, str]] = {
            name: (method.name, method.permission) for name, method in found.items()
        }
        """Operation → the method and permission of the call it stands for."""
        self._structures = {name: Structure(method) for name, method in found.items()}

    def check(self, request: Any) -> tuple[tuple[str, ...], ...]:
        """The paths that each operation changes.

        The rules of their fields were checked with the transaction's own; this is what those
        cannot say. Raises Refused with everything that is wrong.
        """
        all_paths = []
        violations: list[Violation] = []
        for index, (name, part) in enumerate(operation_requests(request)):
            paths, wrong = self._structures[name].update_paths(part)
            wrong += [_set_twice(field) for field in _THE_TRANSACTIONS if getattr(part, field)]
            violations += [v.under(f"operations[{index}].{name}") for v in wrong]
            all_paths.append(paths)
        if violations:
            raise Refused(violations)
        return tuple(all_paths)


def _set_twice(field: str) -> Violation:
    return Violation(
        ErrorReason.ERROR_REASON_FIELD_INVALID,
        f"must not be set in an operation; the transaction's {field} holds for all",
        field=field,
        rule="transaction.operation",
    )
