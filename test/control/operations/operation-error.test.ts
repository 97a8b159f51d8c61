import { describe, expect, it } from "vitest";
import { operationErrorOf } from "../../../src/control/operations/operation-error.ts";
import { ERROR_KINDS, OperationError } from "../../../src/control/protocol.ts";
import { StartError } from "../../../src/control/start-error.ts";
import { PoolError } from "../../../src/thin/pool-error.ts";
import { IO_ERROR_KINDS, IoError } from "../../../src/util/io-error.ts";
import { VolumeError } from "../../../src/volume/volume-driver.ts";

describe("what went wrong, for whoever asked", () => {
  it("is what a pool says", () => {
    const error = new PoolError("foreign", "a.img is not empty");
    expect(operationErrorOf(error)).toMatchObject({
      kind: "foreign",
      message: "a.img is not empty",
      cause: error,
    });
    const own = new OperationError("busy", "in use");
    expect(operationErrorOf(own)).toBe(own);
  });

  it.each(IO_ERROR_KINDS)("has a kind for the I/O error %s", (kind) => {
    const error = operationErrorOf(new IoError(kind, "it broke", { object: "disk" }));
    expect(ERROR_KINDS).toContain(error.kind);
    expect(error.kind).not.toBe("internal");
    expect(error.message).toBe("disk: it broke");
  });

  it("is what kept a part from starting, or just that it failed", () => {
    const volume = new VolumeError("missing", "there is no disk");
    expect(operationErrorOf(volume)).toMatchObject({ kind: "missing" });
    const error = new StartError("volume a: there is no disk", volume);
    expect(operationErrorOf(error)).toMatchObject({
      kind: "missing",
      message: "volume a: there is no disk",
    });
    expect(operationErrorOf(new StartError("no address")).kind).toBe("failed");
    expect(operationErrorOf(new StartError("no", new Error("EADDRINUSE"))).kind).toBe("failed");
  });

  it("is a defect where nobody foresaw it", () => {
    expect(operationErrorOf(new TypeError("x is not a function")).kind).toBe("internal");
    expect(operationErrorOf("what").message).toContain("what");
  });
});
