import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { operationErrorOf } from "../operations/operation-error.ts";
import type { Operation, OperationContext, UncheckedRequest } from "../operations/operation.ts";
import { OPERATION_NAMES, OPERATIONS, perform } from "../operations/table.ts";
import {
  BODY_BYTES_MAX,
  BYTES_TYPE,
  DATA_BYTES_MAX,
  type JobReport,
  LINES_TYPE,
  type OperationName,
  type Progress,
} from "../protocol.ts";
import type { Jobs } from "../jobs.ts";
import { Answer } from "./answer.ts";
import { type Caller, mustHaveRole } from "./caller.ts";
import type { EventLog } from "./event-log.ts";
import type { Idempotency } from "./idempotency.ts";
import { RefusedRequest } from "./problem.ts";
import { argumentsOfJson, argumentsOfQuery } from "./request-arguments.ts";

const NO_PAYLOAD = new Uint8Array(0);

/** RFC 7240: whoever asks does not wait. */
const RESPOND_ASYNC = /(^|,)\s*respond-async\s*(;|,|$)/i;

/** What all requests share, whichever way they come. */
export interface OperationParts {
  readonly context: OperationContext;
  readonly jobs: Jobs;
  readonly idempotency: Idempotency;
  readonly events: EventLog;
  /** Called around each operation, so that the daemon can wait for those that run. */
  readonly running: { began(): void; ended(): void };
}

/** Who asks, as the hook before has found. */
export type CallerOf = (request: FastifyRequest) => Caller;

/** A route for each operation: POST, and GET for those that change nothing. */
export function addOperationRoutes(
  app: FastifyInstance,
  parts: OperationParts,
  callerOf: CallerOf,
): void {
  for (const name of OPERATION_NAMES) {
    const operation = OPERATIONS[name];
    const { isReading = false, takesPayload = false, role } = operation;
    app.route({
      method: isReading ? ["GET", "POST"] : ["POST"],
      url: `/v1/${name}`,
      bodyLimit: takesPayload ? DATA_BYTES_MAX : (operation.bodyBytesMax ?? BODY_BYTES_MAX),
      preParsing: async (request, _reply, payload) => {
        mustHaveRole(callerOf(request), role);
        return Promise.resolve(payload);
      },
      handler: async (request, reply) => {
        parts.running.began();
        try {
          await serve(new Request(parts, name, request, callerOf(request)), reply);
        } finally {
          parts.running.ended();
        }
        return reply;
      },
    });
  }
}

interface Done {
  readonly value: unknown;
  /** Where the operation goes on by itself. */
  readonly job: JobReport | null;
}

async function serve(request: Request, reply: FastifyReply): Promise<void> {
  const answer = new Answer(reply, request.wantsLines);
  try {
    const { result, isReplay } = await request.run((progress) => answer.progress(progress));
    if (isReplay) reply.header("idempotency-replayed", "true");
    if (result.job === null) answer.result(result.value);
    else answer.accepted(result.job, `/v1/job/show?id=${result.job.id}`);
  } catch (error) {
    const failure = operationErrorOf(error);
    if (failure.kind === "internal") request.log(error);
    answer.error(failure);
  }
}

interface Asked {
  readonly body: unknown;
  readonly payload: Uint8Array;
  readonly progress: (progress: Progress) => void;
}

/** One request for an operation. */
class Request {
  readonly #parts: OperationParts;
  readonly #name: OperationName;
  readonly #operation: Operation<OperationName>;
  readonly #request: FastifyRequest;
  readonly #caller: Caller;

  constructor(parts: OperationParts, name: OperationName, request: FastifyRequest, caller: Caller) {
    this.#parts = parts;
    this.#name = name;
    this.#operation = OPERATIONS[name] as unknown as Operation<OperationName>;
    this.#request = request;
    this.#caller = caller;
  }

  get wantsLines(): boolean {
    return this.#request.headers.accept === LINES_TYPE;
  }

  log(error: unknown): void {
    const operation = this.#name;
    this.#parts.context.log.error({ error, operation }, "an operation ran into a defect");
  }

  /** Does it, begins it, or finds that it was done. */
  async run(
    onProgress: (progress: Progress) => void,
  ): Promise<{ readonly result: Done; readonly isReplay: boolean }> {
    const { body, payload } = this.#arguments();
    const action = (forget?: () => void): Promise<Done> =>
      this.#start({ body, payload, progress: onProgress }, forget);
    const key = this.#request.headers["idempotency-key"];
    if (key === undefined || this.#operation.isReading === true) {
      return { result: await action(), isReplay: false };
    }
    const caller = this.#caller.name;
    const operation = this.#name;
    return this.#parts.idempotency.once(
      { caller, key: String(key), operation, body, payload },
      action,
    );
  }

  #arguments(): { readonly body: unknown; readonly payload: Uint8Array } {
    const { takesPayload = false, arguments: schema } = this.#operation;
    const content = this.#request.body instanceof Uint8Array ? this.#request.body : NO_PAYLOAD;
    const isBytes = this.#request.headers["content-type"] === BYTES_TYPE;
    if (isBytes !== takesPayload) {
      throw new RefusedRequest(
        415,
        "invalid",
        takesPayload
          ? `${this.#name} takes ${BYTES_TYPE}, and its arguments in the query`
          : `${this.#name} takes its arguments as JSON, not ${BYTES_TYPE}`,
      );
    }
    const inQuery = argumentsOfQuery(this.#request.query as URLSearchParams, schema);
    if (takesPayload) return { body: inQuery, payload: content };
    if (this.#request.method === "GET") return { body: inQuery, payload: NO_PAYLOAD };
    if (Object.keys(inQuery).length > 0) {
      throw new RefusedRequest(400, "invalid", "by POST, arguments come in the body");
    }
    return { body: argumentsOfJson(content), payload: NO_PAYLOAD };
  }

  async #start(
    { body, payload, progress }: Asked,
    forget: () => void = () => undefined,
  ): Promise<Done> {
    const { isLong = false, whyNoStop = null } = this.#operation;
    const { jobs } = this.#parts;
    const by = this.#caller.name;
    // What an operation logs says on whose behalf it was done.
    const context = { ...this.#parts.context, log: this.#parts.context.log.child({ by }) };
    const request = { context, body, payload, by };
    const isJob = isLong && RESPOND_ASYNC.test(String(this.#request.headers["prefer"] ?? ""));
    if (!isJob) return { value: await this.#perform({ ...request, progress }), job: null };
    const job = jobs.start({ operation: this.#name, by, whyNoStop }, async (control) => {
      this.#parts.running.began();
      try {
        return await this.#perform({ ...request, ...control });
      } catch (error) {
        forget();
        throw error;
      } finally {
        this.#parts.running.ended();
      }
    });
    return { value: null, job };
  }

  async #perform(request: UncheckedRequest): Promise<unknown> {
    const value = await perform(this.#name, request);
    const { isReading = false, takesPayload = false } = this.#operation;
    if (!isReading && !takesPayload) {
      this.#parts.events.publish("operation", { operation: this.#name, by: this.#caller.name });
    }
    return value;
  }
}
