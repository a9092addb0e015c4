"""What the contract lets anyone work out from a resource alone: pure functions of messages.

No calls, no clock, no settings here, and nothing is refused: what is valid, the server says.
"""

from symphony_client.rules.cost import calculate_workflow_cost, estimate_execution_time
from symphony_client.rules.optimize import optimize_workflow_steps
from symphony_client.rules.permissions import UserPermissions, calculate_user_permissions
from symphony_client.rules.stages import parallel_stages
from symphony_client.rules.tier import determine_user_tier

__all__ = [
    "UserPermissions",
    "calculate_user_permissions",
    "calculate_workflow_cost",
    "determine_user_tier",
    "estimate_execution_time",
    "optimize_workflow_steps",
    "parallel_stages",
]
