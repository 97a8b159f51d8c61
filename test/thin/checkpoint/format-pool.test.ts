import { mkdtempSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { FileDevice } from "../../../src/device/file-device.ts";
import { ErrorFilter } from "../../../src/device/error-filter.ts";
import { MemoryDevice } from "../../../src/device/memory-device.ts";
import { formatPool } from "../../../src/thin/checkpoint/format-pool.ts";
import { defaultJournalBytes, planSegment } from "../../../src/thin/checkpoint/segment-plan.ts";
import { dirtyPagesFor, metadataReserve } from "../../../src/thin/checkpoint/metadata-reserve.ts";
import { Geometry } from "../../../src/thin/format/geometry.ts";
import { flush, IoKind, readBytes, writeBytes } from "../../../src/util/io-request.ts";
import { systemRandomBytes } from "../../../src/util/random.ts";
import { formatted, MIB, opened, ownerOf, POOL_UUID, recorded } from "./fixture.ts";

const options = {
  uuid: POOL_UUID,
  extentBytes: 65536,
  settings: { name: "tank", overcommitMax: 0, thresholds: [] },
  randomBytes: systemRandomBytes,
  owner: ownerOf(0),
};

describe("making a pool", () => {
  it("clears head and tail, and writes the superblock last", async () => {
    const memory = new MemoryDevice(16 * MIB);
    memory.tryWrite(Buffer.from("a file system"), 0, 13, 1024);
    memory.tryWrite(Buffer.from("a partition table"), 0, 17, 16 * MIB - 512);
    const recorder = recorded(memory);
    await formatPool([{ device: recorder, isZero: false }], options);
    const writes = recorder.events.map((event) =>
      event === "flush"
        ? event
        : event.offsetBytes >= 9 * MIB && event.offsetBytes < 14 * MIB
          ? "root"
          : "superblock",
    );
    const zeros = recorder.events.findIndex(
      (event) => event !== "flush" && event.bytes.some(Boolean),
    );
    expect(writes.slice(zeros)).toEqual(["root", "flush", "superblock", "superblock", "flush"]);
    const head = Buffer.alloc(13);
    memory.tryRead(head, 0, 13, 1024);
    expect(head).toEqual(Buffer.alloc(13));
    memory.tryRead(head, 0, 13, 16 * MIB - 512);
    expect(head).toEqual(Buffer.alloc(13));
  });

  it("has the space of journal, roots and superblocks in a sparse file, whatever was in it", async () => {
    const folder = mkdtempSync(join(tmpdir(), "thinlun-format-"));
    try {
      const path = join(folder, "image");
      writeFileSync(path, "");
      truncateSync(path, 40 * MIB);
      const before = statSync(path).blocks;
      const device = await FileDevice.open(path);
      await writeBytes(device, 9 * MIB, Buffer.alloc(4096, 0xee));
      await formatPool([{ device, isZero: false }], { ...options, journalBytes: 2 * MIB });
      const journal = await readBytes(device, 8 * MIB, 2 * MIB);
      expect(journal.equals(Buffer.alloc(2 * MIB))).toBe(true);
      await flush(device);
      const needed = 2 * MIB + 65536 + 5 * 4096;
      expect((statSync(path).blocks - before) * 512).toBeGreaterThanOrEqual(needed);
      await device.close();
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("knows zeros only where the device is of zeros", async () => {
    const zero = await opened(await formatted([16 * MIB], true));
    const { segments } = zero.state.addresses;
    expect(segments[0]?.virginFrom).toBeGreaterThan(0);
    expect(segments[0]?.virginFrom).toBeLessThan(segments[0]?.extents ?? 0);
    const unknown = await opened(await formatted([16 * MIB], false));
    const [segment] = unknown.state.addresses.segments;
    expect(segment?.virginFrom).toBe(segment?.extents);
  });

  it("refuses what makes no pool, and says when a device fails", async () => {
    const device = new MemoryDevice(16 * MIB);
    const bad = [
      { ...options, uuid: "x" },
      { ...options, extentBytes: 4096 },
      { ...options, journalBytes: 4096 },
      { ...options, journalBytes: 64 * MIB },
      { ...options, settings: { ...options.settings, name: "" } },
    ];
    for (const one of bad) {
      await expect(formatPool([{ device, isZero: true }], one)).rejects.toMatchObject({
        kind: "invalid",
      });
    }
    await expect(formatPool([], options)).rejects.toMatchObject({ kind: "invalid" });
    const failing = new ErrorFilter(device, [{ error: "medium", kind: IoKind.flush }]);
    await expect(formatPool([{ device: failing, isZero: true }], options)).rejects.toMatchObject({
      kind: "io",
    });
  });

  it("plans journal, segments and reserve", () => {
    expect(defaultJournalBytes(16 * MIB)).toBe(MIB);
    expect(defaultJournalBytes(4096 * MIB)).toBe(64 * MIB);
    const request = { device: 0, sizeBytes: 11 * MIB + 100, extentBytes: 65536, isZero: false };
    expect(planSegment({ ...request, journalBytes: MIB })).toBeNull();
    expect(planSegment({ ...request, journalBytes: 0 })).toEqual({
      device: 0,
      offsetBytes: 8 * MIB,
      extents: 16,
      virginFrom: 16,
    });
    const geometry = new Geometry(65536);
    expect(metadataReserve(16, geometry)).toBe(4);
    expect(metadataReserve(6, geometry)).toBe(2);
    expect(metadataReserve(1e6, geometry)).toBe(1e4);
    expect(metadataReserve(1e9, geometry)).toBe(16384);
    expect(dirtyPagesFor(1, geometry)).toBe(2);
    expect(dirtyPagesFor(16384, geometry)).toBe(16384);
  });
});
