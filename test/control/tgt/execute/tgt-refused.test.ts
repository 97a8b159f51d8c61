import { expect, it } from "vitest";
import { OperationError } from "../../../../src/control/protocol.ts";
import { StartError } from "../../../../src/control/start-error.ts";
import { refusalOf, TgtRefused } from "../../../../src/control/tgt/execute/tgt-refused.ts";
import { VolumeError } from "../../../../src/volume/volume-driver.ts";

it.each([
  [new TgtRefused("no-lun"), "no-lun"],
  [new OperationError("foreign", "of the configuration"), "unsupported-operation"],
  [new OperationError("io", "no room"), "invalid-request"],
  [new OperationError("internal", "a defect"), null],
  [new StartError("missing"), "invalid-request"],
  [new VolumeError("missing", "missing"), "invalid-request"],
  [new TypeError("a defect"), null],
])("%s is %j", (error, refusal) => {
  expect(refusalOf(error)).toBe(refusal);
});
