"""Refusing hopeless requests before they cost a call: what the contract says, and nothing else.

No look-ups, no permissions, no graphs here; whatever is refused here the server refuses too.
"""

from symphony_client.prevalidation.contract_rules import ContractRules
from symphony_client.prevalidation.pre_validator import PreValidator
from symphony_client.prevalidation.stats import RequestStats, Stats, stats
from symphony_client.prevalidation.switch import is_switched_on

__all__ = ["ContractRules", "PreValidator", "RequestStats", "Stats", "is_switched_on", "stats"]
