import { describe, expect, it } from "vitest";
import {
  errorMessage,
  errorName,
  errorNumber,
  exitStatus,
  TGT_ERROR_NAMES,
} from "../../../src/control/tgt/errors.ts";

describe("the errors of tgt", () => {
  it.each([
    [0, "success", "success"],
    [3, "no-driver", "can't find the driver"],
    [4, "no-target", "can't find the target"],
    [13, "no-acl", "this access control rule does not exist"],
    [17, "invalid-request", "invalid request"],
    [22, "unsupported-operation", "this operation isn't supported"],
    [24, "prevent-removal", "this device has Prevent Removal set"],
  ] as const)("have the number %i for %s", (number, name, message) => {
    expect(errorNumber(name)).toBe(number);
    expect(errorName(number)).toBe(name);
    expect(errorMessage(number)).toBe(message);
  });

  it("are 25, each with one number", () => {
    expect(TGT_ERROR_NAMES.map((name) => errorNumber(name))).toEqual([...Array(25).keys()]);
  });

  it.each([25, 255, 0xffff_ffff])("know nothing of %i", (number) => {
    expect(errorName(number)).toBeUndefined();
    expect(errorMessage(number)).toBe("(unknown tgtadm_errno)");
    expect(exitStatus(number)).toBe(22);
  });

  it("end tgtadm with 22, success with 0", () => {
    expect([0, 1, 24].map((number) => exitStatus(number))).toEqual([0, 22, 22]);
  });
});
