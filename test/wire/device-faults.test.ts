import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ErrorFilter } from "../../src/device/error-filter.ts";
import { MemoryDevice } from "../../src/device/memory-device.ts";
import type { CommandResult } from "../../src/initiator/command.ts";
import { cdb16, newCdb } from "../../src/initiator/scsi.ts";
import type { InitiatorSession } from "../../src/initiator/session.ts";
import type { IoErrorKind } from "../../src/util/io-error.ts";
import { IoKind } from "../../src/util/io-request.ts";
import { DISK_BYTES, InProcessTarget } from "../support/in-process-target.ts";

const MIB = 1024 * 1024;

let device: ErrorFilter;
let memory: MemoryDevice;
let target: InProcessTarget;
let session: InitiatorSession;

beforeEach(async () => {
  memory = new MemoryDevice(DISK_BYTES);
  device = new ErrorFilter(memory);
  const healthy = new MemoryDevice(DISK_BYTES);
  target = await InProcessTarget.start({ targets: [{ units: [{ device }, { device: healthy }] }] });
  session = await target.connect();
  for (const lun of [0, 1]) await session.execute({ lun, cdb: newCdb(6, 0x00) });
});

afterEach(async () => {
  // Whatever happened to the one disk: the session and the other disk go on.
  expect((await read(1, 0, 8)).status).toBe(0);
  await session.logout();
  await target.close();
  expect(target.server.statistics).toEqual({ connections: 0, sessions: 0, lentBytes: 0 });
});

function read(lun: number, lba: number, blocks: number): Promise<CommandResult> {
  return session.execute({ lun, cdb: cdb16(0x88, lba, blocks), expectedInBytes: blocks * 512 });
}

function write(lba: number, blocks: number, forceUnitAccess = false): Promise<CommandResult> {
  const cdb = cdb16(0x8a, lba, blocks);
  if (forceUnitAccess) cdb[1] = 0x08;
  return session.execute({ lun: 0, cdb, dataOut: Buffer.alloc(blocks * 512, 1) });
}

function senseOf({ status, sense }: CommandResult): string {
  if (status !== 2 || sense === undefined) return `status ${status}`;
  const codes = [sense.key, sense.additionalSenseCode, sense.additionalSenseCodeQualifier];
  return codes.map((code) => code.toString(16)).join("/");
}

describe("a disk that fails", () => {
  it.each([
    ["medium", "3/11/0"],
    ["failed", "4/44/0"],
  ] as const)(
    "while reading (%s) gives its sense, and reads again when it is well",
    async (error, sense) => {
      device.setRules([{ error, kind: IoKind.read, times: 1 }]);
      expect(senseOf(await read(0, 0, 8))).toBe(sense);
      device.setRules([]);
      expect((await read(0, 0, 8)).status).toBe(0);
    },
  );

  it.each([
    ["medium", "3/c/0"],
    ["space", "7/27/7"],
    ["read-only", "7/27/0"],
  ] as const)("while writing (%s) gives its sense, however the data come", async (error, sense) => {
    for (const blocks of [1, 8, 512, 2048, 8192]) {
      device.setRules([{ error, kind: IoKind.write, times: 1 }]);
      expect(senseOf(await write(0, blocks)), `${blocks} blocks`).toBe(sense);
    }
    device.setRules([]);
    expect((await write(0, 8)).status).toBe(0);
  });

  it("in the middle of a long transfer ends that command alone", async () => {
    const rule = { error: "medium", startBytes: 3 * MIB, endBytes: 3 * MIB + 4096 } as const;
    device.setRules([rule]);
    expect(senseOf(await read(0, 0, 8192))).toBe("3/11/0");
    expect(senseOf(await write(0, 8192))).toBe("3/c/0");
    expect((await read(0, 0, 2048)).status).toBe(0);
    const many = await Promise.all([0, 1, 2, 3, 4, 5].map((index) => read(0, index * 2048, 2048)));
    expect(many.map(({ status }) => status)).toEqual([0, 0, 0, 2, 0, 0]);
  });

  it("while flushing fails SYNCHRONIZE CACHE and writes with FUA", async () => {
    device.setRules([{ error: "medium", kind: IoKind.flush, times: 1 }]);
    const flush = await session.execute({ lun: 0, cdb: cdb16(0x91, 0, 0) });
    expect(flush.status).toBe(2);
    device.setRules([{ error: "medium", kind: IoKind.write, times: 1 }]);
    expect((await write(0, 8, true)).status).toBe(2);
    device.setRules([]);
  });

  it("for good is refused, command for command, without an end of the session", async () => {
    const kinds: readonly IoErrorKind[] = ["gone", "failed", "medium"];
    for (const error of kinds) {
      device.setRules([{ error }]);
      for (let round = 0; round < 20; round += 1) {
        expect((await read(0, round, 8)).status).toBe(2);
        expect((await write(round, 600)).status).toBe(2);
      }
    }
    device.setRules([]);
    expect((await read(0, 0, 8)).status).toBe(0);
  });

  it("because it shrank under the volume refuses what is beyond its end", async () => {
    memory.resize(1 * MIB);
    expect((await read(0, 0, 8)).status).toBe(0);
    expect((await read(0, (2 * MIB) / 512, 8)).status).toBe(2);
    expect((await write((2 * MIB) / 512, 8)).status).toBe(2);
  });
});
