import { mkdirSync, mkdtempSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { connect } from "../../src/initiator/connect.ts";
import { testUnitReady } from "../../src/initiator/scsi.ts";
import type { InitiatorSession } from "../../src/initiator/session.ts";
import { LoopDevice, loopDevicesMissing, orWhyNot, scratchFolder } from "../device/loop-device.ts";
import { Daemon } from "../support/daemon.ts";
import { eventually } from "../support/in-process-target.ts";
import { attempt, run } from "../support/program.ts";
import { Lun, MIB } from "./support/fault-bench.ts";

const TARGET = "iqn.2026-11.net.example:disk";
const DISK_BYTES = 8 * MIB;
const OUT_OF_RANGE = "5/21/00";
const NO_SPACE = "7/27/07";
const HARDWARE = "4/44/00";

const folder = scratchFolder();
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const missing = loopDevicesMissing();

let daemon: Daemon | null = null;
const sessions: InitiatorSession[] = [];

afterEach(async () => {
  for (const session of sessions.splice(0)) session.destroy();
  await daemon?.dispose();
  daemon = null;
});

/** The built daemon with the volume "fragile", which lies at `path` or in the daemon's folder, and one in memory. */
async function start(path: string | null = null, size: object = { size: "8MiB" }): Promise<Daemon> {
  daemon = await Daemon.start((own) => ({
    volumes: {
      fragile: { driver: "raw", path: path ?? join(own, "disk.img"), ...size },
      healthy: { driver: "memory", size: "8MiB" },
    },
    targets: [
      {
        name: TARGET,
        luns: [
          { lun: 0, volume: "fragile" },
          { lun: 1, volume: "healthy" },
        ],
      },
    ],
  }));
  return daemon;
}

const CREATED = { size: "8MiB", create: true };

async function logIn({ port }: Daemon): Promise<InitiatorSession> {
  const session = await connect({
    address: "127.0.0.1",
    port,
    initiatorName: "iqn.2026-11.net.example:initiator",
    targetName: TARGET,
  });
  sessions.push(session);
  for (const lun of [0, 1]) await testUnitReady(session, lun);
  return session;
}

/** Waits for the first line of the log that tells of failed I/O; its fields. */
async function errorLine(running: Daemon): Promise<Record<string, unknown>> {
  // What follows the last line feed is not whole yet.
  const find = (): string | undefined =>
    running.log
      .split("\n")
      .slice(0, -1)
      .find((line) => line.includes("I/O error on a volume"));
  await eventually(() => find() !== undefined, "the failure is logged");
  return JSON.parse(find() ?? "{}") as Record<string, unknown>;
}

/** Logs out, and ends the daemon; its exit status. */
async function stop(running: Daemon): Promise<number | null> {
  for (const session of sessions.splice(0)) await session.logout();
  return running.stop();
}

describe("the daemon", () => {
  it("lives on when an image file shrinks under it, says so, and ends in good order", async () => {
    const running = await start(null, CREATED);
    const image = join(running.folder, "disk.img");
    const session = await logIn(running);
    const disk = new Lun(session, 0);
    expect(await disk.write(0, DISK_BYTES, 0x11)).toBe("good");
    truncateSync(image, 2 * MIB);
    expect(await disk.read(4 * MIB, 4096)).toBe(OUT_OF_RANGE);
    await disk.expectBytes(0, 2 * MIB, 0x11);
    expect(await new Lun(session, 1).write(0, MIB, 0x22)).toBe("good");
    const late = await logIn(running);
    await new Lun(late, 0).expectBytes(0, MIB, 0x11);
    expect(await errorLine(running)).toMatchObject({
      volume: "fragile",
      kind: "range",
      offsetBytes: 4 * MIB,
    });
    expect(await stop(running)).toBe(0);
    expect(statSync(image).size).toBe(2 * MIB);
  });
});

/** Runs `use` with a file system of 256 KiB, which it takes down whatever happens. */
async function withTinyFileSystem(use: (mountPoint: string) => Promise<void>): Promise<void> {
  const mountPoint = mkdtempSync(join(folder, "tiny-"));
  await run("mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", mountPoint);
  try {
    await use(mountPoint);
  } finally {
    await daemon?.stop();
    await attempt("umount", mountPoint);
  }
}

describe.skipIf(missing !== null)(`the daemon on real file systems${orWhyNot(missing)}`, () => {
  it("lives on a full one, and writes again when there is space", () =>
    withTinyFileSystem(async (mountPoint) => {
      const ballast = join(mountPoint, "ballast");
      writeFileSync(ballast, Buffer.alloc(128 * 1024));
      const running = await start(join(mountPoint, "disk.img"), CREATED);
      const session = await logIn(running);
      const disk = new Lun(session, 0);
      expect(await disk.write(0, 64 * 1024, 0x11)).toBe("good");
      expect(await disk.write(MIB, 2 * MIB, 0x22)).toBe(NO_SPACE);
      await disk.expectBytes(0, 64 * 1024, 0x11);
      expect(await disk.synchronizeCache()).toBe("good");
      expect(await new Lun(session, 1).write(0, MIB, 0x22)).toBe("good");
      expect(await errorLine(running)).toMatchObject({
        volume: "fragile",
        kind: "space",
        operation: "0x8a",
      });
      rmSync(ballast);
      expect(await disk.write(6 * MIB, 4096, 0x44, true)).toBe("good");
      await disk.expectBytes(6 * MIB, 4096, 0x44);
      expect(await stop(running)).toBe(0);
    }));

  it("lives with a flush that failed, and its exit status tells of data at risk", () =>
    withTinyFileSystem(async (mountPoint) => {
      mkdirSync(join(mountPoint, "disk"));
      const loop = await LoopDevice.attachIn(join(mountPoint, "disk"), 2 * MIB);
      try {
        const running = await start(loop.path, {});
        const session = await logIn(running);
        const disk = new Lun(session, 0);
        expect(await disk.write(0, 2 * MIB, 0x11)).toBe("good");
        expect(await disk.synchronizeCache()).toBe(HARDWARE);
        expect(await disk.write(0, 4096, 0x22)).toBe(HARDWARE);
        expect(await new Lun(session, 1).write(0, 4096, 1, true)).toBe("good");
        expect(await errorLine(running)).toMatchObject({ volume: "fragile", kind: "failed" });
        expect(await stop(running)).toBe(1);
        const words = "volume could not be flushed: data may be lost";
        await eventually(() => running.log.includes(words), "that is logged");
      } finally {
        await daemon?.stop();
        await loop.detach();
      }
    }));
});
