import {
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { stringify } from "yaml";
import type { PoolReport, VolumeReport } from "../../src/control/protocol.ts";
import { connect } from "../../src/initiator/connect.ts";
import { read, readCapacity16, reportLuns, write } from "../../src/initiator/scsi.ts";
import type { InitiatorSession } from "../../src/initiator/session.ts";
import { run as runProgram } from "../support/program.ts";
import { Command, run } from "./support.ts";

/*
 * Pools from the command line, with a daemon and without one: the built program, on image files.
 */

/** Each of a score of commands starts the program; on a machine with much else to do that takes seconds. */
vi.setConfig({ testTimeout: 180_000 });

const DISK = "iqn.2026-11.net.example:disk";
const INITIATOR = "iqn.2026-11.net.example:tester";
const MIB = 1024 * 1024;

let folder: string;
let daemon: Command | null;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "thinlun-pools-"));
  daemon = null;
});

afterEach(async () => {
  daemon?.child.kill("SIGKILL");
  await daemon?.outcome();
  rmSync(folder, { recursive: true });
});

const inFolder = (name: string): string => join(folder, name);
const image = (): string => inFolder("tank.img");

/** A command that must succeed, and what it printed. */
async function ok(...args: string[]): Promise<string> {
  const outcome = await run(...args);
  expect(outcome, `${args.join(" ")}: ${outcome.stderr}`).toMatchObject({ status: 0 });
  return outcome.stdout;
}

async function json<Value>(...args: string[]): Promise<Value> {
  return JSON.parse(await ok(...args, "--json")) as Value;
}

/** The options that make a command ask the daemon, or do the work itself. */
const online = (): string[] => ["--state-dir", inFolder("state")];
const offline = (): string[] => [...online(), "--device", image()];

async function createPool(): Promise<void> {
  await ok("pool", "create", "tank", "--size", "256MiB", ...offline());
}

function writeConfig(volumes: object, luns: readonly object[]): void {
  const config = {
    portals: [{ listen: "127.0.0.1:0" }],
    pools: { tank: { devices: [image()] } },
    volumes,
    targets: [{ name: DISK, luns }],
  };
  writeFileSync(inFolder("thinlun.yaml"), stringify(config));
}

const DISK_VOLUME = { disk: { driver: "thin", pool: "tank", size: "32MiB", create: true } };

/** Serves the pool with one disk, and logs in to it. */
async function serve(): Promise<InitiatorSession> {
  writeConfig(DISK_VOLUME, [{ lun: 0, volume: "disk" }]);
  daemon = new Command([
    "serve",
    ...online(),
    "--config",
    inFolder("thinlun.yaml"),
    "--ready-file",
    inFolder("ready"),
  ]);
  const port = await daemon.portOf(inFolder("ready"));
  const session = await connect({
    address: "127.0.0.1",
    port,
    initiatorName: INITIATOR,
    targetName: DISK,
  });
  return session;
}

/** A command that is told of changes by a unit attention meets it once. */
async function settled<Value>(command: () => Promise<Value>): Promise<Value> {
  for (let tries = 0; tries < 8; tries += 1) {
    try {
      return await command();
    } catch (error) {
      if (!/attention/i.test(String(error))) throw error;
    }
  }
  return command();
}

async function fill(session: InitiatorSession, block: number, value: number): Promise<void> {
  const { blockBytes } = await settled(() => readCapacity16(session, 0));
  const range = { lun: 0, lba: block, blocks: 8, blockBytes };
  await settled(() => write(session, range, Buffer.alloc(8 * blockBytes, value)));
}

async function byteAt(session: InitiatorSession, block: number): Promise<number | undefined> {
  const { blockBytes } = await settled(() => readCapacity16(session, 0));
  return (await settled(() => read(session, { lun: 0, lba: block, blockBytes, blocks: 1 })))[0];
}

describe("with a daemon", () => {
  it("a disk is snapshotted, compared, rolled back, exported and imported while it is served", async () => {
    await createPool();
    const session = await serve();
    await fill(session, 0, 1);
    expect(await ok("snapshot", "create", "tank/disk", "--name", "monday", ...online())).toBe(
      "tank/monday\n",
    );
    await fill(session, 4096, 2);
    const { differences } = await json<{ differences: { offsetBytes: number }[] }>(
      "snapshot",
      "diff",
      "tank/monday",
      "disk",
      ...online(),
    );
    expect(differences).toEqual([{ offsetBytes: 2 * MIB, lengthBytes: 64 * 1024, kind: "added" }]);
    // As it is at this moment, of a volume that initiators write to.
    await ok("volume", "export", "tank/disk", inFolder("now.img"), ...online());
    const exported = readFileSync(inFolder("now.img"));
    expect([exported.length, exported[0], exported[2 * MIB], exported[MIB]]).toEqual([
      32 * MIB,
      1,
      2,
      0,
    ]);
    expect(statSync(inFolder("now.img")).blocks * 512).toBeLessThan(MIB);
    await ok("snapshot", "rollback", "tank/disk", "monday", "--yes", ...online());
    expect([await byteAt(session, 0), await byteAt(session, 4096)]).toEqual([1, 0]);
    const imported = await json<VolumeReport>(
      "volume",
      "import",
      inFolder("now.img"),
      "tank/copy",
      ...online(),
    );
    expect(imported).toMatchObject({ sizeBytes: 32 * MIB, mappedBytes: 128 * 1024 });
    await ok("volume", "export", "tank/copy", inFolder("again.img"), ...online());
    expect(readFileSync(inFolder("again.img")).equals(exported)).toBe(true);
    const names = (await json<VolumeReport[]>("volume", "list", ...online())).map(
      (one) => one.name,
    );
    expect(names).toEqual(["disk", "monday", "copy"]);
    await session.logout();
    expect((await daemon?.stop())?.status).toBe(0);
    expect(existsSync(inFolder("state/control.sock"))).toBe(false);
  });

  it("a volume that was made meanwhile is exported to initiators that are there", async () => {
    await createPool();
    const session = await serve();
    await ok("volume", "create", "tank/second", "--size", "8MiB", ...online());
    expect(await settled(() => reportLuns(session))).toEqual([0]);
    writeConfig({ ...DISK_VOLUME, second: { driver: "thin", pool: "tank" } }, [
      { lun: 0, volume: "disk" },
      { lun: 1, volume: "second" },
    ]);
    daemon?.child.kill("SIGHUP");
    await daemon?.says("LUN added");
    expect(await settled(() => reportLuns(session))).toEqual([0, 1]);
    const capacity = await settled(() => readCapacity16(session, 1));
    expect(capacity.blocks * capacity.blockBytes).toBe(8 * MIB);
    await ok("volume", "resize", "tank/second", "16MiB", ...online());
    const grown = await settled(() => readCapacity16(session, 1));
    expect(grown.blocks * grown.blockBytes).toBe(16 * MIB);
    const refused = await run("volume", "delete", "tank/second", "--yes", ...online());
    expect(refused).toMatchObject({ status: 1, stderr: expect.stringContaining("is LUN 1 of") });
    await session.logout();
  });

  it("a pool is extended, checked and shown", async () => {
    await createPool();
    const session = await serve();
    const [before] = await json<PoolReport[]>("pool", "list", ...online());
    const add = ["--add", inFolder("more.img"), "--size", "128MiB"];
    expect(await ok("pool", "extend", "tank", ...add, ...online())).toContain("configuration");
    const [after] = await json<PoolReport[]>("pool", "list", ...online());
    expect(after?.space.capacityBytes).toBeGreaterThan(
      (before?.space.capacityBytes ?? 0) + 100 * MIB,
    );
    await ok("pool", "extend", "tank", "--grow", image(), "--size", "320MiB", ...online());
    await ok("pool", "set", "tank", "--thresholds", "50,90", "--overcommit", "8", ...online());
    expect(await ok("pool", "check", "tank", ...online())).toBe("Pool tank is sound.\n");
    const devices = ["--device", image(), "--device", inFolder("more.img")];
    expect(await ok("pool", "check", ...devices)).toContain("is sound");
    const shown = await ok("pool", "show", "tank", ...online());
    for (const text of ["50 %, 90 %", "more.img", "tank/disk", "M metadata", "served"]) {
      expect(shown).toContain(text);
    }
    const busy = await run("volume", "list", ...offline());
    expect(busy).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("leave --device out"),
    });
    await session.logout();
  });
});

describe("without a daemon", () => {
  it("says so, and what to do", async () => {
    const outcome = await run("volume", "list", ...online());
    expect(outcome.status).toBe(1);
    expect(outcome.stderr).toMatch(/no daemon answers.*thinlun serve.*--device/s);
  });

  it("a pool is made, worked on and checked", async () => {
    await createPool();
    expect(await ok("pool", "scan", "--device", image())).toMatch(/tank .* closed/);
    await ok("volume", "create", "tank/a", "--size", "16MiB", "--quota", "8MiB", ...offline());
    await ok("volume", "rename", "tank/a", "b", ...offline());
    await ok("volume", "set", "tank/b", "--reserve", "1MiB", "--quota", "0", ...offline());
    writeFileSync(inFolder("raw.img"), Buffer.alloc(MIB, 7));
    truncateSync(inFolder("raw.img"), 5 * MIB + 100);
    await ok("volume", "import", inFolder("raw.img"), "tank/c", ...offline());
    const made = await ok(
      "snapshot",
      "create",
      "tank/b",
      "c",
      "--name",
      "{volume}@1",
      ...offline(),
    );
    expect(made).toBe("tank/b@1\ntank/c@1\n");
    await ok("snapshot", "clone", "tank/c@1", "clone", ...offline());
    await ok("snapshot", "rollback", "tank/c", "tank/c@1", "-y", ...offline());
    expect(await ok("snapshot", "list", "tank", ...offline())).toMatch(/b@1[^]*c@1/);
    await ok("snapshot", "delete", "tank/b@1", "--yes", ...offline());
    await ok("volume", "delete", "tank/b", "--yes", ...offline());
    expect(await ok("pool", "check", "--device", image())).toContain("is sound");
  });

  it("a pool is dumped, saved to other devices, and deleted", async () => {
    await createPool();
    writeFileSync(inFolder("raw.img"), Buffer.alloc(MIB, 7));
    truncateSync(inFolder("raw.img"), 5 * MIB + 100);
    await ok("volume", "import", inFolder("raw.img"), "tank/clone", ...offline());
    expect(await ok("pool", "dump", "--device", image(), "--maps", "--journal")).toContain(
      '"clone"',
    );
    const dump = await json<{ name: string }>("pool", "dump", "--device", image());
    expect(dump.name).toBe("tank");
    const saved = inFolder("saved.img");
    await ok("pool", "repair", "--device", image(), "--to", saved, "--size", "128MiB", ...online());
    const other = [...online(), "--device", saved];
    await ok("volume", "export", "tank/clone", inFolder("out.img"), ...other);
    const content = readFileSync(inFolder("out.img"));
    expect(content.subarray(0, MIB).equals(Buffer.alloc(MIB, 7))).toBe(true);
    expect(content.subarray(MIB).every((byte) => byte === 0)).toBe(true);
    await ok("pool", "delete", "--yes", ...offline());
    expect(await ok("pool", "list", "--device", image())).toBe(
      "There is no pool on these devices.\n",
    );
  });

  it.skipIf(!existsSync("/usr/bin/qemu-img"))(
    "qcow2 images come in and go out, but none that reaches for other files",
    async () => {
      await createPool();
      writeFileSync(inFolder("raw.img"), Buffer.alloc(3 * MIB, 9));
      const qemu = (...args: string[]) => runProgram("qemu-img", ...args);
      await qemu("convert", "-O", "qcow2", inFolder("raw.img"), inFolder("in.qcow2"));
      await ok("volume", "import", inFolder("in.qcow2"), "tank/a", ...offline());
      const out = inFolder("out.qcow2");
      await ok("volume", "export", "tank/a", out, "--format", "qcow2", ...offline());
      await qemu("compare", inFolder("raw.img"), out);
      const backing = ["-b", "in.qcow2", "-F", "qcow2"];
      await qemu("create", "-f", "qcow2", ...backing, inFolder("evil.qcow2"));
      const evil = await run("volume", "import", inFolder("evil.qcow2"), "tank/b", ...offline());
      expect(evil).toMatchObject({ status: 1, stderr: expect.stringContaining("in.qcow2") });
      const names = (await json<VolumeReport[]>("volume", "list", ...offline())).map((v) => v.name);
      expect(names).toEqual(["a"]);
    },
  );

  it.skipIf(!existsSync("/usr/sbin/mkfs.ext4"))(
    "a file system is not destroyed that was not named",
    async () => {
      const disk = inFolder("disk.img");
      writeFileSync(disk, "");
      truncateSync(disk, 128 * MIB);
      const uuid = "6f1d2c3b-4a59-4687-9785-a4b3c2d1e0ff";
      await runProgram("mkfs.ext4", "-q", "-F", "-U", uuid, disk);
      const before = readFileSync(disk);
      const create = ["pool", "create", "tank", "--device", disk, ...online()];
      const refused = await run(...create);
      expect(refused.status).toBe(1);
      expect(refused.stderr).toContain(`--wipe ext4:${uuid}`);
      const wrong = await run(...create, "--wipe", "ext4:other", "--yes");
      expect(wrong.status).toBe(1);
      const unasked = await run(...create, "--wipe", `ext4:${uuid}`);
      expect(unasked).toMatchObject({ status: 2, stderr: expect.stringContaining("--yes") });
      expect(readFileSync(disk).equals(before)).toBe(true);
      const { backups } = await json<{ backups: string[] }>(
        ...create,
        "--wipe",
        `ext4:${uuid}`,
        "--yes",
      );
      expect(backups).toHaveLength(1);
      expect(readFileSync(backups[0] ?? "", "utf8")).toContain(uuid);
    },
  );

  it.each([
    [["pool"], "Say what to do"],
    [["volume", "create", "disk", "--size", "1GiB"], "POOL/VOLUME"],
    [["volume", "create", "tank/a", "--size", "1G"], "ambiguous"],
    [["volume", "create", "tank/a"], "size"],
    [["volume", "set", "tank/a", "--read-only", "--writable"], "not both"],
    [["snapshot", "create", "tank/a", "lake/b"], "two pools"],
    [["snapshot", "create", "tank/a", "b", "--name", "x"], "{volume}"],
    [["pool", "set", "tank", "--thresholds", "many"], "percents"],
    [["pool", "extend", "tank"], "--add"],
  ] as const)("%j is an error of the command line", async (args, text) => {
    const outcome = await run(...args);
    expect(outcome).toMatchObject({ status: 2, stderr: expect.stringContaining(text) });
  });
});
