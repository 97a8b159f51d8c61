import { describe, expect, it } from "vitest";
import { appendRecord, appendRecords, syncBarrier } from "../../../src/thin/log/promises.ts";
import { IoError } from "../../../src/util/io-error.ts";
import { LogFixture, mapOf } from "./fixture.ts";

describe("promises of the log", () => {
  it("resolve with the number of the block", async () => {
    const log = new LogFixture();
    expect(await appendRecord(log.journal, mapOf(1))).toBe(101);
    expect(await appendRecords(log.journal, [mapOf(2), mapOf(3)])).toBe(102);
    await syncBarrier(log.barrier);
    expect(log.barrier.durableSeq).toBe(103);
  });

  it("reject with what stopped the pool", async () => {
    const log = new LogFixture();
    const error = new IoError("failed", "a test", { object: "pool" });
    log.health.fail(error);
    await expect(appendRecord(log.journal, mapOf(1))).rejects.toBe(error);
    await expect(syncBarrier(log.barrier)).rejects.toBe(error);
  });
});
