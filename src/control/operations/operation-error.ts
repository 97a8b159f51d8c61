import { PoolError } from "../../thin/pool-error.ts";
import { IoError } from "../../util/io-error.ts";
import { VolumeError } from "../../volume/volume-driver.ts";
import { type ErrorKind, OperationError } from "../protocol.ts";
import { StartError } from "../start-error.ts";

function kindOf(error: IoError): ErrorKind {
  switch (error.kind) {
    case "space":
    case "space-pending":
      return "space";
    case "range":
    case "read-only":
      return "invalid";
    case "gone":
      return "missing";
    case "unsupported":
    case "failed":
      return error.kind;
    case "medium":
    case "miscompare":
      return "io";
  }
}

/** What kept a part of the daemon from starting: what its own error says, or that it failed. */
function causeOf({ cause }: StartError): ErrorKind {
  if (cause === undefined) return "failed";
  const { kind } = operationErrorOf(cause);
  return kind === "internal" ? "failed" : kind;
}

/** What an error means to whoever asked for an operation: the one mapping. What is not foreseen is a defect. */
export function operationErrorOf(error: unknown): OperationError {
  if (error instanceof OperationError) return error;
  if (error instanceof PoolError) return new OperationError(error.kind, error.message, error);
  if (error instanceof IoError) return new OperationError(kindOf(error), error.message, error);
  if (error instanceof VolumeError) return new OperationError(error.kind, error.message, error);
  if (error instanceof StartError) return new OperationError(causeOf(error), error.message, error);
  const reason = error instanceof Error ? error.message : String(error);
  return new OperationError("internal", `a defect of the program: ${reason}`, error);
}
