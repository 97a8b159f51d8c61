import { describe, expect, it } from "vitest";
import { COMMANDS } from "../../src/scsi/command-table.ts";
import { chooseSeed, SeededRandom } from "../../src/util/random.ts";
import { Status } from "../../src/scsi/status.ts";
import { Bench } from "./support/bench.ts";
import type { FakeTask } from "./support/fake-task.ts";

const ROUNDS = 20_000;
const CAPACITY_BYTES = 256 * 1024;

/** A CDB of a known command with some of its bits set, or of any operation code with any bits. */
function randomCdb(random: SeededRandom): Buffer {
  const cdb = random.bytes(16);
  if (random.chance(0.1)) return cdb;
  const command = random.pick(COMMANDS);
  const strict = random.chance(0.8);
  const sparse = random.chance(0.6);
  for (let index = 1; index < 16; index++) {
    let byte = cdb.readUInt8(index);
    if (strict) byte &= command.usage[index] ?? 0;
    // Large addresses and lengths are all refused alike: most should be small.
    if (sparse && !random.chance(0.2)) byte = 0;
    cdb.writeUInt8(byte, index);
  }
  cdb.writeUInt8(command.operationCode, 0);
  if (command.serviceAction >= 0) cdb.writeUInt8(command.serviceAction, 1);
  return cdb;
}

function randomDataOut(random: SeededRandom): Buffer {
  const bytes = random.pick([0, 1, 8, 24, 512, 512, 512, 4096, 65_536]);
  return random.chance(0.5) ? Buffer.alloc(bytes) : random.bytes(bytes);
}

/** Every task has ended once, with a status that fits what it carries. */
function check(task: FakeTask): void {
  expect(task.ends).toBe(1);
  if (task.forgotten === 1) return;
  if (task.status === Status.good) expect(task.senseBytes).toBe(0);
  else expect([task.status, task.senseData === null]).toEqual([Status.checkCondition, false]);
}

async function run(random: SeededRandom): Promise<void> {
  const blockBytes = random.pick([512, 4096] as const);
  const bench = new Bench({ blockBytes, capacityBytes: CAPACITY_BYTES + random.below(4096) });
  const nexuses = [bench.nexus, bench.open("x,i,0x2")];
  bench.volume.extentList = [{ offsetBytes: 0, lengthBytes: CAPACITY_BYTES, mapped: true }];
  const tasks: FakeTask[] = [];
  for (let count = 0; count < 50; count++) {
    bench.volume.cold = random.chance(0.3);
    bench.volume.holding = random.chance(0.5);
    bench.volume.failing = random.chance(0.05) ? "medium" : null;
    const task = bench.run(randomCdb(random), {
      nexus: random.pick(nexuses),
      lun: random.chance(0.95) ? 0 : random.pick([-1, 1, 0xc101]),
      attribute: random.pick([0, 1, 1, 1, 2, 3, 4]),
      dataOut: randomDataOut(random),
      holdDataOut: random.chance(0.1),
    });
    tasks.push(task);
    if (bench.volume.held.length > 0 && random.chance(0.5)) bench.volume.release();
    if (random.chance(0.05)) {
      bench.unit.taskSet.abort(bench.unit.taskSet.tasksOf(random.pick(nexuses)), () => undefined);
    }
    if (random.chance(0.1)) random.pick(tasks).deliver();
  }
  bench.volume.holding = false;
  for (let quiet = 0; quiet < 3;) {
    const ended = tasks.filter((task) => task.ends > 0).length;
    while (bench.volume.held.length > 0) bench.volume.release();
    for (const task of tasks) task.deliver();
    await new Promise(setImmediate);
    quiet = tasks.filter((task) => task.ends > 0).length === ended ? quiet + 1 : 0;
  }
  for (const task of tasks) check(task);
  expect(bench.unit.taskSet.size).toBe(0);
}

describe("any CDB", () => {
  it("ends exactly once and stays within the volume", async () => {
    const seed = chooseSeed(process.env);
    for (let round = 0; round < ROUNDS / 50; round++) {
      try {
        await run(new SeededRandom((seed + round) % 2 ** 32));
      } catch (error) {
        throw new Error(`THINLUN_SEED=${(seed + round) % 2 ** 32}`, { cause: error });
      }
    }
  });
});
