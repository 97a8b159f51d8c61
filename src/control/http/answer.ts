import type { FastifyReply } from "fastify";
import type { OutgoingHttpHeaders } from "node:http";
import {
  BYTES_TYPE,
  JSON_TYPE,
  LINES_TYPE,
  type OperationError,
  PROBLEM_TYPE,
  type Progress,
} from "../protocol.ts";
import { problemOf, RefusedRequest } from "./problem.ts";

/** One answer: a JSON document, bytes, or, where the client wants progress, lines of JSON. */
export class Answer {
  readonly #reply: FastifyReply;
  readonly #wantsLines: boolean;

  constructor(reply: FastifyReply, wantsLines: boolean) {
    this.#reply = reply;
    this.#wantsLines = wantsLines;
  }

  progress(progress: Progress): void {
    this.#line({ progress });
  }

  result(value: unknown): void {
    if (this.#wantsLines) this.#lastLine({ result: value });
    else if (value instanceof Uint8Array) this.#end(200, BYTES_TYPE, value);
    else this.#end(200, JSON_TYPE, JSON.stringify(value));
  }

  /** It will be done; `location`: where to ask how far it is. */
  accepted(value: object, location: string): void {
    this.#reply.headers({ location, "preference-applied": "respond-async" });
    this.#end(202, JSON_TYPE, JSON.stringify(value));
  }

  error(error: OperationError): void {
    if (this.#wantsLines && this.#reply.raw.headersSent) {
      this.#lastLine({ error: problemOf(error) });
    } else sendProblem(this.#reply, error);
  }

  #line(value: object): void {
    if (!this.#wantsLines) return;
    const { raw } = this.#reply;
    if (!raw.headersSent) {
      this.#reply.hijack();
      // Whoever does not wait for the answer does not get it.
      raw.on("error", () => undefined);
      const headers = this.#reply.getHeaders() as OutgoingHttpHeaders;
      raw.writeHead(200, { ...headers, "content-type": LINES_TYPE });
    }
    raw.write(`${JSON.stringify(value)}\n`);
  }

  #lastLine(value: object): void {
    this.#line(value);
    this.#reply.raw.end();
  }

  #end(status: number, type: string, content: string | Uint8Array): void {
    const bytes = typeof content === "string" ? Buffer.from(content) : content;
    void this.#reply.code(status).header("content-type", type).send(bytes);
  }
}

export function sendProblem(reply: FastifyReply, error: OperationError): void {
  const problem = problemOf(error);
  if (error instanceof RefusedRequest) reply.headers(error.headers);
  // What was not read of the request must not be taken for the next one, and is not read either.
  const { raw: request } = reply.request;
  if (!request.complete) {
    reply.header("connection", "close");
    reply.raw.once("finish", () => request.destroy());
  }
  void reply
    .code(problem.status)
    .header("content-type", PROBLEM_TYPE)
    .send(Buffer.from(JSON.stringify(problem)));
}
