"""What an application does with the data layer, one file an action, one call to the server each.

Pre-validation and domain rules come before the call; permissions and business rules are the
server's, and nothing of them is repeated here.
"""

from symphony_client.use_cases.create_workflow import CreateWorkflowUseCase
from symphony_client.use_cases.execute_workflow import ExecuteWorkflowUseCase
from symphony_client.use_cases.install_extension import InstallExtensionUseCase
from symphony_client.use_cases.register_user import RegisterUserUseCase
from symphony_client.use_cases.save_project import SaveProjectUseCase

__all__ = [
    "CreateWorkflowUseCase",
    "ExecuteWorkflowUseCase",
    "InstallExtensionUseCase",
    "RegisterUserUseCase",
    "SaveProjectUseCase",
]
