import { expect, it } from "vitest";
import { discard, flush, readBytes, writeBytes } from "../../../src/util/io-request.ts";
import { NULL_VOLUME_BYTES, NullDriver } from "../../../src/volume/null/null-driver.ts";

const spec = {
  name: "nothing",
  uuid: "8b7a5f9c-2f5e-4c8e-9d35-54a2cbbd3c12",
  sizeBytes: NULL_VOLUME_BYTES,
  options: {},
};

it("takes what is written, and reads as zeros", async () => {
  const volume = await new NullDriver().open(spec);
  expect(volume.capacityBytes).toBe(1024 ** 4);
  await writeBytes(volume, 4096, Buffer.alloc(512, 7));
  expect(await readBytes(volume, 4096, 512)).toEqual(Buffer.alloc(512));
  const buffer = Buffer.alloc(1024, 9);
  expect(volume.tryWrite(buffer, 0, 512, 0)).toBe(true);
  expect(volume.tryRead(buffer, 256, 512, 0)).toBe(true);
  expect(buffer).toEqual(
    Buffer.concat([Buffer.alloc(256, 9), Buffer.alloc(512), Buffer.alloc(256, 9)]),
  );
  await discard(volume, 0, 4096);
  await flush(volume);
  await volume.refresh();
  expect(await volume.extents(0, 4096, 1)).toEqual([
    { offsetBytes: 0, lengthBytes: 4096, mapped: true },
  ]);
  volume.subscribe(() => undefined)();
  await volume.close();
});

it("has an end, and takes no writes where it is read-only", async () => {
  const volume = await new NullDriver().open({ ...spec, sizeBytes: 4096, readOnly: true });
  expect(volume.capabilities.writable).toBe(false);
  const buffer = Buffer.alloc(512);
  expect(volume.tryRead(buffer, 0, 512, 4096)).toBe(false);
  expect(volume.tryWrite(buffer, 0, 512, 0)).toBe(false);
  await expect(readBytes(volume, 4096, 512)).rejects.toMatchObject({ kind: "range" });
  await expect(writeBytes(volume, 0, buffer)).rejects.toMatchObject({ kind: "read-only" });
});

it("is neither made, resized nor deleted, and wants a size", async () => {
  const driver = new NullDriver();
  const volume = await driver.open(spec);
  await expect(driver.create(spec)).rejects.toMatchObject({ kind: "unsupported" });
  await expect(driver.resize(volume)).rejects.toMatchObject({ kind: "unsupported" });
  await expect(driver.delete(spec)).rejects.toMatchObject({ kind: "unsupported" });
  const { sizeBytes: _, ...sizeless } = spec;
  await expect(driver.open(sizeless)).rejects.toMatchObject({ kind: "invalid" });
});
