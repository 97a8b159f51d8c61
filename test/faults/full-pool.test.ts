import { appendFileSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { connect } from "../../src/initiator/connect.ts";
import { testUnitReady } from "../../src/initiator/scsi.ts";
import type { InitiatorSession } from "../../src/initiator/session.ts";
import { loopDevicesMissing, orWhyNot, scratchFolder } from "../device/loop-device.ts";
import { Daemon } from "../support/daemon.ts";
import { attempt, run } from "../support/program.ts";
import { Lun, MIB } from "./support/fault-bench.ts";

const TARGET = "iqn.2026-11.net.example:pool";
const PENDING = "2/04/14";
const EXTENT_BYTES = 64 * 1024;

/** More volumes, each with a page of its map, than there is room for where a new pool keeps its metadata. */
const VOLUMES = 24;

const folder = scratchFolder();
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const missing = loopDevicesMissing();

/** A file system of 16 MiB, of which a file takes all that nobody else has. */
class SmallFileSystem {
  readonly mountPoint: string;
  readonly #ballast: string;

  private constructor(mountPoint: string) {
    this.mountPoint = mountPoint;
    this.#ballast = join(mountPoint, "ballast");
  }

  static async mount(): Promise<SmallFileSystem> {
    const mountPoint = mkdtempSync(join(folder, "small-"));
    await run("mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", mountPoint);
    return new SmallFileSystem(mountPoint);
  }

  /** To the last block. */
  fill(): void {
    for (let bytes = MIB; bytes >= 4096; bytes /= 2) {
      try {
        for (;;) appendFileSync(this.#ballast, Buffer.alloc(bytes, 1));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
      }
    }
  }

  clean(): void {
    rmSync(this.#ballast);
  }

  async unmount(): Promise<void> {
    await attempt("umount", this.mountPoint);
  }
}

function start(fileSystem: SmallFileSystem): Promise<Daemon> {
  const names = Array.from({ length: VOLUMES }, (_, index) => `volume-${index}`);
  const pool = { devices: [join(fileSystem.mountPoint, "pool.img")], create: { size: "64MiB" } };
  return Daemon.start(() => ({
    pools: { tank: pool },
    volumes: Object.fromEntries(
      names.map((name) => [name, { driver: "thin", pool: "tank", size: "8MiB", create: true }]),
    ),
    targets: [{ name: TARGET, luns: names.map((volume, lun) => ({ lun, volume })) }],
  }));
}

async function logIn({ port }: Daemon): Promise<InitiatorSession> {
  const session = await connect({
    address: "127.0.0.1",
    port,
    initiatorName: "iqn.2026-11.net.example:initiator",
    targetName: TARGET,
  });
  for (let lun = 0; lun < VOLUMES; lun += 1) await testUnitReady(session, lun);
  return session;
}

/** Each volume's first extent. */
async function writeAll(session: InitiatorSession, byte: number): Promise<void> {
  for (let lun = 0; lun < VOLUMES; lun += 1) {
    expect(await new Lun(session, lun).write(0, EXTENT_BYTES, byte + lun)).toBe("good");
  }
}

async function expectAll(session: InitiatorSession, byte: number): Promise<void> {
  for (let lun = 0; lun < VOLUMES; lun += 1) {
    await new Lun(session, lun).expectBytes(0, EXTENT_BYTES, byte + lun);
  }
}

describe.skipIf(missing !== null)(
  `a pool's image on a file system that is full${orWhyNot(missing)}`,
  () => {
    it("goes on when there is room again: under load, after an orderly end, and after a kill", async () => {
      const fileSystem = await SmallFileSystem.mount();
      let daemon: Daemon | null = null;
      try {
        daemon = await start(fileSystem);
        let session = await logIn(daemon);
        await writeAll(session, 0x10);
        fileSystem.fill();
        const disk = new Lun(session, 0);
        expect(await disk.write(MIB, EXTENT_BYTES, 0x99)).toBe(PENDING);
        await writeAll(session, 0x40);
        expect(await disk.synchronizeCache()).toBe("good");
        await expectAll(session, 0x40);
        // A write that comes while there is none waits for somebody to make room.
        const waiting = disk.write(2 * MIB, EXTENT_BYTES, 0x77);
        expect(await disk.write(0, EXTENT_BYTES, 0x40)).toBe("good");
        fileSystem.clean();
        expect(await waiting).toBe("good");
        await disk.expectBytes(2 * MIB, EXTENT_BYTES, 0x77);
        fileSystem.fill();
        await session.logout();
        expect(await daemon.stop()).toBe(0);
        expect(daemon.log).toContain("without a checkpoint");
        // It does not come up, and says why and what to do.
        await expect(daemon.restart()).rejects.toThrow(/pool\.img is full.*free some space/s);
        fileSystem.clean();
        await daemon.restart();
        session = await logIn(daemon);
        await expectAll(session, 0x40);
        await new Lun(session, 0).expectBytes(2 * MIB, EXTENT_BYTES, 0x77);
        await writeAll(session, 0x80);
        fileSystem.fill();
        expect(await new Lun(session, 0).write(3 * MIB, EXTENT_BYTES, 1)).toBe(PENDING);
        session.destroy();
        await daemon.kill();
        fileSystem.clean();
        await daemon.restart();
        session = await logIn(daemon);
        await expectAll(session, 0x80);
        expect(await new Lun(session, 0).write(3 * MIB, EXTENT_BYTES, 2)).toBe("good");
        await session.logout();
        expect(await daemon.stop()).toBe(0);
      } finally {
        await daemon?.dispose();
        await fileSystem.unmount();
      }
    });
  },
);
