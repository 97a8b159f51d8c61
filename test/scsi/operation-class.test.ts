import { describe, expect, it } from "vitest";

import {
  OPERATION_CLASSES,
  OperationClass,
  operationClassOf,
} from "../../src/scsi/operation-class.ts";

describe("operationClassOf", () => {
  it.each([
    ["READ (6)", 0x08, "read"],
    ["READ (10)", 0x28, "read"],
    ["READ (12)", 0xa8, "read"],
    ["READ (16)", 0x88, "read"],
    ["WRITE (6)", 0x0a, "write"],
    ["WRITE (10)", 0x2a, "write"],
    ["WRITE (12)", 0xaa, "write"],
    ["WRITE (16)", 0x8a, "write"],
    ["WRITE SAME (16)", 0x93, "write"],
    ["COMPARE AND WRITE", 0x89, "write"],
    ["UNMAP", 0x42, "unmap"],
    ["SYNCHRONIZE CACHE (10)", 0x35, "flush"],
    ["SYNCHRONIZE CACHE (16)", 0x91, "flush"],
  ] as const)("knows %s whatever it expects", (_name, code, expected) => {
    expect(operationClassOf(code, 0, 0)).toBe(OperationClass[expected]);
    expect(operationClassOf(code, 512, 0)).toBe(OperationClass[expected]);
    expect(operationClassOf(code, 0, 512)).toBe(OperationClass[expected]);
  });

  it("tells others by the way of their data", () => {
    expect(operationClassOf(0x12, 96, 0)).toBe(OperationClass.otherIn);
    expect(operationClassOf(0x2f, 0, 512)).toBe(OperationClass.otherOut);
    expect(operationClassOf(0x00, 0, 0)).toBe(OperationClass.other);
    expect(operationClassOf(0xff, 0, 0)).toBe(OperationClass.other);
  });

  it("numbers the classes densely, as arrays are indexed by them", () => {
    const numbers = Object.values(OperationClass);
    expect(numbers).toEqual(Array.from({ length: OPERATION_CLASSES }, (_, index) => index));
  });
});
