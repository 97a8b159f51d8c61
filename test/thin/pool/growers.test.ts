import { expect, test } from "vitest";
import { MemoryDevice } from "../../../src/device/memory-device.ts";
import { commandGrower, imageGrower, spareGrower } from "../../../src/thin/pool/growers.ts";

const MIB = 1024 * 1024;

test("an image grows by what is wanted, up to its maximum", async () => {
  const image = new MemoryDevice(64 * MIB);
  const grower = imageGrower({
    device: 3,
    image,
    maxBytes: 100 * MIB,
    resize: (sizeBytes) => Promise.resolve(image.resize(sizeBytes)),
  });
  expect(await grower(20 * MIB)).toEqual({ kind: "grown", device: 3, isZero: true });
  expect(image.capacityBytes).toBe(84 * MIB);
  await grower(20 * MIB);
  expect(image.capacityBytes).toBe(100 * MIB);
  expect(await grower(20 * MIB)).toEqual({ kind: "exhausted" });
});

test("small steps of a large image are made larger", async () => {
  const image = new MemoryDevice(64 * MIB);
  const resize = (sizeBytes: number): Promise<void> => Promise.resolve(image.resize(sizeBytes));
  await imageGrower({ device: 0, image, maxBytes: 1024 * MIB, resize })(1);
  expect(image.capacityBytes).toBe(72 * MIB);
});

test("spare devices are added in their order", async () => {
  const [first, second] = [new MemoryDevice(MIB), new MemoryDevice(MIB)];
  const grower = spareGrower([
    { device: first, uuid: "a" },
    { device: second, uuid: "b" },
  ]);
  expect(await grower(1)).toEqual({ kind: "device", device: first, uuid: "a", isZero: false });
  expect(await grower(1)).toMatchObject({ device: second });
  expect(await grower(1)).toEqual({ kind: "exhausted" });
});

test("a command is told how much is wanted", async () => {
  const asked: number[] = [];
  const grower = commandGrower(1, (bytes) => Promise.resolve(void asked.push(bytes)));
  expect(await grower(7)).toEqual({ kind: "grown", device: 1, isZero: false });
  expect(asked).toEqual([7]);
});
