import { describe, expect, it } from "vitest";
import { NoMedium } from "../../src/scsi/no-medium.ts";
import { flush, readBytes } from "../../src/util/io-request.ts";

describe("NoMedium", () => {
  const medium = new NoMedium("00000000-0000-4000-8000-000000000001", "none");

  it("has nothing to read and nowhere to write", async () => {
    expect([medium.capacityBytes, medium.tryRead(), medium.tryWrite()]).toEqual([0, false, false]);
    expect(await medium.extents()).toEqual([]);
    await expect(readBytes(medium, 0, 512)).rejects.toMatchObject({ kind: "range" });
  });

  it("is flushed, asked for its size and closed as any volume", async () => {
    await flush(medium);
    await medium.refresh();
    medium.subscribe()();
    await medium.close();
  });
});
