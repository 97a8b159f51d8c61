import { existsSync } from "node:fs";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { PoolConfig, PoolGrowth } from "../../src/control/config/config.ts";
import { type GrowingPool, growthOf } from "../../src/control/pool-growth.ts";
import { MemoryDevice } from "../../src/device/memory-device.ts";
import type { Growth } from "../../src/thin/pool/auto-growth.ts";

const MIB = 1024 * 1024;

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "thinlun-growth-"));
});

afterEach(() => rm(folder, { recursive: true }));

const device = new MemoryDevice(64 * MIB, "/dev/a");

const pool: GrowingPool = {
  name: "tank",
  uuid: "5e0f7a7e-52ad-4f2b-8f0d-6d2f0d5d1c3a",
  devices: () => [device],
  gained: () => Promise.resolve([]),
  claim: (path) =>
    Promise.resolve({
      device: new MemoryDevice(MIB, path),
      uuid: path,
      isZero: false,
      settled: () => Promise.resolve(),
    }),
};

const NONE: PoolGrowth = {
  belowBytes: 1,
  stepBytes: 16 * MIB,
  maxBytes: null,
  image: false,
  spares: [],
  command: null,
};

function grow(
  autogrow: Partial<PoolGrowth>,
  signal: AbortSignal = new AbortController().signal,
): Promise<readonly Growth[]> {
  const config: PoolConfig = {
    devices: ["/dev/a"],
    create: null,
    direct: false,
    shared: false,
    takeOver: false,
    optional: false,
    overcommitMax: null,
    thresholds: [],
    autogrow: { ...NONE, ...autogrow },
    fullRetrySeconds: 0,
  };
  const settings = growthOf(pool, config);
  if (settings === null) throw new Error("it does not grow");
  return settings.grower({ bytesWanted: settings.stepBytes, freeBytes: 7, signal });
}

async function script(...lines: string[]) {
  const program = join(folder, "grow.sh");
  await writeFile(program, ["#!/bin/sh", ...lines, ""].join("\n"));
  await chmod(program, 0o700);
  return { program, args: ["x y"], timeoutSeconds: 20 };
}

function namesOf(growths: readonly Growth[]): unknown[] {
  return growths.map((growth) => (growth.kind === "device" ? growth.device.name : growth));
}

describe("growthOf", () => {
  it("takes spares that the pool does not have, up to the maximum", async () => {
    expect(namesOf(await grow({ spares: ["/dev/a", "/dev/b"] }))).toEqual(["/dev/b"]);
    expect(await grow({ spares: ["/dev/b"], maxBytes: 64 * MIB })).toEqual([]);
  });

  it("refuses to grow an image where there is none", () => {
    expect(() => grow({ image: true, maxBytes: 128 * MIB })).toThrow(/no image file/);
  });

  it("runs a command with what it has to know, and takes what it names", async () => {
    const command = await script(
      `echo "$1 $THINLUN_POOL $THINLUN_POOL_UUID $THINLUN_BYTES_WANTED $THINLUN_BYTES_FREE" > ${folder}/told`,
      "echo /dev/a; echo /dev/c",
    );
    expect(namesOf(await grow({ command }))).toEqual(["/dev/c"]);
    const told = await readFile(join(folder, "told"), "utf8");
    expect(told).toBe(`x y tank ${pool.uuid} ${16 * MIB} 7\n`);
  });

  it("says what went wrong with a command", async () => {
    const failing = await script("echo no disk left >&2", "exit 3");
    await expect(grow({ command: failing })).rejects.toThrow(/status 3: no disk left/);
    const slow = { ...(await script("exec sleep 60")), timeoutSeconds: 0.05 };
    await expect(grow({ command: slow })).rejects.toThrow(/took longer/);
    const missing = { ...failing, program: join(folder, "nothing") };
    await expect(grow({ command: missing })).rejects.toThrow(/no such program/);
    const chatty = await script("echo all is well");
    await expect(grow({ command: chatty })).rejects.toThrow(/"all is well".*no absolute path/);
  });

  it("ends a command that nobody waits for any more", async () => {
    const command = await script(`: > ${folder}/begun`, "exec sleep 60");
    const stopping = new AbortController();
    const growing = grow({ command }, stopping.signal);
    while (!existsSync(join(folder, "begun"))) await sleep(5);
    stopping.abort();
    await expect(growing).rejects.toThrow(/was killed/);
  });

  it("asks the command when the spares are used up", async () => {
    const command = await script("echo /dev/d");
    expect(namesOf(await grow({ spares: ["/dev/a"], command }))).toEqual(["/dev/d"]);
  });
});
