"""What every pre-validator promises."""

from __future__ import annotations

from typing import Protocol, TypeVar

RequestT_contra = TypeVar("RequestT_contra", contravariant=True)


class PreValidator(Protocol[RequestT_contra]):
    """Says whether a request is worth sending.

    It looks at the request alone: it never asks a server, a database or who is calling. What it
    refuses the server refuses too, for the same field and rule; what it lets pass the server may
    still refuse. It does not change the request.
    """

    def should_attempt_request(self, request: RequestT_contra) -> None:
        """Returns if the request may be sent.

        Raises:
            PreValidationFailed: it would be refused; with all that is wrong, not the first only.
        """
