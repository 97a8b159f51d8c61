import { expect, it } from "vitest";

import type { Command } from "../../src/initiator/command.ts";
import type { InitiatorSession } from "../../src/initiator/session.ts";
import { Status } from "../../src/scsi/status.ts";
import { TaskManagementFunction } from "../../src/scsi/task-management.ts";
import { chooseSeed, SeededRandom } from "../../src/util/random.ts";
import { eventually, InProcessTarget, TARGET_NAME } from "../support/in-process-target.ts";
import { MoodyDevice } from "./support/moody-device.ts";

const DISK_BYTES = 8 * 1024 * 1024;
const BLOCKS = DISK_BYTES / 512;
const ROUNDS = 40;

const random = new SeededRandom(chooseSeed(process.env));

/** A read, a write, parameters, or something short, for either unit, with any task attribute. */
function anyCommand(): Command {
  const blocks = random.pick([1, 8, 9, 128, 700, 2048]);
  const cdb = Buffer.alloc(10);
  cdb.writeUInt32BE(random.below(BLOCKS - blocks), 2);
  cdb.writeUInt16BE(blocks, 7);
  const common = { lun: random.below(2), attribute: random.pick([1, 1, 1, 2, 3] as const), cdb };
  switch (random.below(6)) {
    case 0:
    case 1:
      cdb.writeUInt8(0x28, 0);
      return { ...common, expectedInBytes: blocks * 512 - random.pick([0, 0, 100]) };
    case 2:
    case 3:
      cdb.writeUInt8(0x2a, 0);
      cdb.writeUInt8(random.pick([0, 8]), 1);
      return { ...common, dataOut: Buffer.alloc(blocks * 512 + random.pick([0, 0, -512, 512])) };
    case 4: {
      cdb.fill(0).writeUInt8(0x42, 0);
      cdb.writeUInt16BE(24, 7);
      const list = Buffer.alloc(24);
      list.writeUInt16BE(22, 0);
      list.writeUInt16BE(16, 2);
      list.writeUInt32BE(8, 16);
      return { ...common, dataOut: list };
    }
    default:
      return { ...common, cdb: Buffer.alloc(6) };
  }
}

/** How many commands ended with which status. */
const ended: Record<number, number> = {};

/** One of the LUNs goes, unless the other session has taken it, and comes back when nothing uses its disk any more. */
async function takeAway(target: InProcessTarget): Promise<void> {
  const device = target.server.targets.get(TARGET_NAME)?.device;
  const lun = random.below(2);
  const unit = device?.units.get(lun);
  if (device === undefined || unit === undefined) return;
  await new Promise<void>((resolve) => device.detach(lun, resolve));
  device.attach(lun, unit);
}

/** Commands at random, some of them cut short by functions, resets, logouts or the loss of the connection. */
async function live(target: InProcessTarget): Promise<void> {
  const digest = random.pick(["none", "required"] as const);
  const session: InitiatorSession = await target.connect({
    isid: `40000000000${random.below(3)}`,
    digests: { header: digest, data: digest },
    offers: {
      initialR2t: random.chance(0.5),
      immediateData: random.chance(0.5),
      maxBurstLength: random.pick([4096, 65_536, 1_048_576]),
      firstBurstLength: 4096,
      maxRecvDataSegmentLength: random.pick([512, 8192, 262_144]),
      maxOutstandingR2t: random.between(1, 8),
    },
  });
  const all = Array.from({ length: random.between(1, 60) }, () =>
    session.execute(anyCommand()).then(
      ({ status }) => (ended[status] = (ended[status] ?? 0) + 1),
      () => undefined,
    ),
  );
  for (let turn = random.below(60); turn > 0; turn -= 1) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  // Other functions also end commands of the other session, which nobody answers (TAS is 0).
  const functionCode = TaskManagementFunction.abortTaskSet;
  const end = random.below(6);
  if (end === 5) {
    // Nothing is left without an answer: what went to the LUN that goes, and what went to the other.
    const back = takeAway(target);
    await Promise.all(all);
    await back;
  } else if (end === 0) await session.manage({ functionCode, lun: 0 }).catch(() => undefined);
  else if (end === 1) await session.logout().catch(() => undefined);
  else if (end === 2) await Promise.all(all);
  session.destroy();
  await Promise.all(all);
}

/**
 * Sessions of all kinds, on disks that are slow, fast or broken by turns. It found the R2Ts of an ORDERED task that nobody sent,
 * because the end of another session had started it, and reads that waited for room that had long been there.
 */
it("leaves nothing behind, whatever sessions do and whenever they end", async () => {
  const disks = [new MoodyDevice(DISK_BYTES, random), new MoodyDevice(DISK_BYTES, random)];
  const target = await InProcessTarget.start({
    targets: [{ units: disks.map((device) => ({ device })) }],
    // A ping would take along what was forgotten.
    limits: { pings: { intervalSeconds: 0, count: 1 } },
  });
  for (let round = 0; round < ROUNDS; round += 1) {
    // A session with the ISID of another one takes its place.
    await Promise.all([live(target), live(target)].map((life) => life.catch(() => undefined)));
    await target.idle();
    await eventually(
      () => target.server.statistics.sessions === 0,
      `sessions end, seed ${random.seed}`,
    );
    const { lentBytes } = target.server.statistics;
    const running = disks.map(({ runningCount }) => runningCount);
    expect({ lentBytes, running }, `round ${round}, seed ${random.seed}`).toEqual({
      lentBytes: 0,
      running: [0, 0],
    });
  }
  await target.close();
  // It was no life without commands that succeed, and some that fail.
  expect(ended[Status.good]).toBeGreaterThan(ROUNDS);
  expect(ended[Status.checkCondition]).toBeGreaterThan(0);
});
