import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  checkDevices,
  createPool,
  deletePool,
  dumpDevices,
  openPool,
  repairDevices,
  scanPools,
} from "../src/offline.ts";
import { OperationError, type Progress } from "../src/control/protocol.ts";
import { HEARTBEAT_OFFSET } from "../src/thin/format/layout.ts";
import { encodeHeartbeat } from "../src/thin/members/heartbeat-block.ts";

const MIB = 1024 * 1024;

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "thinlun-offline-"));
  path = join(folder, "tank.img");
});

afterEach(() => rmSync(folder, { recursive: true }));

const quiet = { onProgress: () => undefined };
const overwrite = () => ({ stateDir: join(folder, "state"), wipe: [], acceptData: false });

function create(changes: Partial<Parameters<typeof createPool>[0]> = {}) {
  return createPool({
    ...overwrite(),
    name: "tank",
    devices: [path],
    sizeBytes: 128 * MIB,
    extentBytes: null,
    overcommitMax: 0,
    ...changes,
  });
}

describe("pools without a daemon", () => {
  it("are made, found, opened by one at a time, and closed", async () => {
    const { uuid } = await create({ overcommitMax: 2, extentBytes: 128 * 1024 });
    const { pools } = await scanPools([path, join(folder, "none")]);
    expect(pools).toMatchObject([{ name: "tank", uuid, owner: { state: "clean" } }]);
    const pool = await openPool([path], folder);
    const [report] = await pool.call("pool/list", {});
    expect(report).toMatchObject({ overcommitMax: 2, extentBytes: 128 * 1024 });
    await expect(openPool([path], folder)).rejects.toMatchObject({ kind: "busy" });
    await expect(deletePool([path], overwrite())).rejects.toMatchObject({ kind: "busy" });
    await expect(pool.call("volume/show", { pool: "tank", volume: "a" })).rejects.toMatchObject({
      name: "OperationError",
      kind: "missing",
    });
    // It is looked at while it is open.
    expect((await scanPools([path])).pools).toMatchObject([{ owner: { state: "active" } }]);
    expect((await checkDevices([path], () => undefined)).isSound).toBe(true);
    await pool.close();
    expect((await checkDevices([path], () => undefined)).wasClean).toBe(true);
  });

  it("are not made where something is, and leave nothing when they are not made", async () => {
    await create();
    await expect(create({ name: "lake" })).rejects.toMatchObject({
      kind: "foreign",
      message: expect.stringContaining("--wipe thinlun:"),
    });
    const other = join(folder, "other.img");
    await expect(create({ devices: [other], extentBytes: 1000 })).rejects.toMatchObject({
      kind: "invalid",
    });
    await expect(create({ devices: [other], name: "a/b" })).rejects.toMatchObject({
      kind: "invalid",
    });
    await expect(create({ devices: [other], name: "a\u202eb" })).rejects.toMatchObject({
      kind: "invalid",
    });
    // What cannot be a pool is found out only when the pool is made.
    await expect(create({ devices: [other], name: "x", overcommitMax: -1 })).rejects.toThrow();
    expect(existsSync(other)).toBe(false);
    await expect(openPool([join(folder, "none")], folder)).rejects.toMatchObject({
      kind: "missing",
    });
    writeFileSync(other, Buffer.alloc(64 * MIB));
    await expect(openPool([other], folder)).rejects.toMatchObject({ kind: "missing" });
  });

  it("are saved to other devices", async () => {
    await create();
    const pool = await openPool([path], folder);
    await pool.call("volume/create", { pool: "tank", volume: "a.importing", sizeBytes: MIB });
    const range = { pool: "tank", volume: "a.importing", offsetBytes: 0 };
    await pool.call("volume/write", range, { payload: Buffer.alloc(4096, 5) });
    await pool.close();
    const { dump, lines } = await dumpDevices([path], { maps: true });
    expect(dump.name).toBe("tank");
    expect([...lines].join("\n")).toContain("a.importing");
    const steps: Progress[] = [];
    const target = join(folder, "saved.img");
    const options = { ...overwrite(), devices: [path], targets: [target], targetBytes: 128 * MIB };
    const before = readFileSync(path);
    const report = await repairDevices(options, {
      onProgress: (step) => void steps.push(step),
    });
    expect(report).toMatchObject({ source: "checkpoint", lostExtents: 0 });
    expect(report.volumes.map(({ name }) => name)).toEqual(["a.importing"]);
    expect(steps.at(-1)).toMatchObject({ step: "Copying", done: 1 });
    expect(readFileSync(path).equals(before)).toBe(true);
    expect((await checkDevices([target], () => undefined)).isSound).toBe(true);
    await expect(repairDevices({ ...options, targets: [path] }, quiet)).rejects.toThrow();
  });

  it("are saved as a whole, or nothing is left of that", async () => {
    await create();
    const pool = await openPool([path], folder);
    await pool.call("volume/create", { pool: "tank", volume: "a.importing", sizeBytes: MIB });
    const range = { pool: "tank", volume: "a.importing", offsetBytes: 0 };
    await pool.call("volume/write", range, { payload: Buffer.alloc(4096, 5) });
    await pool.close();
    const wiped = join(folder, "wiped.img");
    await create({ name: "other", devices: [wiped] });
    const [other] = (await scanPools([wiped])).pools;
    const made = join(folder, "made.img");
    const stop = new AbortController();
    const repair = repairDevices(
      {
        ...overwrite(),
        wipe: [`thinlun:${other?.uuid}`],
        devices: [path],
        targets: [wiped, made],
        targetBytes: 128 * MIB,
      },
      {
        signal: stop.signal,
        onProgress: ({ step }) => {
          if (step === "Copying") stop.abort(new OperationError("failed", "interrupted"));
        },
      },
    );
    await expect(repair).rejects.toMatchObject({
      kind: "failed",
      message: expect.stringMatching(/^interrupted; .*wiped.img is empty, .* are kept: /),
    });
    expect((await scanPools([wiped])).pools).toEqual([]);
    expect(existsSync(made)).toBe(false);
    const left = readdirSync(join(folder, "state", "backup"));
    expect(left.filter((name) => name.endsWith("unfinished"))).toEqual([]);
  });

  it("are left alone while a host that shares them shows signs of life", async () => {
    const paths = ["a", "b", "c", "d"].map((name) => join(folder, name));
    const pools = await Promise.all(
      paths.map((device, index) => create({ name: `tank${index}`, devices: [device] })),
    );
    const hostId = "0b5b6f0e-8f2d-4b39-9a35-1d6f9c0b7a12";
    let counter = 0;
    const beat = (): void => {
      counter += 1;
      for (const [index, { uuid: poolUuid }] of pools.entries()) {
        const block = encodeHeartbeat({ poolUuid, hostId, nonce: hostId, counter });
        const fd = openSync(paths[index] ?? "", "r+");
        writeSync(fd, block, 0, block.length, HEARTBEAT_OFFSET);
        closeSync(fd);
      }
    };
    beat();
    const living = setInterval(beat, 100);
    const said = vi.spyOn(process.stderr, "write").mockReturnValue(true);
    const saved = join(folder, "saved");
    const [a = "", b = "", c = "", d = ""] = paths;
    const repair = { ...overwrite(), devices: [c], targets: [saved], targetBytes: 128 * MIB };
    const wipe = pools.map(({ uuid }) => [`thinlun:${uuid}`]);
    const ends = await Promise.allSettled([
      openPool([a], folder),
      deletePool([b], { ...overwrite(), wipe: wipe[1] ?? [] }),
      repairDevices(repair, quiet),
      create({ devices: [d], wipe: wipe[3] ?? [] }),
    ]);
    clearInterval(living);
    said.mockRestore();
    const refusal = { kind: "busy", message: expect.stringContaining(hostId) };
    const rejected = { status: "rejected", reason: refusal };
    expect(ends).toMatchObject([rejected, rejected, rejected, rejected]);
    expect(existsSync(saved)).toBe(false);
    expect((await scanPools([b])).pools).toMatchObject([{ name: "tank1", isShared: true }]);
  });

  it("are deleted by name, and can be put back", async () => {
    const { uuid } = await create();
    await expect(deletePool([path], overwrite())).rejects.toMatchObject({
      kind: "foreign",
      message: expect.stringContaining(`--wipe thinlun:${uuid}`),
    });
    const wrong = { ...overwrite(), wipe: ["thinlun:another"] };
    await expect(deletePool([path], wrong)).rejects.toMatchObject({ kind: "invalid" });
    expect((await scanPools([path])).pools).toHaveLength(1);
    const deleted = await deletePool([path], { ...overwrite(), wipe: [`thinlun:${uuid}`] });
    expect(deleted.uuid).toBe(uuid);
    expect((await scanPools([path])).pools).toEqual([]);
    const [manifest = ""] = deleted.backups;
    expect(statSync(manifest).mode & 0o777).toBe(0o600);
    expect(readFileSync(manifest, "utf8")).toContain(uuid);
    const gone = { ...overwrite(), wipe: [`thinlun:${uuid}`] };
    await expect(deletePool([path], gone)).rejects.toMatchObject({ kind: "missing" });
  });

  it("leave what is none of theirs as it is, when they are deleted", async () => {
    const { uuid } = await create();
    const other = join(folder, "other.img");
    writeFileSync(other, Buffer.alloc(64 * MIB, 0x5a));
    const wipe = { ...overwrite(), wipe: [`thinlun:${uuid}`] };
    await expect(deletePool([path, other], wipe)).rejects.toMatchObject({
      kind: "invalid",
      message: expect.stringContaining(other),
    });
    expect(readFileSync(other).equals(Buffer.alloc(64 * MIB, 0x5a))).toBe(true);
    expect((await scanPools([path])).pools).toMatchObject([{ uuid }]);
  });
});
