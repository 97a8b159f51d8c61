import { expect, it } from "vitest";
import { OperationError } from "../../src/control/protocol.ts";
import { SizeError } from "../../src/util/units.ts";
import { ExitCode, exitCodeOf, UsageError } from "../../src/cli/exit-code.ts";

it.each([
  [new UsageError("x"), ExitCode.usage],
  [new SizeError("x"), ExitCode.usage],
  [new OperationError("invalid", "x"), ExitCode.usage],
  [new OperationError("missing", "x"), ExitCode.failed],
  [new OperationError("internal", "x"), ExitCode.failed],
  [new Error("x"), ExitCode.failed],
  ["x", ExitCode.failed],
])("%s ends with %d", (error, code) => {
  expect(exitCodeOf(error)).toBe(code);
});
