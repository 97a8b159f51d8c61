import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DATA_BYTES_MAX } from "../../../src/control/protocol.ts";
import { EXTENT, MIB } from "../../thin/pool/support/pool-bench.ts";
import { OperationBench } from "./support/operation-bench.ts";

let bench: OperationBench;

beforeEach(async () => {
  bench = await OperationBench.make();
  await bench.run("volume/create", { ...IMPORTED, sizeBytes: 8 * MIB });
});

afterEach(() => bench.dispose());

const IMPORTED = { pool: "tank", volume: "a.importing" };

describe("the data of volumes", () => {
  it("go in while one is imported, and come out of one that does not change", async () => {
    const bytes = Buffer.alloc(EXTENT, 7);
    await bench.run("volume/write", { ...IMPORTED, offsetBytes: MIB }, bytes);
    await bench.run("volume/sync", IMPORTED);
    const range = { ...IMPORTED, offsetBytes: MIB, lengthBytes: EXTENT };
    await expect(bench.run("volume/read", range)).rejects.toThrow("read a snapshot of it");
    await bench.run("volume/set", { ...IMPORTED, readOnly: true });
    expect(bytes.equals(await bench.run("volume/read", range))).toBe(true);
    const all = { ...IMPORTED, offsetBytes: 0, lengthBytes: 8 * MIB };
    expect(await bench.run("volume/extents", all)).toEqual({
      sizeBytes: 8 * MIB,
      nextOffsetBytes: null,
      extents: [
        { offsetBytes: 0, lengthBytes: MIB, mapped: false },
        { offsetBytes: MIB, lengthBytes: EXTENT, mapped: true },
        { offsetBytes: MIB + EXTENT, lengthBytes: 7 * MIB - EXTENT, mapped: false },
      ],
    });
  });

  it("are not written to a volume that initiators may have", async () => {
    await bench.run("volume/rename", { ...IMPORTED, name: "a" });
    const write = bench.run(
      "volume/write",
      { pool: "tank", volume: "a", offsetBytes: 0 },
      Buffer.alloc(512),
    );
    await expect(write).rejects.toThrow("volume a is not being imported");
  });

  it("are within the volume and the limits", async () => {
    const past = { ...IMPORTED, offsetBytes: 8 * MIB, lengthBytes: 1 };
    await expect(bench.run("volume/extents", past)).rejects.toThrow("not within volume");
    await expect(bench.run("volume/read", past)).rejects.toMatchObject({ kind: "invalid" });
    const large = { ...IMPORTED, offsetBytes: 0, lengthBytes: DATA_BYTES_MAX + 1 };
    await expect(bench.run("volume/read", large)).rejects.toThrow("from 0 to 4194304");
    await expect(
      bench.run(
        "volume/write",
        { ...IMPORTED, offsetBytes: 0 },
        new Uint8Array(DATA_BYTES_MAX + 1),
      ),
    ).rejects.toThrow("more than");
    await expect(
      bench.run("volume/write", { ...IMPORTED, offsetBytes: 0 }, new Uint8Array(0)),
    ).rejects.toMatchObject({ kind: "invalid" });
  });
});
