"""What to do next about each reason to refuse: one sentence each."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from symphony_client.errors import (
    DataError,
    DeadlineExceeded,
    NetworkError,
    OperationNotSupported,
    SerializationError,
    ServerError,
)
from symphony_command.credentials import Sent

_PROFILE: Final = "symphony profile add NAME --server HOST:PORT --token-file FILE"
_MEND: Final = "mend what is named above and try again."
_STEPS: Final = "mend the steps; symphony workflows validate -f FILE shows how they hang together."
_LATER: Final = "try again in a moment."
_RENEW: Final = "get a new token, from an ADMIN or by: symphony token create --user EMAIL"
_ASK_OWNER: Final = (
    "ask an OWNER of the project: symphony projects members add PROJECT USER --role ROLE"
)
_TIER: Final = "make it smaller, or ask an ADMIN for another tier; symphony users capabilities"
_PROJECT: Final = "make it smaller, or ask an OWNER to change it; symphony projects get PROJECT"

NEXT_STEPS: Final[Mapping[str, str]] = {
    "FIELD_INVALID": _MEND,
    "UPDATE_MASK_INVALID": _MEND,
    "PAGE_TOKEN_INVALID": "run the command again.",
    "STEP_NAME_DUPLICATE": _STEPS,
    "STEP_DEPENDENCY_UNKNOWN": _STEPS,
    "STEP_DEPENDENCY_SELF": _STEPS,
    "STEP_DEPENDENCY_CYCLE": _STEPS,
    "ESTIMATE_BELOW_CRITICAL_PATH": "leave estimated_cost out, and it is computed.",
    "MANIFEST_MALFORMED": "mend the manifest and try again.",
    "MANIFEST_INVALID": "mend the manifest and try again.",
    "CREDENTIALS_MISSING": f"give --token-file FILE, set SYMPHONY_TOKEN, or: {_PROFILE}",
    "CREDENTIALS_INVALID": f"look at which token is sent (symphony profile list), or {_RENEW}",
    "CREDENTIALS_EXPIRED": _RENEW,
    "ROLE_REQUIRED": "ask an ADMIN for the role; symphony whoami shows yours.",
    "PROJECT_ACCESS_REQUIRED": _ASK_OWNER,
    "OWNER_REQUIRED": "ask its owner, or an OWNER of its project, to do it.",
    "RESOURCE_ACCESS_REQUIRED": "ask its owner to share it, or a project's OWNER for another role.",
    "ACT_AS_NOT_ALLOWED": "leave --act-as out, or use a token of an ADMIN or SERVICE.",
    "TOKEN_SCOPE_REQUIRED": "use a token with more scopes; symphony whoami shows what it has.",
    "USER_SUSPENDED": "ask an ADMIN to make the user active again.",
    "RESOURCE_NOT_FOUND": "look at what there is with the noun's list, e.g. symphony projects list",
    "DUPLICATE_NAME": "take another name, or change the one that has it.",
    "EMAIL_TAKEN": "take another address; symphony users get EMAIL shows who has it.",
    "ID_TAKEN": "leave the id out, and the server makes one.",
    "REQUEST_ID_REUSED": "run the command again.",
    "ALREADY_MEMBER": "symphony projects members set PROJECT USER --role ROLE changes its role.",
    "TIER_STEP_LIMIT": _TIER,
    "TIER_DURATION_LIMIT": _TIER,
    "PROJECT_STEP_LIMIT": _PROJECT,
    "PROJECT_DURATION_LIMIT": _PROJECT,
    "PROJECT_EXTENSION_NOT_ALLOWED": "use another extension, or ask an OWNER to allow this one.",
    "EXTENSION_NOT_INSTALLED": "install or enable it: symphony extensions list --project PROJECT",
    "SCAN_REJECTED": "mend what the scan found in the manifest and try again.",
    "RESOURCE_IN_USE": "remove what uses it first.",
    "STATE_TRANSITION_INVALID": "look at the state that it is in with the noun's get.",
    "PRECONDITION_FAILED": "read it again and decide anew.",
    "LAST_OWNER": "make somebody else OWNER first.",
    "TIER_WORKFLOW_LIMIT": "delete a workflow, or ask an ADMIN for another tier.",
    "TIER_EXTENSION_LIMIT": "uninstall an extension, or ask an ADMIN for another tier.",
    "PROJECT_WORKFLOW_LIMIT": "delete a workflow, or ask an OWNER to raise the project's limit.",
    "RATE_LIMITED": _LATER,
    "ETAG_MISMATCH": "somebody else changed it meanwhile: read it again and decide anew.",
    "REVISION_COMPACTED": "leave --since out to watch from now on.",
    "OVERLOADED": _LATER,
    "STORE_UNAVAILABLE": _LATER,
    "SHUTTING_DOWN": _LATER,
    "INTERNAL": "tell whoever runs the server the request id; its log has the cause.",
}
"""By `ErrorReason` without its prefix; a test holds it to the contract."""

_BY_CREDENTIAL: Final[Mapping[tuple[str, Sent], str]] = {
    ("CREDENTIALS_INVALID", Sent.JWT): (
        "get a JWT for this service from its identity provider; an ADMIN makes the user that it "
        "names."
    ),
    ("CREDENTIALS_EXPIRED", Sent.JWT): "get another JWT from the identity provider.",
    ("CREDENTIALS_INVALID", Sent.CERTIFICATE): (
        "use the certificate of a user, have an ADMIN make the one that it names, or give a token."
    ),
}
"""What to do about a credential that is not an access token."""

_BY_CLASS: Final[tuple[tuple[type[DataError], str], ...]] = (
    (
        NetworkError,
        "look at whether a server runs there, and whether it wants TLS; symphony profile list "
        "shows which is asked.",
    ),
    (DeadlineExceeded, "look at whether it was done before trying again."),
    (OperationNotSupported, "the server may be older than this command: symphony info"),
    (ServerError, NEXT_STEPS["INTERNAL"]),
    (SerializationError, "the server may have another contract than this command: symphony info"),
)


def next_step(error: DataError, credential: Sent = Sent.ACCESS_TOKEN) -> str:
    """What a person can do about it, in one sentence; nothing if there is nothing to say."""
    said = _BY_CREDENTIAL.get((error.reason, credential)) or NEXT_STEPS.get(error.reason, "")
    if not said:
        said = next((words for kind, words in _BY_CLASS if isinstance(error, kind)), "")
    if error.reason == "CREDENTIALS_MISSING" and Path("symphony.token").exists():
        return "give --token-file symphony.token, which lies here."
    if error.retry_after is not None and error.retry_after.total_seconds() > 0:
        return f"try again in {error.retry_after.total_seconds():.1f} s."
    return said
