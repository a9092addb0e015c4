"""Requests about extensions, and the files that their manifests lie in, before they are sent."""

from __future__ import annotations

from pathlib import Path
from typing import TypeAlias

from google.protobuf.message import Message

from symphony.v1.extension_service_pb2 import (
    GetExtensionRequest,
    InstallExtensionRequest,
    ListExtensionsRequest,
    UninstallExtensionRequest,
    UpdateExtensionRequest,
)
from symphony_client.errors import PreValidationFailed, Violation
from symphony_client.prevalidation.contract_rules import ContractRules
from symphony_client.prevalidation.manifest_file import FIELD, read_manifest_file
from symphony_client.prevalidation.manifest_text import MALFORMED, what_is_malformed
from symphony_client.prevalidation.pre_validator import PreValidator

ExtensionRequest: TypeAlias = (
    InstallExtensionRequest
    | GetExtensionRequest
    | UpdateExtensionRequest
    | UninstallExtensionRequest
    | ListExtensionsRequest
)
"""What ExtensionService takes."""


class ExtensionPreValidator:
    """A `PreValidator` of what is asked of extensions, and of the file that a manifest lies in.

    What is installed must have a manifest that can be read as JSON or TOML. What it says, and
    whether it is safe, is the server's to judge. Who needs the text of a file takes it from
    `read_manifest_file`, which refuses the same and reads it once.
    """

    def __init__(self, rules: PreValidator[Message] | None = None) -> None:
        """Judge by `rules`, by default those of the contract."""
        self._rules = rules or ContractRules()

    def should_attempt_request(self, request: ExtensionRequest | Path) -> None:
        """Returns if the request may be sent, or one be made of the manifest's file.

        Raises:
            PreValidationFailed: the server would refuse it; with all that is wrong. Of a manifest
                that breaks no rule of the contract and cannot be read, the field `manifest` and
                the rule `MANIFEST_MALFORMED`.
        """
        if isinstance(request, Path):
            read_manifest_file(request)
            return
        self._rules.should_attempt_request(request)
        if isinstance(request, InstallExtensionRequest):
            problem = what_is_malformed(request.manifest, request.manifest_format)
            if problem:
                said = f"the manifest cannot be read: {problem}"
                raise PreValidationFailed(
                    [Violation(field=FIELD, rule=MALFORMED, description=said)]
                )
