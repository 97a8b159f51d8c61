import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readBlockTopology, readLoopFiles } from "../../native-free/block-topology.ts";
import { scratchFolder } from "../device/loop-device.ts";

const folder = scratchFolder();
const sys = join(folder, "sys");
const udev = join(folder, "udev");
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The number of the device MAJOR:MINOR, both below 256. */
function rdev(major: number, minor: number): number {
  return major * 256 + minor;
}

function put(path: string, text: string): void {
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, `${text}\n`);
}

beforeAll(() => {
  const disk = join(sys, "devices/pci/sda");
  put(join(disk, "size"), "1000");
  put(join(disk, "sda1/partition"), "1");
  put(join(disk, "sda2/partition"), "2");
  put(join(disk, "queue/rotational"), "1");
  put(join(disk, "holders/dm-7/dm/name"), "mpatha");
  mkdirSync(join(disk, "sda1/holders/md0"), { recursive: true });
  put(join(sys, "devices/virtual/loop3/loop/backing_file"), "/srv/disk.img");
  put(join(sys, "devices/virtual/loop4/size"), "0");
  mkdirSync(join(sys, "dev/block"), { recursive: true });
  mkdirSync(join(sys, "block"), { recursive: true });
  symlinkSync("../../devices/pci/sda", join(sys, "dev/block/8:0"));
  symlinkSync("../../devices/pci/sda/sda1", join(sys, "dev/block/8:1"));
  symlinkSync("../../devices/virtual/loop4", join(sys, "dev/block/7:4"));
  for (const name of ["loop3", "loop4"]) {
    symlinkSync(`../devices/virtual/${name}`, join(sys, "block", name));
  }
  put(join(udev, "b8:0"), "S:disk/by-id/x\nE:DM_MULTIPATH_DEVICE_PATH=1\nE:ID_TYPE=disk");
  put(join(udev, "b8:1"), "E:DM_MULTIPATH_DEVICE_PATH=0");
});

describe("what a block device consists of", () => {
  it("is told of a whole disk: partitions, holders by both names, and paths", async () => {
    const topology = await readBlockTopology(rdev(8, 0), sys, udev);
    expect(topology).toMatchObject({
      name: "sda",
      disk: null,
      holders: ["dm-7 (mpatha)"],
      diskHolders: [],
      isMultipathLeg: true,
    });
    expect(topology?.partitions.toSorted()).toEqual(["sda1", "sda2"]);
  });

  it("is told of a partition, with what stands on its disk", async () => {
    expect(await readBlockTopology(rdev(8, 1), sys, udev)).toEqual({
      name: "sda1",
      disk: "sda",
      partitions: [],
      holders: ["md0"],
      diskHolders: ["dm-7 (mpatha)"],
      isMultipathLeg: false,
    });
  });

  it("is little of a plain device, and nothing of one that is not known", async () => {
    expect(await readBlockTopology(rdev(7, 4), sys, udev)).toEqual({
      name: "loop4",
      disk: null,
      partitions: [],
      holders: [],
      diskHolders: [],
      isMultipathLeg: false,
    });
    expect(await readBlockTopology(rdev(9, 9), sys, udev)).toBeNull();
  });

  it("is a file for a loop device in use", async () => {
    expect(await readLoopFiles(sys)).toEqual([{ device: "loop3", file: "/srv/disk.img" }]);
    expect(await readLoopFiles(join(folder, "none"))).toEqual([]);
  });
});
