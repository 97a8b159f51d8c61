import { describe, expect, it } from "vitest";

import { LUN_MAX } from "../../src/scsi/limits.ts";
import { NexusStatistics } from "../../src/scsi/nexus-statistics.ts";
import { OperationClass } from "../../src/scsi/operation-class.ts";

describe("NexusStatistics", () => {
  it("keeps what each LUN had apart, from its first command on", () => {
    const nexus = new NexusStatistics();
    expect(nexus.peek(3)).toBeNull();
    expect(nexus.entries()).toEqual([]);
    const third = nexus.of(3);
    third.submit(OperationClass.read, 1);
    expect(nexus.of(3)).toBe(third);
    expect(nexus.peek(3)).toBe(third);
    const highest = nexus.of(LUN_MAX);
    expect(highest).not.toBe(third);
    expect(nexus.of(3)).toBe(third);
    expect(nexus.entries()).toEqual([
      [3, third],
      [LUN_MAX, highest],
    ]);
  });

  it("begins at zero with another unit", () => {
    const nexus = new NexusStatistics();
    nexus.drop(7);
    const before = nexus.of(1);
    before.submit(OperationClass.read, 1);
    nexus.drop(1);
    expect(nexus.peek(1)).toBeNull();
    expect(nexus.of(1)).not.toBe(before);
    expect(nexus.of(1).counts(OperationClass.read).submitted).toBe(0);
  });
});
