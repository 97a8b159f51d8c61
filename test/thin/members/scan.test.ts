import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FileDevice } from "../../../src/device/file-device.ts";
import { createImageFile } from "../../../src/device/image-file.ts";
import { SUPERBLOCK_OFFSETS, tailOffsets } from "../../../src/thin/format/layout.ts";
import { writeSuperblock } from "../../../src/thin/format/superblock-io.ts";
import type { Superblock } from "../../../src/thin/format/superblock.ts";
import { scanDevices } from "../../../src/thin/members/scan.ts";
import { writeBytes } from "../../../src/util/io-request.ts";
import { scratchFolder } from "../../device/loop-device.ts";
import { testSuperblock, testUuid } from "./support/superblock.ts";

const SIZE_BYTES = 64 * 1024 * 1024;
const folder = scratchFolder();
const file = (name: string): string => join(folder, name);
const devices = [1, 2, 3].map((number) => ({ uuid: testUuid(number), sizeBytes: SIZE_BYTES }));

async function image(name: string, superblock: Superblock): Promise<void> {
  await createImageFile(file(name), SIZE_BYTES);
  await change(name, (device) => writeSuperblock(device, superblock));
}

async function change(name: string, how: (device: FileDevice) => Promise<void>): Promise<void> {
  const device = await FileDevice.open(file(name));
  await how(device);
  await device.close();
}

const active = { ...testSuperblock().owner, hostId: testUuid(300), state: "active" as const };

beforeAll(async () => {
  // The labels of devices 1 and 2 are older than what device 0 says.
  const two = devices.slice(0, 2);
  await image("zero", testSuperblock({ devices, generation: 9, owner: active }));
  await image("one", testSuperblock({ devices: two, deviceIndex: 1, generation: 4 }));
  await image("two", testSuperblock({ devices, deviceIndex: 2, generation: 10 }));
  const alone = testSuperblock({ poolUuid: testUuid(101), poolName: "other" });
  await image("alone", alone);
  await createImageFile(file("empty"), SIZE_BYTES);
  await createImageFile(file("tiny"), 100);
  writeFileSync(file("text"), "no pool");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the search for pools", () => {
  it("finds them in any order, with what device 0 says of owner and members", async () => {
    const names = ["two", "empty", "alone", "tiny", "one", "text", "zero"];
    const pools = await scanDevices(names.map(file));
    expect(pools.map(({ name }) => name).toSorted()).toEqual(["other", "tank"]);
    const tank = pools.find(({ name }) => name === "tank");
    expect(tank).toMatchObject({ uuid: testUuid(100), generation: 9, missing: [] });
    expect(tank?.owner).toMatchObject({ hostId: testUuid(300), state: "active" });
    expect(tank?.devices.map(({ path }) => path)).toEqual(["zero", "one", "two"].map(file));
  });

  it("names what is missing by its UUID", async () => {
    const [withoutOne] = await scanDevices([file("two"), file("zero")]);
    expect(withoutOne?.missing).toEqual([{ index: 1, uuid: testUuid(2), sizeBytes: SIZE_BYTES }]);
    const [onlyTwo] = await scanDevices([file("two")]);
    expect(onlyTwo?.missing.map(({ index }) => index)).toEqual([0, 1]);
  });

  it("sees two paths with one device, and one path given twice", async () => {
    await createImageFile(file("copy"), SIZE_BYTES);
    await change("copy", (device) => writeSuperblock(device, testSuperblock({ devices })));
    const [pool] = await scanDevices([file("zero"), file("zero"), file("copy")]);
    expect(pool?.devices).toEqual([
      { path: file("zero"), otherPaths: [file("copy")], uuid: testUuid(1), index: 0 },
    ]);
  });

  it("reads what somebody else has open, and changes nothing", async () => {
    const holder = await FileDevice.open(file("alone"));
    const pools = await scanDevices([file("alone")]);
    await holder.close();
    expect(pools).toMatchObject([{ name: "other" }]);
  });

  it("tells of what cannot be read, and of what is broken", async () => {
    const broken = testSuperblock({ poolUuid: testUuid(102) });
    await image("broken", broken);
    await change("broken", async (device) => {
      for (const offset of [...SUPERBLOCK_OFFSETS, ...tailOffsets(SIZE_BYTES)]) {
        await writeBytes(device, offset + 60, Buffer.from("broken"));
      }
    });
    const problems: string[] = [];
    const onProblem = (path: string): void => void problems.push(path);
    const paths = [file("broken"), file("missing"), folder, file("empty")];
    expect(await scanDevices(paths, { onProblem })).toEqual([]);
    expect(problems).toEqual([file("broken"), file("missing"), folder]);
  });
});
