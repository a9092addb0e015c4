"""Refusing hopeless requests before they cost a call: what the contract says, and little else.

No look-ups, no permissions, no graphs here; whatever is refused here the server refuses too.
"""

from symphony_client.prevalidation.contract_rules import ContractRules
from symphony_client.prevalidation.extension_pre_validator import ExtensionPreValidator
from symphony_client.prevalidation.manifest_file import ManifestFile, read_manifest_file
from symphony_client.prevalidation.pre_validator import PreValidator
from symphony_client.prevalidation.project_pre_validator import ProjectPreValidator
from symphony_client.prevalidation.stats import RequestStats, Stats, stats
from symphony_client.prevalidation.switch import is_switched_on, unless_switched_off
from symphony_client.prevalidation.user_pre_validator import UserPreValidator
from symphony_client.prevalidation.workflow_pre_validator import WorkflowPreValidator

__all__ = [
    "ContractRules",
    "ExtensionPreValidator",
    "ManifestFile",
    "PreValidator",
    "ProjectPreValidator",
    "RequestStats",
    "Stats",
    "UserPreValidator",
    "WorkflowPreValidator",
    "is_switched_on",
    "read_manifest_file",
    "stats",
    "unless_switched_off",
]
