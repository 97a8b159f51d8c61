import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DaemonBench, DISK, MIB } from "./support/daemon-bench.ts";

let bench: DaemonBench;

const V = { pool: "tank", volume: "v" };

beforeEach(async () => {
  bench = await DaemonBench.make();
  await bench.makePool();
  const document = `volumes:
  v: {driver: thin, pool: tank, create: true, size: 16MiB}
targets: [{name: '${DISK}', luns: [{lun: 0, volume: v}]}]
`;
  await bench.attempt("system/apply", { document });
});

afterEach(() => bench.dispose());

const sizeMib = async (): Promise<number> => (await bench.run("volume/show", V)).sizeBytes / MIB;

const resize = (mib: number): Promise<unknown> =>
  bench.run("volume/resize", { ...V, sizeBytes: mib * MIB, shrink: true });

/** As where the folder of the state is full. */
function keepNothing(): () => void {
  const { state } = bench.harness;
  const keep = state.keep.bind(state);
  state.keep = () => Promise.reject(new Error("ENOSPC: no space left on device"));
  return () => void (state.keep = keep);
}

describe("the size of a volume that a document has asked for", () => {
  it("becomes less without a word of that it does not", async () => {
    await resize(8);
    const told = bench.harness.lines.filter(({ message }) => message.includes("larger"));
    expect(told).toEqual([]);
  });

  it.each([8, 32])("is after a restart what it was made: %i MiB", async (mib) => {
    await resize(mib);
    expect(await sizeMib()).toBe(mib);
    await bench.restart();
    expect(await sizeMib()).toBe(mib);
  });

  it("stays where it cannot be kept that it is less", async () => {
    const keepAgain = keepNothing();
    await expect(resize(8)).rejects.toThrow("the state cannot be kept, so nothing was changed");
    keepAgain();
    expect(await sizeMib()).toBe(16);
    await bench.restart();
    expect(await sizeMib()).toBe(16);
  });

  it("is said to be more where that cannot be kept, as it is", async () => {
    const keepAgain = keepNothing();
    await expect(resize(32)).rejects.toThrow(
      "volume v has 33554432 bytes now, which stays so, but then: the state cannot be kept",
    );
    keepAgain();
    expect(await sizeMib()).toBe(32);
    await bench.restart();
    expect(await sizeMib()).toBe(32);
  });

  it("is not asked for where the pool does not give it", async () => {
    await resize(24);
    const { pool } = bench.context.pools()[0] ?? never();
    const real = pool.resize.bind(pool);
    pool.resize = () => Promise.reject(new Error("no"));
    await expect(resize(8)).rejects.toThrow();
    pool.resize = real;
    const { inventory } = bench.harness.plane.view;
    expect(inventory.volumes.get("v")?.sizeBytes).toBe(24 * MIB);
    await bench.restart();
    expect(await sizeMib()).toBe(24);
  });

  it("is one that was asked for last, also where many ask at a time", async () => {
    await Promise.all([32, 8, 24, 12].map(resize));
    expect(await sizeMib()).toBe(12);
    await bench.restart();
    expect(await sizeMib()).toBe(12);
  });
});

function never(): never {
  throw new Error("there is a pool");
}
