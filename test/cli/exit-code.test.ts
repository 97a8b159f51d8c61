import { expect, it } from "vitest";
import { ExitCode, exitCodeOf, UsageError } from "../../src/cli/exit-code.ts";

it.each([
  [new UsageError("x"), ExitCode.usage],
  [new Error("x"), ExitCode.failed],
  ["x", ExitCode.failed],
])("%s ends with %d", (error, code) => {
  expect(exitCodeOf(error)).toBe(code);
});
