import { STATUS_CODES } from "node:http";
import { type ErrorKind, OperationError, type Problem } from "../protocol.ts";

/** HTTP has numbers for what went wrong; a request may be refused with another one of its own. */
const STATUS_OF_KIND: Readonly<Record<ErrorKind, number>> = {
  invalid: 400,
  denied: 403,
  missing: 404,
  exists: 409,
  busy: 409,
  foreign: 409,
  space: 507,
  unsupported: 501,
  corrupt: 500,
  failed: 500,
  io: 500,
  internal: 500,
};

/** What is refused before it reaches an operation, by a status of HTTP's own. */
export class RefusedRequest extends OperationError {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    kind: ErrorKind,
    message: string,
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(kind, message);
    this.status = status;
    this.headers = headers;
  }
}

/** The problem document (RFC 9457) of an error: its type is HTTP's own, and `kind` is ours. */
export function problemOf(error: OperationError): Problem {
  const status = error instanceof RefusedRequest ? error.status : STATUS_OF_KIND[error.kind];
  const title = STATUS_CODES[status] ?? "Error";
  return { type: "about:blank", title, status, detail: error.message, kind: error.kind };
}
