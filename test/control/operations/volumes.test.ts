import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { isOperationName } from "../../../src/control/operations/table.ts";
import { MIB, uuidOf } from "../../thin/pool/support/pool-bench.ts";
import { OperationBench } from "./support/operation-bench.ts";

let bench: OperationBench;

beforeEach(async () => {
  bench = await OperationBench.make();
});

afterEach(() => bench.dispose());

const A = { pool: "tank", volume: "a" };

describe("operations on volumes", () => {
  it("create, list and show them", async () => {
    const made = await bench.run("volume/create", {
      ...A,
      sizeBytes: 8 * MIB,
      reservedBytes: MIB,
      quotaBytes: 4 * MIB,
    });
    expect(made).toEqual({
      pool: "tank",
      name: "a",
      uuid: uuidOf(1),
      sizeBytes: 8 * MIB,
      mappedBytes: 0,
      ownedBytes: 0,
      reservedBytes: MIB,
      quotaBytes: 4 * MIB,
      readOnly: false,
      isSnapshot: false,
      origin: null,
      createdAt: expect.stringMatching(/^2023-11-14T/),
      isServed: false,
    });
    expect(await bench.run("volume/list", {})).toEqual([made]);
    expect(await bench.run("volume/list", { pool: "tank" })).toEqual([made]);
    expect(await bench.run("volume/show", { ...A, volume: made.uuid })).toEqual(made);
  });

  it("change their size, name and promises", async () => {
    await bench.run("volume/create", { ...A, sizeBytes: 8 * MIB });
    await expect(bench.run("volume/resize", { ...A, sizeBytes: 4 * MIB })).rejects.toMatchObject({
      kind: "invalid",
    });
    const shrunk = await bench.run("volume/resize", { ...A, sizeBytes: 4 * MIB, shrink: true });
    expect(shrunk.sizeBytes).toBe(4 * MIB);
    expect((await bench.run("volume/resize", { ...A, sizeBytes: 9 * MIB })).sizeBytes).toBe(
      9 * MIB,
    );
    expect((await bench.run("volume/rename", { ...A, name: "b" })).name).toBe("b");
    const b = { ...A, volume: "b" };
    const set = await bench.run("volume/set", { ...b, reservedBytes: MIB, readOnly: true });
    expect(set).toMatchObject({ reservedBytes: MIB, quotaBytes: 0, readOnly: true });
    await expect(bench.run("volume/set", b)).rejects.toThrow("nothing is to be changed");
  });

  it("delete them", async () => {
    await bench.run("volume/create", { ...A, sizeBytes: MIB });
    expect(await bench.run("volume/delete", A)).toEqual({});
    expect(await bench.run("volume/list", {})).toEqual([]);
    await expect(bench.run("volume/delete", A)).rejects.toThrow("pool tank has no volume a");
  });

  it("leave those alone that are served", async () => {
    await bench.run("volume/create", { ...A, sizeBytes: MIB });
    const volume = bench.bench.pool.volume("a");
    bench.served.add(volume);
    const release = bench.bench.pool.use(volume);
    await expect(bench.run("volume/delete", A)).rejects.toMatchObject({ kind: "busy" });
    await expect(bench.run("volume/rename", { ...A, name: "b" })).rejects.toMatchObject({
      kind: "busy",
    });
    expect((await bench.run("volume/show", A)).isServed).toBe(true);
    release();
  });

  it.each([
    ["volume/create", { pool: "tank", volume: "a" }],
    ["volume/create", { pool: "tank", volume: "a", sizeBytes: "8MiB" }],
    ["volume/create", { pool: "tank", volume: "a", sizeBytes: 5 }],
    ["volume/create", { pool: "tank", volume: "a/b", sizeBytes: MIB }],
    ["volume/show", { pool: "tank" }],
    ["volume/resize", { pool: "tank", volume: "a" }],
    ["volume/delete", { pool: "tank", volume: "a", force: true }],
    ["volume/list", []],
  ] as const)("refuse for %s: %j", async (name, body) => {
    await expect(bench.attempt(name, body)).rejects.toMatchObject({ kind: "invalid" });
  });
});

describe("the table of operations", () => {
  it("knows its own names only", () => {
    expect(isOperationName("volume/list")).toBe(true);
    for (const name of ["toString", "volume/", "constructor"])
      expect(isOperationName(name)).toBe(false);
  });
});
