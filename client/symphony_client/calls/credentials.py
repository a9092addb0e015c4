"""Who is calling, and for whom."""

from __future__ import annotations

from typing import Final

from symphony_client.calls.outgoing_call import Metadata, OutgoingCall

AUTHORIZATION: Final = "authorization"
ACT_AS: Final = "x-symphony-act-as"


class Credentials:
    """Adds the token, and the user to act for, to calls that do not bring their own."""

    def __init__(self, *, token: str | None, act_as: str | None) -> None:
        headers = {AUTHORIZATION: token and f"Bearer {token}", ACT_AS: act_as}
        self._headers: Metadata = tuple((key, value) for key, value in headers.items() if value)

    def prepare(self, call: OutgoingCall) -> None:
        """Adds the headers."""
        brought = {key for key, _ in call.metadata}
        call.metadata += tuple(header for header in self._headers if header[0] not in brought)
