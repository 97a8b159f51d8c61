import { chmodSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import type { CommandResult } from "../../src/initiator/command.ts";
import { connect } from "../../src/initiator/connect.ts";
import { cdb16, newCdb, read } from "../../src/initiator/scsi.ts";
import type { InitiatorSession } from "../../src/initiator/session.ts";
import { Daemon, type DaemonConfig } from "../support/daemon.ts";

/*
 * The keys of pools and thin volumes that an initiator can see the effect of, from the YAML file to the wire, with the built daemon.
 */

const TARGET = "iqn.2026-11.net.example:disk";
const MIB = 1024 * 1024;
const BLOCK = 512;
const CHUNK = 256 * 1024;
const NO_SPACE = "7/27/7";
const TRY_AGAIN = "2/4/14";

let daemon: Daemon | null = null;
const sessions: InitiatorSession[] = [];

afterEach(async () => {
  for (const session of sessions.splice(0)) session.destroy();
  await daemon?.dispose();
  daemon = null;
});

type Volumes = Readonly<Record<string, object>>;

function configOf(folder: string, pool: object, volumes: Volumes): DaemonConfig {
  const thin = { driver: "thin", pool: "tank", create: true };
  const entries = Object.entries(volumes).map(([name, keys]) => [name, { ...thin, ...keys }]);
  const luns = Object.keys(volumes).map((volume, lun) => ({ lun, volume }));
  return {
    pools: { tank: { devices: [join(folder, "pool.img")], create: { size: "64MiB" }, ...pool } },
    volumes: Object.fromEntries(entries) as Volumes,
    targets: [{ name: TARGET, luns }],
  };
}

/** The built daemon with a pool of 64 MiB; `poolOf` has the keys that it has besides. */
async function serve(poolOf: (folder: string) => object, volumes: Volumes): Promise<Daemon> {
  daemon = await Daemon.start((folder) => configOf(folder, poolOf(folder), volumes));
  return daemon;
}

async function logIn({ port }: Daemon): Promise<InitiatorSession> {
  const initiatorName = "iqn.2026-11.net.example:tester";
  const place = { address: "127.0.0.1", port };
  const session = await connect({ ...place, initiatorName, targetName: TARGET });
  sessions.push(session);
  return session;
}

function senseOf({ status, sense }: CommandResult): string {
  if (status !== 2 || sense === undefined) return `status ${status}`;
  const codes = [sense.key, sense.additionalSenseCode, sense.additionalSenseCodeQualifier];
  return codes.map((code) => code.toString(16)).join("/");
}

const GOOD = "status 0";

/** Writes one chunk, which has its number in each byte, past unit attentions. */
async function writeChunk(session: InitiatorSession, lun: number, chunk: number): Promise<string> {
  const blocks = CHUNK / BLOCK;
  const cdb = cdb16(0x8a, chunk * blocks, blocks);
  const dataOut = Buffer.alloc(CHUNK, byteOf(chunk));
  for (;;) {
    const sense = senseOf(await session.execute({ lun, cdb, dataOut }));
    if (!sense.startsWith("6/")) return sense;
  }
}

function byteOf(chunk: number): number {
  return 1 + (chunk % 250);
}

/** Writes chunks one after the other until one fails for good, or all are there; tells how many are, and how it ended. */
async function fill(
  session: InitiatorSession,
  lun: number,
  countMax: number,
): Promise<{ count: number; end: string }> {
  for (let count = 0; count < countMax;) {
    const end = await writeChunk(session, lun, count);
    if (end === GOOD) count += 1;
    else if (end !== TRY_AGAIN) return { count, end };
  }
  return { count: countMax, end: GOOD };
}

async function expectChunks(session: InitiatorSession, count: number): Promise<void> {
  await session.execute({ lun: 0, cdb: newCdb(6, 0x00) });
  const blocks = CHUNK / BLOCK;
  for (let chunk = 0; chunk < count; chunk += 1) {
    const place = { lun: 0, lba: chunk * blocks, blocks, blockBytes: BLOCK };
    const data = await read(session, place);
    if (Buffer.alloc(CHUNK, byteOf(chunk)).equals(data)) continue;
    expect.fail(`chunk ${chunk} is not what was written`);
  }
}

/** Makes a file of zeros. */
function emptyFile(path: string, sizeBytes: number): string {
  writeFileSync(path, "");
  truncateSync(path, sizeBytes);
  return path;
}

/** More than the pool has at first. */
const PAST_FIRST_SIZE = (72 * MIB) / CHUNK;
const DISK = { disk: { size: "1GiB" } };

describe("a pool that is written full", () => {
  it("grows with its image, up to the maximum", async () => {
    const growth = { below: "64MiB", step: "64MiB", max: "128MiB" };
    const host = await serve(() => ({ autogrow: growth, fullRetry: 5 }), DISK);
    const session = await logIn(host);
    const { count, end } = await fill(session, 0, 4096);
    expect(end).toBe(NO_SPACE);
    expect(count).toBeGreaterThan((96 * MIB) / CHUNK);
    expect(statSync(join(host.folder, "pool.img")).size).toBe(128 * MIB);
    await expectChunks(session, count);
    expect(host.log).toContain("the pool is low on space and cannot grow further");
  });

  it("takes spare devices, but none that carries anything, and finds them again", async () => {
    const host = await serve((folder) => {
      writeFileSync(join(folder, "diary"), Buffer.alloc(64 * MIB, "precious"));
      const clean = emptyFile(join(folder, "spare.img"), 128 * MIB);
      return { autogrow: { below: "64MiB", spares: [join(folder, "diary"), clean] } };
    }, DISK);
    expect(await fill(await logIn(host), 0, PAST_FIRST_SIZE)).toMatchObject({ end: GOOD });
    expect(readFileSync(join(host.folder, "diary")).subarray(0, 8).toString()).toBe("precious");
    await host.kill();
    await host.restart();
    await expectChunks(await logIn(host), PAST_FIRST_SIZE);
    expect(host.log).toContain("name them under its devices");
  });

  it("takes what a command makes larger, and what it names, and finds that again", async () => {
    const host = await serve((folder) => {
      // First it makes the image larger, then it brings another one.
      const script = [
        "#!/bin/sh",
        `cd '${folder}' && env | grep ^THINLUN_ | sort >> calls`,
        "if [ ! -e larger ]; then truncate -s 96M pool.img; touch larger; exit; fi",
        "if [ ! -e extra.img ]; then truncate -s 128M extra.img; fi",
        'echo "$PWD/extra.img"',
      ];
      writeFileSync(join(folder, "grow.sh"), `${script.join("\n")}\n`);
      chmodSync(join(folder, "grow.sh"), 0o700);
      const command = ["./grow.sh"];
      return { autogrow: { below: "64MiB", step: "64MiB", max: "208MiB", command } };
    }, DISK);
    expect(await fill(await logIn(host), 0, PAST_FIRST_SIZE)).toMatchObject({ end: GOOD });
    const calls = readFileSync(join(host.folder, "calls"), "utf8");
    expect(calls).toMatch(
      /^THINLUN_BYTES_FREE=\d+\nTHINLUN_BYTES_WANTED=67108864\nTHINLUN_POOL=tank\nTHINLUN_POOL_UUID=[0-9a-f-]{36}\n/,
    );
    await host.kill();
    await host.restart();
    await expectChunks(await logIn(host), PAST_FIRST_SIZE);
  });

  it("asks initiators to try again for a while, and then says that there is no space", async () => {
    const host = await serve(() => ({ fullRetry: 3 }), DISK);
    const session = await logIn(host);
    const seen = new Set<string>();
    for (let chunk = 0; !seen.has(NO_SPACE);) {
      const end = await writeChunk(session, 0, chunk);
      seen.add(end);
      if (end === GOOD) chunk += 1;
    }
    expect([...seen]).toEqual([GOOD, TRY_AGAIN, NO_SPACE]);
  });

  it("keeps what is reserved for those that have it reserved", async () => {
    const volumes = { greedy: { size: "1GiB" }, kept: { size: "64MiB", reserve: "16MiB" } };
    const host = await serve(() => ({ fullRetry: 0 }), volumes);
    const session = await logIn(host);
    expect(await fill(session, 0, 4096)).toMatchObject({ end: NO_SPACE });
    const kept = (16 * MIB) / CHUNK;
    expect(await fill(session, 1, kept)).toEqual({ count: kept, end: GOOD });
    expect(await fill(session, 1, 4096)).toMatchObject({ end: NO_SPACE });
  });
});

describe("a thin volume", () => {
  it("takes no more than its quota, and others do not feel it", async () => {
    const volumes = { small: { size: "1GiB", quota: "4MiB" }, other: { size: "1GiB" } };
    const session = await logIn(await serve(() => ({ fullRetry: 3600 }), volumes));
    const quota = (4 * MIB) / CHUNK;
    expect(await fill(session, 0, 4096)).toEqual({ count: quota, end: NO_SPACE });
    expect(await writeChunk(session, 0, 0)).toBe(GOOD);
    expect(await fill(session, 1, 2 * quota)).toMatchObject({ end: GOOD });
  });

  it("is neither made nor grown past the limit of overcommitment", async () => {
    const pool = { overcommit: 2 };
    const large = { size: "1GiB", optional: true };
    const host = await serve(() => pool, { first: { size: "64MiB" }, large });
    expect(host.log).toMatch(/volumes would have .* in all.*its limit is 2 times/);
    const session = await logIn(host);
    expect(await writeChunk(session, 0, 0)).toBe(GOOD);
    const before = host.log.length;
    host.reload(configOf(host.folder, pool, { first: { size: "2GiB" }, large }));
    while (!host.log.includes("volume could not be refreshed", before)) await sleep(20);
    expect(host.log.slice(before)).toMatch(/its limit is 2 times/);
    expect(await writeChunk(session, 0, (64 * MIB) / CHUNK)).toBe("5/21/0");
  });
});
