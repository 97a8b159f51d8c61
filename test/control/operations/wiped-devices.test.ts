import { readFileSync, writeFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type ReplacementSteps, systemSteps } from "../../../src/control/durable-file.ts";
import { overwrittenRegions } from "../../../src/thin/members/backup.ts";
import { PlaneHarness } from "../support/plane-harness.ts";
import { DaemonBench, MIB } from "./support/daemon-bench.ts";

let bench: DaemonBench;

beforeEach(async () => {
  bench = await DaemonBench.make();
});

afterEach(() => bench.dispose());

const image = (): string => join(bench.folder, "tank.img");

describe("pools on devices that are wiped for them", () => {
  const before = Buffer.alloc(64 * MIB, 1);
  const body = () => ({ pool: "tank", devices: [image()], acceptData: true });
  const marks = async (): Promise<string[]> =>
    (await readdir(join(bench.folder, "backup"))).filter((name) => name.endsWith("unfinished"));

  beforeEach(() => writeFileSync(image(), before));

  it("are made as a whole, or what was there is there again", async () => {
    await bench.harness.dispose();
    let isFull = false;
    const write: ReplacementSteps["write"] = async (path, text) => {
      // The pool's identity is kept, and what is wanted is not.
      if (isFull && text.includes("tank.img")) throw new Error("ENOSPC");
      await systemSteps.write(path, text);
    };
    const steps = { ...systemSteps, write };
    bench.harness = await PlaneHarness.start({ folder: bench.folder, steps });
    isFull = true;
    await expect(bench.run("pool/create", body())).rejects.toMatchObject({
      kind: "io",
      message: expect.stringMatching(/ENOSPC.*; what was wiped for it was put back$/),
    });
    expect(readFileSync(image()).equals(before)).toBe(true);
    expect(await marks()).toEqual([]);
    isFull = false;
    const { backups } = await bench.run("pool/create", body());
    expect(backups).toHaveLength(1);
    expect(await marks()).toEqual([]);
  });

  it("are made after all that can be looked at before", async () => {
    const small = join(bench.folder, "small.img");
    writeFileSync(small, Buffer.alloc(4 * MIB, 2));
    for (const [more, kind] of [
      [{ devices: [image(), small] }, "invalid"],
      [{ devices: [image(), image()] }, "invalid"],
      [{ extentBytes: 5 }, "invalid"],
    ] as const) {
      const attempt = bench.run("pool/create", { ...body(), ...more });
      await expect(attempt).rejects.toMatchObject({ kind });
    }
    await bench.harness.state.pools.rememberMade("tank", "6fa459ea-ee8a-4ca4-894e-db77e160355e");
    await expect(bench.run("pool/create", body())).rejects.toMatchObject({
      kind: "exists",
      message: expect.stringContaining("nothing was wiped"),
    });
    expect(readFileSync(image()).equals(before)).toBe(true);
    expect(readFileSync(small).equals(Buffer.alloc(4 * MIB, 2))).toBe(true);
  });

  it("tell of a kill in between, once, when what was there is there again", async () => {
    const { backups } = await bench.run("pool/create", body());
    await bench.run("pool/remove", { pool: "tank" });
    const [mark] = backups.map((backup) => `${backup}.unfinished`);
    // As it is when the process ends between the last wipe and the first write of the pool.
    const wiped = Buffer.from(before);
    for (const { offsetBytes, lengthBytes } of overwrittenRegions(wiped.length)) {
      wiped.fill(0, offsetBytes, offsetBytes + lengthBytes);
    }
    writeFileSync(image(), wiped);
    writeFileSync(mark ?? "", String(2 ** 22 + 7));
    await expect(bench.run("pool/create", body())).rejects.toMatchObject({
      kind: "busy",
      message: expect.stringContaining("has what it had before again"),
    });
    expect(readFileSync(image()).equals(before)).toBe(true);
    await bench.run("pool/create", body());
  });
});
