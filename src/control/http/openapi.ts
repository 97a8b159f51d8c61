import type { Operation } from "../operations/operation.ts";
import { OPERATION_NAMES, OPERATIONS } from "../operations/table.ts";
import {
  BYTES_TYPE,
  JSON_TYPE,
  LINES_TYPE,
  type OperationName,
  PROBLEM_TYPE,
} from "../protocol.ts";
import { JOB_EVENT, JOB_REPORT } from "../schemas/job.ts";
import { PROBLEM } from "../schemas/problem.ts";

type Json = Readonly<Record<string, unknown>>;

/** The version of what is described: it changes when something of it does that a caller may rely on. */
const API_VERSION = "1.0.0";

/** Schemas with a title are told once. */
class Components {
  readonly #schemas = new Map<string, Json>();

  get schemas(): Json {
    return Object.fromEntries(this.#schemas);
  }

  /** The schema, or where it is told. */
  use(schema: Json): Json {
    const { title } = schema;
    if (typeof title !== "string") return this.#within(schema);
    if (!this.#schemas.has(title)) {
      this.#schemas.set(title, {});
      this.#schemas.set(title, this.#within(schema));
    }
    return { $ref: `#/components/schemas/${title}` };
  }

  #within(schema: Json): Json {
    const { properties, items, anyOf, additionalProperties: others } = schema;
    return {
      ...schema,
      ...(isJson(properties) ? { properties: this.#each(properties) } : {}),
      ...(isJson(items) ? { items: this.use(items) } : {}),
      ...(Array.isArray(anyOf) ? { anyOf: anyOf.map((one: Json) => this.use(one)) } : {}),
      ...(isJson(others) ? { additionalProperties: this.use(others) } : {}),
    };
  }

  #each(schemas: Json): Json {
    return Object.fromEntries(
      Object.entries(schemas).map(([name, schema]) => [name, this.use(schema as Json)]),
    );
  }
}

function isJson(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Everything that is served, as an OpenAPI 3.1 document: from the table of operations, so that it is true. */
export function openApiDocument(): Json {
  const components = new Components();
  const paths = OPERATION_NAMES.map((name) => [
    `/v1/${name}`,
    // The fields of the table's entries have all types that there are; here it matters only that they are schemas.
    pathOf(name, OPERATIONS[name] as unknown as Operation<OperationName>, components),
  ]);
  const problem = components.use(PROBLEM);
  components.use(JOB_EVENT);
  return {
    openapi: "3.1.0",
    info: {
      title: "thinlun",
      version: API_VERSION,
      description: "The operations of a thinlun daemon. All sizes are in bytes.",
    },
    servers: [{ url: "/" }],
    security: [{}, { token: [] }],
    tags: [...new Set(OPERATION_NAMES.map(nounOf))].map((name) => ({ name })),
    paths: { ...Object.fromEntries(paths), ...otherPaths() },
    components: {
      schemas: components.schemas,
      responses: {
        Problem: {
          description: "It was refused, or failed",
          content: { [PROBLEM_TYPE]: { schema: problem } },
        },
      },
      securitySchemes: {
        token: { type: "http", scheme: "bearer", description: "Over TCP; the socket needs none" },
      },
    },
  };
}

function nounOf(name: string): string {
  return name.slice(0, name.indexOf("/"));
}

function pathOf(name: string, operation: Operation<OperationName>, components: Components): Json {
  const { isReading = false, takesPayload = false } = operation;
  const schema = components.use(operation.arguments);
  const common = {
    tags: [nounOf(name)],
    summary: operation.summary,
    description: `Takes the role "${operation.role}".`,
    responses: responsesOf(operation, components),
  };
  const post = {
    ...common,
    operationId: name.replace("/", "-"),
    parameters: [
      ...(takesPayload ? queryOf(operation.arguments, components) : []),
      ...(isReading ? [] : [IDEMPOTENCY_KEY]),
      ...(operation.isLong === true ? [PREFER] : []),
    ],
    requestBody: {
      required: true,
      content: takesPayload ? { [BYTES_TYPE]: {} } : { [JSON_TYPE]: { schema } },
    },
  };
  if (!isReading) return { post };
  const get = {
    ...common,
    operationId: `${name.replace("/", "-")}-by-get`,
    parameters: queryOf(operation.arguments, components),
  };
  return { get, post };
}

const IDEMPOTENCY_KEY: Json = {
  name: "Idempotency-Key",
  in: "header",
  description:
    "Requests with the same key and arguments are done once, as long as the daemon runs and for an hour",
  schema: { type: "string", minLength: 1, maxLength: 128 },
};

const PREFER: Json = {
  name: "Prefer",
  in: "header",
  description: "respond-async: the answer is a job, at once",
  schema: { type: "string" },
};

function queryOf(schema: Json, components: Components): readonly Json[] {
  const required = schema["required"] as readonly string[];
  return Object.entries(schema["properties"] as Json).map(([name, field]) => ({
    name,
    in: "query",
    required: required.includes(name),
    schema: components.use(field as Json),
  }));
}

function responsesOf(operation: Operation<OperationName>, components: Components): Json {
  const { repliesBytes = false, isLong = false, isReading = false } = operation;
  const reply = components.use(operation.reply);
  const content = repliesBytes
    ? { [BYTES_TYPE]: {} }
    : {
        [JSON_TYPE]: { schema: reply },
        ...(isLong ? { [LINES_TYPE]: { schema: { type: "string", description: LINES } } } : {}),
      };
  const headers = isReading
    ? {}
    : {
        headers: {
          "Idempotency-Replayed": {
            description: "true: it was done for an earlier request",
            schema: { type: "string" },
          },
        },
      };
  const job = components.use(JOB_REPORT);
  return {
    "200": { description: "It was done", ...headers, content },
    ...(isLong
      ? { "202": { description: "It has begun", content: { [JSON_TYPE]: { schema: job } } } }
      : {}),
    default: { $ref: "#/components/responses/Problem" },
  };
}

const LINES =
  'Lines of JSON, asked for by Accept: {"progress": ...}, and at the end {"result": ...} or {"error": ...}';

function otherPaths(): Json {
  const events = {
    operationId: "events",
    summary: "What happens, as server-sent events",
    description:
      'Takes the role "read". With Last-Event-ID what was missed comes first, or the event "gap" where that is not kept any more. ' +
      "The data of each event is JSON. Of the event job it is a JobEvent: a job has begun, ended or passed the point from which it " +
      "cannot be canceled, and while it runs, how far it is, at most once a second. The latter has no id, and is not kept.",
    parameters: [{ name: "Last-Event-ID", in: "header", schema: { type: "string" } }],
    responses: {
      "200": {
        description: "Events until somebody hangs up",
        content: { "text/event-stream": { schema: { type: "string" } } },
      },
      default: { $ref: "#/components/responses/Problem" },
    },
  };
  return {
    "/v1/events": { get: events },
    "/v1/openapi.json": {
      get: {
        operationId: "openapi",
        summary: "This document",
        responses: { "200": { description: "OpenAPI 3.1", content: { [JSON_TYPE]: {} } } },
      },
    },
    "/health/live": { get: health("live", "Whether the daemon lives; 503 where it is stuck") },
    "/health/ready": {
      get: health("ready", "Whether everything that is wanted works; 503 where it does not"),
    },
  };
}

function health(name: string, summary: string): Json {
  const schema = {
    type: "object",
    properties: {
      status: { type: "string" },
      reasons: { type: "array", items: { type: "string" } },
    },
    required: ["status"],
    additionalProperties: false,
  };
  const answer = { description: "How it is", content: { [JSON_TYPE]: { schema } } };
  return {
    operationId: `health-${name}`,
    summary,
    security: [{}, { token: [] }],
    responses: { "200": answer, "503": answer },
  };
}
