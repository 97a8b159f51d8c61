import { describe, expect, it } from "vitest";
import { IoError } from "../../../src/util/io-error.ts";
import {
  discard,
  flush,
  IoKind,
  IoRequest,
  readBytes,
  writeBytes,
  writeZeroes,
} from "../../../src/util/io-request.ts";
import { SeededRandom } from "../../../src/util/random.ts";
import type { Volume } from "../../../src/volume/volume.ts";
import { benchOf, failureOf, type VolumeFactory } from "./factory.ts";

const MIB = 1024 * 1024;
const SIZE = 4 * MIB;
const BLOCK = 4096;

const random = new SeededRandom(20_26);

class CollectingRequest extends IoRequest {
  readonly results: (IoError | null)[] = [];
  readonly ended: Promise<void>;
  #end: () => void = () => undefined;

  constructor(kind: IoKind, offsetBytes: number, buffers: Uint8Array[]) {
    super();
    this.kind = kind;
    this.offsetBytes = offsetBytes;
    this.buffers = buffers;
    this.lengthBytes = buffers.reduce((sum, buffer) => sum + buffer.length, 0);
    this.ended = new Promise((resolve) => (this.#end = resolve));
  }

  override done(error: IoError | null): void {
    this.results.push(error);
    this.#end();
  }
}

async function submitted(volume: Volume, request: CollectingRequest): Promise<IoError | null> {
  volume.submit(request);
  await request.ended;
  return request.results[0] ?? null;
}

async function expectIoError(action: Promise<unknown>, kind: IoError["kind"]): Promise<void> {
  const error = await failureOf(action);
  expect(error).toBeInstanceOf(IoError);
  expect(error).toHaveProperty("kind", kind);
}

/** What reads, writes, zeroes, discards and extents do to the bytes. */
export function describeData(factory: VolumeFactory): void {
  const bench = benchOf(factory);

  describe("reading and writing", () => {
    it("reads zeros where nothing was written", async () => {
      const volume = await bench.make(SIZE);
      expect(volume.capacityBytes).toBe(SIZE);
      expect((await readBytes(volume, 0, SIZE)).every((byte) => byte === 0)).toBe(true);
    });

    it("gives back what was written, in ranges of every alignment to 512 bytes", async () => {
      const volume = await bench.make(SIZE);
      for (const [offset, length] of [
        [0, 512],
        [BLOCK - 512, 1024],
        [512, BLOCK],
        [MIB - 512, 2 * MIB],
        [SIZE - 512, 512],
      ] as const) {
        const data = random.bytes(length);
        await writeBytes(volume, offset, data);
        // Element by element, as toEqual compares, megabytes would take a minute.
        expect((await readBytes(volume, offset, length)).equals(data)).toBe(true);
      }
    });

    it("leaves the neighbours of what it writes alone", async () => {
      const volume = await bench.make(SIZE);
      const around = random.bytes(4 * BLOCK);
      await writeBytes(volume, MIB, around);
      const within = random.bytes(512);
      await writeBytes(volume, MIB + BLOCK + 512, within);
      within.copy(around, BLOCK + 512);
      expect(await readBytes(volume, MIB, around.length)).toEqual(around);
    });

    it("gathers and scatters over several buffers", async () => {
      const volume = await bench.make(SIZE);
      const data = random.bytes(6 * 512);
      const pieces = [data.subarray(0, 512), data.subarray(512, 2048), data.subarray(2048)];
      expect(
        await submitted(volume, new CollectingRequest(IoKind.write, BLOCK, pieces)),
      ).toBeNull();
      const target = Buffer.alloc(data.length);
      const views = [target.subarray(0, 2560), target.subarray(2560)];
      expect(await submitted(volume, new CollectingRequest(IoKind.read, BLOCK, views))).toBeNull();
      expect(target).toEqual(data);
    });

    it("calls done once for each request", async () => {
      const volume = await bench.make(SIZE);
      const request = new CollectingRequest(IoKind.write, 0, [random.bytes(512)]);
      await submitted(volume, request);
      await flush(volume);
      expect(request.results).toEqual([null]);
    });

    it("takes a write with forceUnitAccess", async () => {
      const volume = await bench.make(SIZE);
      const data = random.bytes(BLOCK);
      const request = new CollectingRequest(IoKind.write, BLOCK, [data]);
      request.forceUnitAccess = true;
      expect(await submitted(volume, request)).toBeNull();
      expect(await readBytes(volume, BLOCK, BLOCK)).toEqual(data);
    });

    it("serves the same bytes by tryRead and tryWrite as by submit, or promises nothing", async () => {
      const volume = await bench.make(SIZE);
      const data = random.bytes(2 * BLOCK);
      await writeBytes(volume, 0, data);
      const into = Buffer.alloc(3 * BLOCK, 0xee);
      if (volume.tryRead(into, BLOCK, BLOCK, BLOCK)) {
        expect(into.subarray(BLOCK, 2 * BLOCK)).toEqual(data.subarray(BLOCK));
        expect(into.subarray(0, BLOCK).every((byte) => byte === 0xee)).toBe(true);
        expect(into.subarray(2 * BLOCK).every((byte) => byte === 0xee)).toBe(true);
      }
      const other = random.bytes(3 * BLOCK);
      const written = volume.tryWrite(other, BLOCK, BLOCK, BLOCK);
      const expected = written ? other.subarray(BLOCK, 2 * BLOCK) : data.subarray(BLOCK);
      expect(await readBytes(volume, BLOCK, BLOCK)).toEqual(expected);
      expect(await readBytes(volume, 0, BLOCK)).toEqual(data.subarray(0, BLOCK));
    });
  });

  describe("its edges", () => {
    it("serves the last bytes, and nothing past them", async () => {
      const volume = await bench.make(SIZE);
      await writeBytes(volume, SIZE - 512, Buffer.alloc(512, 1));
      await expectIoError(writeBytes(volume, SIZE - 512, Buffer.alloc(1024, 2)), "range");
      await expectIoError(writeBytes(volume, SIZE, Buffer.alloc(512)), "range");
      await expectIoError(readBytes(volume, SIZE - 512, 1024), "range");
      await expectIoError(readBytes(volume, 2 ** 52, 512), "range");
      expect(await readBytes(volume, SIZE - 512, 512)).toEqual(Buffer.alloc(512, 1));
    });

    it("promises nothing outside by tryRead and tryWrite", async () => {
      const volume = await bench.make(SIZE);
      const buffer = Buffer.alloc(1024, 7);
      expect(volume.tryRead(buffer, 0, 1024, SIZE - 512)).toBe(false);
      expect(volume.tryWrite(buffer, 0, 1024, SIZE - 512)).toBe(false);
      expect(volume.tryRead(buffer, 0, 512, 2 ** 52)).toBe(false);
      expect(volume.tryWrite(buffer, 0, 512, 2 ** 52)).toBe(false);
      expect((await readBytes(volume, SIZE - 512, 512)).every((byte) => byte === 0)).toBe(true);
    });

    it("does nothing for a range of no length", async () => {
      const volume = await bench.make(SIZE);
      await writeBytes(volume, SIZE, Buffer.alloc(0));
      expect(await readBytes(volume, 0, 0)).toHaveLength(0);
      await writeZeroes(volume, 0, 0);
    });
  });

  describe("flush", () => {
    it("succeeds with and without something to flush, and many at once", async () => {
      const volume = await bench.make(SIZE);
      await flush(volume);
      await writeBytes(volume, 0, random.bytes(BLOCK));
      await Promise.all(Array.from({ length: 8 }, () => flush(volume)));
    });
  });

  describe("zeroes and discard", () => {
    it("writes zeros over data, of every alignment to 512 bytes", async () => {
      const volume = await bench.make(SIZE);
      const oracle = random.bytes(SIZE);
      await writeBytes(volume, 0, oracle);
      for (const [offset, length] of [
        [512, 512],
        [BLOCK * 3 - 512, BLOCK * 2],
        [MIB, MIB],
        [SIZE - BLOCK, BLOCK],
      ] as const) {
        await writeZeroes(volume, offset, length);
        oracle.fill(0, offset, offset + length);
      }
      expect((await readBytes(volume, 0, SIZE)).equals(oracle)).toBe(true);
    });

    it("discards as the manifest says", async () => {
      const volume = await bench.make(SIZE);
      const { discardGranularityBytes, discardZeroes } = volume.capabilities;
      const oracle = random.bytes(SIZE);
      await writeBytes(volume, 0, oracle);
      if (discardGranularityBytes === 0) {
        await expectIoError(discard(volume, 0, MIB), "unsupported");
        expect((await readBytes(volume, 0, SIZE)).equals(oracle)).toBe(true);
        return;
      }
      const offset = Math.ceil(MIB / discardGranularityBytes) * discardGranularityBytes;
      const length = Math.max(discardGranularityBytes, MIB);
      await discard(volume, offset, length);
      const after = await readBytes(volume, 0, SIZE);
      expect(after.subarray(0, offset).equals(oracle.subarray(0, offset))).toBe(true);
      const end = offset + length;
      expect(after.subarray(end).equals(oracle.subarray(end))).toBe(true);
      const discarded = after.subarray(offset, end);
      if (discardZeroes) expect(discarded.every((byte) => byte === 0)).toBe(true);
      await writeBytes(volume, offset, oracle.subarray(offset, end));
      expect((await readBytes(volume, 0, SIZE)).equals(oracle)).toBe(true);
    });

    it("refuses zeros and discards past the end", async () => {
      const volume = await bench.make(SIZE);
      await writeBytes(volume, SIZE - 512, Buffer.alloc(512, 1));
      await expectIoError(writeZeroes(volume, SIZE - 512, 1024), "range");
      const expected = volume.capabilities.discardGranularityBytes === 0 ? "unsupported" : "range";
      await expectIoError(discard(volume, SIZE - BLOCK, 2 * BLOCK), expected);
      expect(await readBytes(volume, SIZE - 512, 512)).toEqual(Buffer.alloc(512, 1));
    });
  });

  describe("extents", () => {
    it("cover the range in order and without gaps, at most as many as asked for", async () => {
      const volume = await bench.make(SIZE);
      await writeBytes(volume, MIB, random.bytes(MIB));
      const extents = await volume.extents(512, SIZE - 1024, 64);
      let at = 512;
      for (const extent of extents) {
        expect(extent.offsetBytes).toBe(at);
        expect(extent.lengthBytes).toBeGreaterThan(0);
        at += extent.lengthBytes;
      }
      expect(at).toBe(SIZE - 512);
      expect(await volume.extents(0, SIZE, 1)).toHaveLength(1);
      // Data that were written are mapped; the converse holds only where the driver can tell.
      const written = await volume.extents(MIB, MIB, 64);
      expect(written.every(({ mapped }) => mapped)).toBe(true);
      if (!volume.capabilities.extents) expect(extents).toHaveLength(1);
      else expect(extents.some(({ mapped }) => !mapped)).toBe(true);
    });

    it("are refused past the end", async () => {
      const volume = await bench.make(SIZE);
      await expectIoError(volume.extents(SIZE - 512, 1024, 8), "range");
    });
  });
}
