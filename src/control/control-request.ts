import type { IncomingMessage } from "node:http";
import {
  BODY_BYTES_MAX,
  BYTES_TYPE,
  DATA_BYTES_MAX,
  JSON_TYPE,
  OperationError,
} from "./protocol.ts";

const PATH = /^\/v1\/([a-z]+\/[a-z]+)$/;

/** What a request asks for. */
export interface ControlRequest {
  /** Perhaps no operation's. */
  readonly name: string;
  readonly body: unknown;
  readonly payload: Uint8Array;
}

const NO_PAYLOAD = new Uint8Array(0);

/**
 * Reads a request: arguments as JSON, or, with a payload of bytes, in the query.
 *
 * @throws {OperationError} invalid, missing
 */
export async function readRequest(request: IncomingMessage): Promise<ControlRequest> {
  const { method = "", url = "" } = request;
  const { pathname, searchParams } = parseUrl(url);
  const name = PATH.exec(pathname)?.[1];
  if (name === undefined) {
    throw new OperationError("missing", "operations are at /v1/<noun>/<verb>");
  }
  if (method !== "POST") throw new OperationError("invalid", "operations are called by POST");
  const type = request.headers["content-type"] ?? JSON_TYPE;
  if (type === BYTES_TYPE) {
    const payload = await readBody(request, DATA_BYTES_MAX);
    return { name, body: argumentsOf(searchParams), payload };
  }
  if (type !== JSON_TYPE) {
    throw new OperationError("invalid", `arguments come as ${JSON_TYPE}`);
  }
  const text = (await readBody(request, BODY_BYTES_MAX)).toString("utf8");
  return { name, body: parseJson(text), payload: NO_PAYLOAD };
}

function parseUrl(url: string): URL {
  try {
    return new URL(url, "http://control");
  } catch (error) {
    throw new OperationError("invalid", "the request has no path", error);
  }
}

/** Numbers as such: no name of a pool or volume is asked for beside them that would suffer from it. */
function argumentsOf(parameters: URLSearchParams): Readonly<Record<string, unknown>> {
  const values: Record<string, unknown> = {};
  for (const [key, value] of parameters) {
    values[key] = key.endsWith("Bytes") && /^\d{1,16}$/.test(value) ? Number(value) : value;
  }
  return values;
}

function parseJson(text: string): unknown {
  if (text === "") return {};
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new OperationError("invalid", "the arguments are not JSON", error);
  }
}

async function readBody(request: IncomingMessage, bytesMax: number): Promise<Buffer> {
  const declared = Number(request.headers["content-length"] ?? 0);
  const tooLong = new OperationError("invalid", `the body has more than ${bytesMax} bytes`);
  if (declared > bytesMax) throw tooLong;
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > bytesMax) throw tooLong;
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof OperationError) throw error;
    throw new OperationError("invalid", "the request ended before it was complete", error);
  }
  return Buffer.concat(chunks);
}
