// Calls a server as README.md says; with a folder of vectors, runs those instead.

import { readFileSync } from "node:fs";
import { createValidator } from "@bufbuild/protovalidate";
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { BadRequestSchema, ErrorInfoSchema } from "../gen/google/rpc/error_details_pb.js";
import { ChangeOperation } from "../gen/symphony/v1/change_pb.js";
import { ChangeService } from "../gen/symphony/v1/change_service_pb.js";
import { ProjectService } from "../gen/symphony/v1/project_service_pb.js";
import {
  CreateWorkflowRequestSchema,
  WorkflowService,
} from "../gen/symphony/v1/workflow_service_pb.js";
import { runVectors } from "./vectors.js";

/** Leads to SYMPHONY_SERVER, over TLS if SYMPHONY_TLS_CA says whom to trust. */
function connect(): Transport {
  const server = process.env.SYMPHONY_SERVER ?? "localhost:50051";
  const ca = process.env.SYMPHONY_TLS_CA;
  return createGrpcTransport({
    baseUrl: `${ca ? "https" : "http"}://${server}`,
    nodeOptions: ca ? { ca: readFileSync(ca) } : {},
  });
}

async function quickStart(transport: Transport): Promise<void> {
  // The options of a call carry the token and the deadline.
  const options = {
    headers: { authorization: `Bearer ${process.env.SYMPHONY_TOKEN}` },
    timeoutMs: 30_000,
  };
  const projects = createClient(ProjectService, transport);
  const project = await projects.createProject(
    { name: `From TypeScript ${new Date().toISOString()}` },
    options,
  );
  const request = create(CreateWorkflowRequestSchema, {
    projectId: project.id,
    spec: {
      name: "Build",
      steps: [
        { name: "fetch", command: "git pull" },
        { name: "compile", command: "make", dependsOn: ["fetch"] },
      ],
    },
  });
  const workflows = createClient(WorkflowService, transport);
  const workflow = await workflows.createWorkflow(request, options);
  console.log(workflow.id, workflow.estimatedCost?.computeUnits, "compute units");

  // A refusal has a code, a reason for programs, and the fields that are wrong.
  request.spec!.name = "Circle";
  request.spec!.steps[0]!.dependsOn = ["compile"];
  try {
    await workflows.createWorkflow(request, options);
  } catch (error) {
    const refusal = ConnectError.from(error);
    for (const info of refusal.findDetails(ErrorInfoSchema)) {
      console.log("refused:", Code[refusal.code], info.reason);
    }
    for (const { fieldViolations } of refusal.findDetails(BadRequestSchema)) {
      fieldViolations.forEach(({ field, description }) => console.log(" ", field, description));
    }
  }

  // The contract's rules can be asked without a call.
  request.spec!.name = " ";
  const verdict = createValidator().validate(CreateWorkflowRequestSchema, request);
  console.log("not even sent:", verdict.error?.message);

  // The change feed tells of what happens once its first checkpoint has come.
  const enough = new AbortController();
  const events = createClient(ChangeService, transport)
    .watch({ projectIds: [project.id] }, { headers: options.headers, signal: enough.signal })
    [Symbol.asyncIterator]();
  await events.next();
  await workflows.deleteWorkflow({ id: workflow.id }, options);
  let { event } = (await events.next()).value;
  while (event.case !== "change") ({ event } = (await events.next()).value);
  console.log("saw", ChangeOperation[event.value.operation], event.value.resourceId);
  enough.abort();
}

const [folder] = process.argv.slice(2);
const transport = connect();
if (folder) {
  process.exit(await runVectors(transport, folder));
} else {
  await quickStart(transport);
}
