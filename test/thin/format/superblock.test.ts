import { describe, expect, it } from "vitest";
import { crc32c } from "../../../native-free/crc32c.ts";
import { FormatFault } from "../../../src/thin/format/fault.ts";
import {
  decodeSuperblock,
  encodeSuperblock,
  mayWrite,
  type Superblock,
} from "../../../src/thin/format/superblock.ts";
import { setUint32LE, setUint64LE } from "../../../src/util/little-endian.ts";
import { chooseSeed, SeededRandom } from "../../../src/util/random.ts";
import { goldenSuperblock, goldenSuperblockHex } from "./support/golden.ts";
import { hexDump } from "./support/hex-dump.ts";
import { randomSuperblock } from "./support/random-structures.ts";

const seed = chooseSeed(process.env);

/** A superblock with some bytes changed and a checksum that fits: what a hostile disk can say. */
function forged(base: Superblock, change: (bytes: Uint8Array) => void): Uint8Array {
  const bytes = encodeSuperblock(base);
  change(bytes);
  setUint32LE(bytes, 4092, crc32c(bytes, 0, 4092));
  return bytes;
}

describe(`a superblock (THINLUN_SEED=${seed})`, () => {
  const random = new SeededRandom(seed);

  it("is read as it was written", () => {
    for (let round = 0; round < 300; round += 1) {
      const superblock = randomSuperblock(random);
      expect(decodeSuperblock(encodeSuperblock(superblock))).toEqual(superblock);
    }
  });

  it("has the bytes that it always had", () => {
    expect(hexDump(encodeSuperblock(goldenSuperblock))).toBe(goldenSuperblockHex);
  });

  it("is refused when any of its bytes is another", () => {
    const bytes = encodeSuperblock(randomSuperblock(random));
    for (let at = 0; at < bytes.length; at += 1) {
      const flipped = bytes.slice();
      flipped[at] = (flipped[at] ?? 0) ^ (1 << random.below(8));
      expect(decodeSuperblock(flipped), `byte ${at}`).toBeInstanceOf(FormatFault);
    }
  });

  it("is refused when it is cut off, or nothing", () => {
    const bytes = encodeSuperblock(goldenSuperblock);
    for (const length of [0, 1, 16, 4091, 4092, 4095]) {
      expect(decodeSuperblock(bytes.subarray(0, length))).toBeInstanceOf(FormatFault);
    }
    expect(decodeSuperblock(new Uint8Array(4096))).toMatchObject({ kind: "absent" });
  });

  it("refuses the features it does not know as the masks say", () => {
    const incompat = forged(goldenSuperblock, (bytes) => setUint32LE(bytes, 32, 0x10));
    expect(decodeSuperblock(incompat)).toMatchObject({
      kind: "unsupported",
      message: expect.stringContaining("0x10"),
    });
    const roCompat = decodeSuperblock(
      forged(goldenSuperblock, (bytes) => setUint32LE(bytes, 28, 2)),
    );
    const compat = decodeSuperblock(forged(goldenSuperblock, (bytes) => setUint32LE(bytes, 24, 4)));
    if (roCompat instanceof FormatFault || compat instanceof FormatFault)
      throw new Error("refused");
    expect([mayWrite(goldenSuperblock), mayWrite(roCompat), mayWrite(compat)]).toEqual([
      true,
      false,
      true,
    ]);
    const version = forged(goldenSuperblock, (bytes) => setUint32LE(bytes, 16, 2));
    expect(decodeSuperblock(version)).toMatchObject({ kind: "unsupported" });
  });

  it.each<[string, (bytes: Uint8Array) => void]>([
    ["extents of 8 KiB", (bytes) => setUint32LE(bytes, 36, 13)],
    ["extents beyond a number", (bytes) => setUint32LE(bytes, 36, 0xffff_ffff)],
    ["no device", (bytes) => setUint32LE(bytes, 76, 0)],
    ["33 devices", (bytes) => setUint32LE(bytes, 76, 33)],
    ["4 billion devices", (bytes) => setUint32LE(bytes, 76, 0xffff_ffff)],
    ["a device that is not its own", (bytes) => setUint32LE(bytes, 72, 1)],
    ["a device index past the table", (bytes) => setUint32LE(bytes, 72, 0xffff_ffff)],
    ["the same device twice", (bytes) => bytes.copyWithin(408, 384, 408)],
    ["no pool UUID", (bytes) => bytes.fill(0, 40, 56)],
    ["a generation past 2^53", (bytes) => bytes.fill(0xff, 80, 88)],
    ["a journal in the head", (bytes) => setUint64LE(bytes, 120, 4096)],
    ["a journal of no block", (bytes) => setUint64LE(bytes, 128, 0)],
    ["a journal past the device", (bytes) => setUint64LE(bytes, 128, 2 ** 20)],
    ["an odd pointer", (bytes) => setUint32LE(bytes, 116, 1)],
    ["an unknown state of its owner", (bytes) => setUint32LE(bytes, 188, 3)],
    ["a name that is not UTF-8", (bytes) => bytes.set([2, 0xc3, 0x28], 256)],
    ["a name without end", (bytes) => bytes.fill(0xff, 256, 257)],
    ["an unknown flag", (bytes) => setUint32LE(bytes, 20, 8)],
    ["something in reserved bytes", (bytes) => bytes.fill(1, 4091, 4092)],
    ["something behind its name", (bytes) => bytes.fill(1, 383, 384)],
  ])("is refused with %s", (_, change) => {
    expect(decodeSuperblock(forged(goldenSuperblock, change))).toMatchObject({ kind: "damaged" });
  });

  it("survives random fields under a good checksum", () => {
    for (let round = 0; round < 3000; round += 1) {
      const bytes = forged(randomSuperblock(random), (all) => {
        for (let change = 0; change < 3; change += 1) {
          all[random.between(16, 1160)] = random.below(256);
        }
      });
      const decoded = decodeSuperblock(bytes);
      if (!(decoded instanceof FormatFault) && mayWrite(decoded) && decoded.features.compat === 0) {
        expect(Buffer.compare(encodeSuperblock(decoded), bytes)).toBe(0);
      }
    }
  });
});
