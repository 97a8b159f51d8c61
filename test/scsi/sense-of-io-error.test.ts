import { describe, expect, it } from "vitest";
import { senseOfIoError } from "../../src/scsi/sense-of-io-error.ts";
import { IO_ERROR_KINDS, IoError } from "../../src/util/io-error.ts";

describe("senseOfIoError", () => {
  it("maps every kind", () => {
    const codes = IO_ERROR_KINDS.map((kind) => [
      kind,
      senseOfIoError(new IoError(kind, "x", { object: "v" }), true).toString(16),
    ]);
    expect(Object.fromEntries(codes)).toEqual({
      medium: "30c00",
      space: "72707",
      "space-pending": "20414",
      "read-only": "72700",
      gone: "20403",
      range: "52100",
      failed: "44400",
      unsupported: "44400",
      miscompare: "e1d00",
    });
  });

  it("tells a failed read from a failed write", () => {
    const error = new IoError("medium", "x", { object: "v" });
    expect(senseOfIoError(error, false)).toBe(0x31100);
  });
});
