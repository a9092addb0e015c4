"""What would have to change, for each reason of a refusal, in plain words.

A recorded decision names reasons only, never what was sent; this is what ExplainDecision
says beside them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

REMEDIES: Final[Mapping[str, str]] = {
    "FIELD_INVALID": "send a request that keeps to the contract's rules",
    "UPDATE_MASK_INVALID": "name only fields in update_mask that a client may change",
    "PAGE_TOKEN_INVALID": "list from the first page again",
    "STEP_NAME_DUPLICATE": "give every step a name of its own",
    "STEP_DEPENDENCY_UNKNOWN": "name only steps of the workflow in depends_on",
    "STEP_DEPENDENCY_SELF": "remove the step from its own depends_on",
    "STEP_DEPENDENCY_CYCLE": "remove one dependency of the circle",
    "ESTIMATE_BELOW_CRITICAL_PATH": "declare at least the critical path, or nothing",
    "MANIFEST_MALFORMED": "send a manifest that parses",
    "MANIFEST_INVALID": "correct the manifest's keys",
    "CREDENTIALS_MISSING": "send the metadata 'authorization: Bearer <token>'",
    "CREDENTIALS_INVALID": "use a credential that is known and not revoked",
    "CREDENTIALS_EXPIRED": "use a credential that has not ended",
    "ROLE_REQUIRED": "have an ADMIN give the user one of the roles that the rule names",
    "PROJECT_ACCESS_REQUIRED": "have an OWNER of the project make the user COLLABORATOR or OWNER",
    "OWNER_REQUIRED": "have the owner do it, or be made an owner",
    "RESOURCE_ACCESS_REQUIRED": "have the owner share it, and be COLLABORATOR of its project",
    "ACT_AS_NOT_ALLOWED": "call with a credential of a SERVICE or an ADMIN",
    "TOKEN_SCOPE_REQUIRED": "call with a token whose scopes cover the permission",
    "USER_SUSPENDED": "have an ADMIN make the user ACTIVE",
    "RESOURCE_NOT_FOUND": "name a resource that exists and that the user may read",
    "DUPLICATE_NAME": "choose another name",
    "EMAIL_TAKEN": "choose another address",
    "ID_TAKEN": "choose another id, or none",
    "REQUEST_ID_REUSED": "send a new request_id",
    "ALREADY_MEMBER": "change the member's role instead",
    "TIER_STEP_LIMIT": "use fewer steps, or have an ADMIN raise the user's tier",
    "TIER_DURATION_LIMIT": "plan for less time, or have an ADMIN raise the user's tier",
    "PROJECT_STEP_LIMIT": "use fewer steps, or have an OWNER change the project's constraints",
    "PROJECT_DURATION_LIMIT": "plan for less time, or have an OWNER change the constraints",
    "PROJECT_EXTENSION_NOT_ALLOWED": "use an extension that the project's constraints list",
    "EXTENSION_NOT_INSTALLED": "install or enable the extension in the project",
    "SCAN_REJECTED": "mend what the scan found in the manifest",
    "RESOURCE_IN_USE": "remove what uses it first",
    "STATE_TRANSITION_INVALID": "do what the state allows",
    "PRECONDITION_FAILED": "read the resource again and repeat the transaction",
    "LAST_OWNER": "make another OWNER first",
    "TIER_WORKFLOW_LIMIT": "delete a workflow, or have an ADMIN raise the user's tier",
    "TIER_EXTENSION_LIMIT": "uninstall an extension, or have an ADMIN raise the user's tier",
    "PROJECT_WORKFLOW_LIMIT": "delete a workflow, or have an OWNER change the constraints",
    "RATE_LIMITED": "call less often",
    "ETAG_MISMATCH": "read the resource again and repeat the change",
    "REVISION_COMPACTED": "read the resources afresh and watch from now",
    "OVERLOADED": "try again later",
    "STORE_UNAVAILABLE": "try again with the same request_id",
    "SHUTTING_DOWN": "try again",
    "INTERNAL": "look into the server's log beside the request id",
}
