import { expect } from "vitest";
import { Status } from "../../../src/scsi/status.ts";
import type { FakeTask } from "./fake-task.ts";

/** The task ended once, in CHECK CONDITION, with exactly this sense; it returned nothing. */
export function expectSense(task: FakeTask, code: number, field: number = -1): void {
  const hex = (value: number | undefined): string | undefined => value?.toString(16);
  expect({
    status: task.status,
    code: hex(task.senseCode),
    field: hex(task.senseData?.field),
    ends: task.ends,
    dataIn: task.dataIn,
  }).toEqual({
    status: Status.checkCondition,
    code: hex(code),
    field: hex(field),
    ends: 1,
    dataIn: null,
  });
}
