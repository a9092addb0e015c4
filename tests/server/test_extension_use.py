"""Steps use extensions of their project that are there and enabled."""

from __future__ import annotations

from symphony.v1.execution_service_pb2 import StartExecutionRequest
from symphony.v1.extension_service_pb2 import GetExtensionRequest, UninstallExtensionRequest
from symphony.v1.project_pb2 import ProjectConstraints
from symphony.v1.project_service_pb2 import DeleteProjectRequest
from symphony.v1.transaction_pb2 import Precondition, TransactionOperation
from symphony.v1.transaction_service_pb2 import ExecuteTransactionRequest
from symphony.v1.workflow_service_pb2 import DeleteWorkflowRequest
from symphony_server.ids import new_id
from tests.server.extension_requests import DISABLED, ENABLED, change, install, manifest, names, new
from tests.server.world import World, spec, step


def test_steps_may_use_what_is_enabled(world: World) -> None:
    owner = world.user()
    project = world.project(owner)
    extension = install(owner, project)
    using = spec("uses it", step("a", extension_id=extension.id))
    workflow = world.workflow(owner, project, spec=using)

    disabled = owner.get(owner.extensions.UpdateExtension, change(extension, state=DISABLED))
    assert (disabled.state, disabled.name) == (DISABLED, extension.name)
    again = spec("uses it too", step("a", extension_id=extension.id))
    refusal = owner.refused(
        owner.workflows.CreateWorkflow, world.new_workflow(project.id, spec=again)
    )
    assert refusal.reason == "EXTENSION_NOT_INSTALLED"
    run = owner.refused(
        owner.executions.StartExecution, StartExecutionRequest(workflow_id=workflow.id)
    )
    assert run.reason == "EXTENSION_NOT_INSTALLED"

    owner.get(owner.extensions.UpdateExtension, change(extension, state=ENABLED))
    world.workflow(owner, project, spec=again)
    owner.get(owner.executions.StartExecution, StartExecutionRequest(workflow_id=workflow.id))


def test_a_project_allows_only_the_extensions_that_it_names(world: World) -> None:
    owner = world.user()
    allowed_id = new_id("extension")
    project = world.project(
        owner, constraints=ProjectConstraints(allowed_extension_ids=[allowed_id])
    )
    other = install(owner, project, manifest("other-tool"))
    owner.get(owner.extensions.InstallExtension, new(project, extension_id=allowed_id))
    world.workflow(owner, project, spec=spec("A", step("a", extension_id=allowed_id)))
    refusal = owner.refused(
        owner.workflows.CreateWorkflow,
        world.new_workflow(project.id, spec=spec("B", step("a", extension_id=other.id))),
    )
    assert refusal.reason == "PROJECT_EXTENSION_NOT_ALLOWED"


def test_only_what_no_workflow_uses_is_uninstalled(world: World) -> None:
    owner = world.user()
    project = world.project(owner)
    extension = install(owner, project)
    workflow = world.workflow(owner, project, spec=spec("U", step("a", extension_id=extension.id)))
    uninstall = UninstallExtensionRequest(id=extension.id)

    in_use = owner.refused(owner.extensions.UninstallExtension, uninstall)
    assert (in_use.reason, in_use.metadata["used_by"]) == ("RESOURCE_IN_USE", "workflows")
    keeps = owner.refused(owner.projects.DeleteProject, DeleteProjectRequest(id=project.id))
    assert keeps.reason == "RESOURCE_IN_USE"
    owner.get(owner.workflows.DeleteWorkflow, DeleteWorkflowRequest(id=workflow.id))
    assert (
        owner.refused(owner.projects.DeleteProject, DeleteProjectRequest(id=project.id)).reason
        == "RESOURCE_IN_USE"
    )
    stale = UninstallExtensionRequest(id=extension.id, etag="older")
    assert owner.refused(owner.extensions.UninstallExtension, stale).reason == "ETAG_MISMATCH"
    owner.get(owner.extensions.UninstallExtension, uninstall)
    gone = owner.refused(owner.extensions.GetExtension, GetExtensionRequest(id=extension.id))
    assert gone.reason == "RESOURCE_NOT_FOUND"
    install(owner, project)


def test_a_transaction_installs_and_uses(world: World) -> None:
    owner = world.user()
    project = world.project(owner)
    old = install(owner, project, manifest("old-tool"))
    made = new_id("extension")
    answer = owner.get(
        owner.transactions.ExecuteTransaction,
        ExecuteTransactionRequest(
            preconditions=[Precondition(resource_id=old.id, etag=old.etag)],
            operations=[
                TransactionOperation(install_extension=new(project, extension_id=made)),
                TransactionOperation(
                    create_workflow=world.new_workflow(
                        project.id, spec=spec("W", step("a", extension_id=made))
                    )
                ),
                TransactionOperation(update_extension=change(old, state=DISABLED)),
                TransactionOperation(uninstall_extension=UninstallExtensionRequest(id=old.id)),
            ],
        ),
    )
    kinds = [result.WhichOneof("result") for result in answer.results]
    assert kinds == ["extension", "workflow", "extension", "empty"]
    assert names(owner, project_id=project.id) == ["word-count"]
