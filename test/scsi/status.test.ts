import { describe, expect, it } from "vitest";
import { Status } from "../../src/scsi/status.ts";

describe("Status", () => {
  it("has the codes of SAM-5 table 33", () => {
    expect(Object.values(Status)).toEqual([0, 2, 8, 0x18, 0x28, 0x30, 0x40]);
  });
});
