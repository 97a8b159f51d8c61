import { expect } from "vitest";
import type { BlockDevice } from "../../src/device/block-device.ts";
import { IoKind } from "../../src/util/io-request.ts";
import { SeededRandom } from "../../src/util/random.ts";
import { TestRequest } from "./test-request.ts";

/** The largest single operation of the comparison. */
const LENGTH_BYTES_MAX = 300_000;

async function submit(device: BlockDevice, request: TestRequest): Promise<void> {
  device.submit(request);
  await request.ended;
  expect(request.doneCount).toBe(1);
  if (request.error !== null) throw request.error;
}

function cut(random: SeededRandom, bytes: Buffer): Buffer[] {
  const parts: Buffer[] = [];
  let rest = bytes;
  while (rest.length > 0) {
    const length = random.between(1, rest.length);
    parts.push(rest.subarray(0, length));
    rest = rest.subarray(length);
  }
  return parts;
}

/** One random operation on the device, and the same on the plain buffer. */
async function step(
  device: BlockDevice,
  model: Buffer,
  random: SeededRandom,
  unitBytes: number,
): Promise<void> {
  const units = Math.floor(model.length / unitBytes);
  const offset = random.below(units) * unitBytes;
  const longest = Math.min(random.pick([4096, 65_536, LENGTH_BYTES_MAX]), model.length - offset);
  const length = Math.max(1, Math.floor(random.between(1, longest) / unitBytes)) * unitBytes;
  const choice = random.below(10);
  if (choice < 4) {
    const buffer = Buffer.alloc(length);
    const isDone = random.chance(0.7) && device.tryRead(buffer, 0, length, offset);
    if (!isDone) await submit(device, new TestRequest(IoKind.read, offset, cut(random, buffer)));
    expect(buffer.equals(model.subarray(offset, offset + length))).toBe(true);
    return;
  }
  if (choice < 8) {
    const data = random.bytes(length);
    const isDone = random.chance(0.7) && device.tryWrite(data, 0, length, offset);
    if (!isDone) {
      const request = new TestRequest(IoKind.write, offset, cut(random, data));
      request.forceUnitAccess = random.chance(0.05);
      await submit(device, request);
    }
    data.copy(model, offset);
    return;
  }
  const discards = choice === 8 && device.traits.discardZeroes;
  const kind = discards ? IoKind.discard : IoKind.writeZeroes;
  await submit(device, new TestRequest(kind, offset, length));
  model.fill(0, offset, offset + length);
}

/**
 * Does random operations on a device that is all zeros, and compares with a plain buffer. Every offset and length is a
 * multiple of `unitBytes`.
 */
export async function compareWithBuffer(
  device: BlockDevice,
  seed: number,
  rounds: number,
  unitBytes: number,
): Promise<void> {
  const random = new SeededRandom(seed);
  const model = Buffer.alloc(device.capacityBytes);
  for (let round = 0; round < rounds; round += 1) {
    try {
      await step(device, model, random, unitBytes);
    } catch (error) {
      throw new Error(`THINLUN_SEED=${seed}, round ${round}`, { cause: error });
    }
  }
  const whole = Buffer.alloc(model.length);
  await submit(device, new TestRequest(IoKind.read, 0, [whole]));
  expect(whole.equals(model), `THINLUN_SEED=${seed}, at the end`).toBe(true);
}
