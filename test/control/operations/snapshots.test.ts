import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readBytes, writeBytes } from "../../../src/util/io-request.ts";
import { MIB } from "../../thin/pool/support/pool-bench.ts";
import { OperationBench } from "./support/operation-bench.ts";

let bench: OperationBench;

beforeEach(async () => {
  bench = await OperationBench.make();
  for (const volume of ["a", "b"]) {
    await bench.run("volume/create", { pool: "tank", volume, sizeBytes: 8 * MIB });
  }
});

afterEach(() => bench.dispose());

async function write(volume: string, offsetBytes: number, value: number): Promise<void> {
  const thin = bench.bench.pool.volume(volume);
  await bench.bench.drive(writeBytes(thin, offsetBytes, Buffer.alloc(4096, value)));
}

async function firstByteOf(volume: string): Promise<number | undefined> {
  return (await bench.bench.drive(readBytes(bench.bench.pool.volume(volume), 0, 1)))[0];
}

function take(...copies: { volume: string; name: string }[]) {
  return bench.run("snapshot/create", { pool: "tank", copies });
}

describe("operations on snapshots", () => {
  it("take several at one instant, and list them", async () => {
    const made = await take({ volume: "a", name: "a@1" }, { volume: "b", name: "b@1" });
    expect(made.map(({ name, origin }) => [name, origin])).toEqual([
      ["a@1", "a"],
      ["b@1", "b"],
    ]);
    expect(made.every(({ readOnly, isSnapshot }) => readOnly && isSnapshot)).toBe(true);
    expect(await bench.run("snapshot/list", {})).toEqual(made);
  });

  it("make clones, which are volumes", async () => {
    const copies = [{ volume: "a", name: "clone" }];
    const [clone] = await bench.run("snapshot/create", { pool: "tank", copies, writable: true });
    expect(clone).toMatchObject({ readOnly: false, isSnapshot: false, origin: "a" });
    expect(await bench.run("snapshot/list", {})).toEqual([]);
  });

  it("roll back", async () => {
    await write("a", 0, 1);
    await take({ volume: "a", name: "s" });
    await write("a", 0, 2);
    await bench.run("snapshot/rollback", { pool: "tank", volume: "a", source: "s" });
    expect(await firstByteOf("a")).toBe(1);
  });

  it("roll back to what is of another line only where that is said", async () => {
    await write("a", 0, 1);
    await write("b", 0, 2);
    await take({ volume: "b", name: "monday" });
    for (const source of ["b", "monday"]) {
      const slip = { pool: "tank", volume: "a", source };
      await expect(bench.run("snapshot/rollback", slip)).rejects.toMatchObject({
        kind: "invalid",
        message: expect.stringMatching(/^\S+ was not made from a, nor a from it.*--unrelated/),
      });
      expect(await firstByteOf("a")).toBe(1);
    }
    const meant = { pool: "tank", volume: "a", source: "monday", unrelated: true };
    await bench.run("snapshot/rollback", meant);
    expect(await firstByteOf("a")).toBe(2);
  });

  it("roll back along the line: to a clone of its snapshot, and to what it was cloned from", async () => {
    await write("a", 0, 1);
    await take({ volume: "a", name: "s" });
    const copies = [{ volume: "s", name: "clone" }];
    await bench.run("snapshot/create", { pool: "tank", copies, writable: true });
    await write("clone", 0, 2);
    await bench.run("snapshot/rollback", { pool: "tank", volume: "a", source: "clone" });
    expect(await firstByteOf("a")).toBe(2);
    await bench.run("snapshot/rollback", { pool: "tank", volume: "clone", source: "s" });
    expect(await firstByteOf("clone")).toBe(1);
    // Of one origin, but neither was made from the other.
    await bench.run("snapshot/create", {
      pool: "tank",
      copies: [{ volume: "s", name: "other" }],
      writable: true,
    });
    const cousin = { pool: "tank", volume: "clone", source: "other" };
    await expect(bench.run("snapshot/rollback", cousin)).rejects.toMatchObject({ kind: "invalid" });
  });

  it("delete snapshots, and nothing else", async () => {
    await take({ volume: "a", name: "s" });
    await expect(bench.run("snapshot/delete", { pool: "tank", volume: "a" })).rejects.toMatchObject(
      {
        kind: "invalid",
        message: expect.stringContaining("thinlun volume delete tank/a"),
      },
    );
    await bench.run("snapshot/delete", { pool: "tank", volume: "s" });
    expect(await bench.run("snapshot/list", {})).toEqual([]);
  });

  it("take none where nothing is named", async () => {
    await expect(take()).rejects.toThrow("copies must be a list of 1 to 256");
    await expect(take({ volume: "c", name: "x" })).rejects.toMatchObject({ kind: "missing" });
    expect(await bench.run("snapshot/list", {})).toEqual([]);
  });
});
