"""The Python client of the Symphony data layer: the generated stubs on a channel that takes care.

    from symphony.v1 import workflow_service_pb2, workflow_service_pb2_grpc
    from symphony_client import connect, raising_data_errors

    with connect("localhost:50051", token=token) as channel, raising_data_errors():
        workflows = workflow_service_pb2_grpc.WorkflowServiceStub(channel)
        print(workflows.GetWorkflow(workflow_service_pb2.GetWorkflowRequest(id=workflow_id)))

Every call gets the credentials and a deadline, every write a `request_id`, so that it is retried
without a second effect; a request that breaks the contract's rules is refused before it is sent.
`symphony_client.aio.connect` gives the same for asyncio. `symphony_client.errors` draws the errors.
"""

from symphony_client import aio
from symphony_client.channel import connect
from symphony_client.errors import DataError, raising_data_errors, to_data_error

__all__ = ["DataError", "aio", "connect", "raising_data_errors", "to_data_error"]
