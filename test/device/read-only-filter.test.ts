import { expect, it } from "vitest";
import { MemoryDevice } from "../../src/device/memory-device.ts";
import { ReadOnlyFilter } from "../../src/device/read-only-filter.ts";
import { discard, flush, readBytes, writeBytes, writeZeroes } from "../../src/util/io-request.ts";

it("reads and flushes, and changes nothing", async () => {
  const below = new MemoryDevice(8192);
  await writeBytes(below, 0, Buffer.from("abc"));
  const filter = new ReadOnlyFilter(below);
  expect(filter.traits).toMatchObject({ readOnly: true, discardGranularityBytes: 0 });
  expect((await readBytes(filter, 0, 3)).toString()).toBe("abc");
  await flush(filter);
  expect(filter.tryWrite()).toBe(false);
  const refused = { kind: "read-only" };
  await expect(writeBytes(filter, 0, Buffer.from("x"))).rejects.toMatchObject(refused);
  await expect(discard(filter, 0, 4096)).rejects.toMatchObject(refused);
  await expect(writeZeroes(filter, 0, 4096)).rejects.toMatchObject(refused);
  expect((await readBytes(below, 0, 3)).toString()).toBe("abc");
});
