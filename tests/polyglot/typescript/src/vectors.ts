// Runs the vectors of a folder; the README beside them says what they mean.

import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { createValidator } from "@bufbuild/protovalidate";
import {
  type DescMessage,
  type DescService,
  fromJson,
  type JsonObject,
  type JsonValue,
  type Message,
  toJson,
} from "@bufbuild/protobuf";
import { pathToString } from "@bufbuild/protobuf/reflect";
import {
  type CallOptions,
  Code,
  ConnectError,
  createClient,
  type Transport,
} from "@connectrpc/connect";
import { BadRequestSchema, ErrorInfoSchema } from "../gen/google/rpc/error_details_pb.js";

/** A call of a vector, or a message that a stream is to receive. */
interface Step {
  call?: string;
  as?: string;
  request?: JsonValue;
  timeout_ms?: number;
  stream?: Step[];
  receive?: string;
  expect?: JsonObject;
  save?: Record<string, string>;
}

/** Runs every vector of a folder; returns the exit status. */
export async function runVectors(transport: Transport, folder: string): Promise<number> {
  const tokens = read(process.env.SYMPHONY_TOKENS!) as Record<string, string>;
  const files = readdirSync(folder).filter((name) => name.endsWith(".json"));
  let failed = 0;
  for (const file of files) {
    const vector = new Vector(transport, tokens);
    try {
      const { calls } = read(join(folder, file)) as { calls: Step[] };
      for (const call of calls) await vector.perform(call);
    } catch (error) {
      failed++;
      console.log(`FAIL ${file}:`, error);
    }
  }
  console.log(`${files.length - failed} passed, ${failed} failed`);
  return Math.min(failed, 1);
}

/** A vector being run, with the values that it has saved. */
class Vector {
  readonly #saved = new Map([["unique", `typescript ${process.hrtime.bigint()}`]]);

  constructor(
    readonly transport: Transport,
    readonly tokens: Record<string, string>,
  ) {}

  /** Makes a call and holds what comes of it against what is expected. */
  async perform(call: Step): Promise<void> {
    const [serviceName, methodName] = call.call!.split("/") as [string, string];
    const service = await importService(serviceName);
    const method = service.methods.find(({ name }) => name === methodName)!;
    const client = createClient(service, this.transport) as Record<string, any>;
    const request = fromJson(method.input, this.#fill(call.request!));
    const who = call.as ?? "developer";
    const cancelled = new AbortController();
    const options: CallOptions = {
      headers: who === "nobody" ? {} : { authorization: `Bearer ${this.tokens[who]}` },
      timeoutMs: call.timeout_ms ?? 20_000,
      signal: cancelled.signal,
    };
    const outcome: JsonObject = { code: "OK", prevalidation: brokenRules(method.input, request) };
    try {
      const answer = client[method.localName](request, options);
      if (call.stream) {
        await this.#follow(answer[Symbol.asyncIterator](), method.output, call);
      } else {
        outcome.response = json(method.output, await answer);
      }
    } catch (error) {
      if (!(error instanceof ConnectError)) throw error;
      Object.assign(outcome, explain(error));
    }
    cancelled.abort();
    this.#settle({ code: "OK", prevalidation: [] }, call, outcome);
  }

  /** Receives what is expected, in this order, and makes calls while the stream is open. */
  async #follow(stream: AsyncIterator<Message>, schema: DescMessage, call: Step): Promise<void> {
    for (const step of call.stream!) {
      if (step.call) {
        await this.perform(step);
        continue;
      }
      let event: JsonObject;
      do {
        event = json(schema, (await stream.next()).value);
      } while (event.checkpoint && step.receive !== "checkpoint");
      if (!event[step.receive!]) throw new Error(`received ${JSON.stringify(event)}`);
      this.#settle({}, step, event);
    }
    if (call.expect?.code) await stream.next(); // the end is what is expected
  }

  /** Compares what is expected, path by path, and saves what is to be used again. */
  #settle(usual: JsonObject, step: Step, outcome: JsonObject): void {
    const expected = this.#fill({ ...usual, ...step.expect }) as JsonObject;
    for (const [path, value] of Object.entries(expected)) {
      const actual = at(path, outcome);
      if (!isDeepStrictEqual(actual, value)) {
        const [wanted, got] = [value, actual].map((x) => JSON.stringify(x));
        throw new Error(`${path}: expected ${wanted}, got ${got}: ${JSON.stringify(outcome)}`);
      }
    }
    for (const [name, path] of Object.entries(step.save ?? {})) {
      this.#saved.set(name, String(at(path, outcome)));
    }
  }

  /** Puts what was saved in the place of ${name}. */
  #fill(value: JsonValue): JsonValue {
    const text = JSON.stringify(value);
    return JSON.parse(text.replace(/\$\{(\w+)\}/g, (_, name) => this.#saved.get(name) ?? ""));
  }
}

/** Reads a JSON file and writes out what is to be repeated. */
function read(file: string): unknown {
  const repeat = /\{\s*"\$repeat":\s*(\d+),\s*"item":\s*(\{[^{}]*\})\s*\}/g;
  const repeated = (_: string, times: string, item: string) =>
    `[${Array.from({ length: Number(times) }, (_, i) => item.replaceAll("#", `${i}`))}]`;
  return JSON.parse(readFileSync(file, "utf8").replace(repeat, repeated));
}

/** What is at a path like response.steps.0.name, or null. */
function at(path: string, value: any): JsonValue {
  return path.split(".").reduce((parent, key) => parent?.[key], value) ?? null;
}

/** The code made of workflow_service.proto has WorkflowService, and so on. */
async function importService(fullName: string): Promise<DescService> {
  const name = fullName.split(".").at(-1)!;
  return (await import(`../gen/symphony/v1/${snake(name)}_pb.js`))[name];
}

function snake(name: string): string {
  return name.replace(/(?<=[a-z])(?=[A-Z])/g, "_").toLowerCase();
}

const validator = createValidator();

/** What the contract's own rules say of a request, without a call. */
function brokenRules(schema: DescMessage, request: Message): string[] {
  const { violations = [] } = validator.validate(schema, request);
  return violations.map(({ field, ruleId }) => `${pathToString(field)}: ${ruleId}`).sort();
}

/** The code of a refusal, and what its details say. */
function explain(refusal: ConnectError): JsonObject {
  const explained: JsonObject = { code: snake(Code[refusal.code]!).toUpperCase() };
  for (const { reason, metadata } of refusal.findDetails(ErrorInfoSchema)) {
    Object.assign(explained, { reason, metadata });
  }
  for (const { fieldViolations } of refusal.findDetails(BadRequestSchema)) {
    explained.violations = fieldViolations.map(({ field, reason }) => `${field}: ${reason}`).sort();
  }
  return explained;
}

function json(schema: DescMessage, message: Message): JsonObject {
  return toJson(schema, message, { useProtoFieldName: true }) as JsonObject;
}
