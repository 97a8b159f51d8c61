import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import {
  parseMdstat,
  parseMountInfo,
  parseSwaps,
  readInUse,
} from "../../native-free/mount-table.ts";
import { scratchFolder } from "../device/loop-device.ts";

const folder = scratchFolder();
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const MOUNTS = `22 1 254:0 / / rw,relatime shared:1 master:2 - ext4 /dev/vda1 rw
23 22 0:21 / /mnt/a\\040b rw - btrfs /dev/disk/by-label/x\\134y rw,space_cache
24 22 0:22 / /proc rw,relatime - proc proc rw
a line of another form
`;
const SWAPS = `Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority
/dev/sda2                               partition\t1048572\t\t0\t\t-2
/swap\\040file                           file\t\t1048572\t\t0\t\t-3
`;
const MDSTAT = `Personalities : [raid1] [raid6]
md0 : active raid1 sdb1[1] sda1[0](F)
      1046528 blocks super 1.2 [2/2] [UU]

md127 : inactive nvme0n1p2[0](S)
      1046528 blocks super external:imsm

unused devices: <none>
`;

describe("the kernel's lists of what is in use", () => {
  it("tell mounts, whatever optional fields they have", () => {
    expect(parseMountInfo(MOUNTS)).toEqual([
      { device: "254:0", mountPoint: "/", fileSystem: "ext4", source: "/dev/vda1" },
      {
        device: "0:21",
        mountPoint: "/mnt/a b",
        fileSystem: "btrfs",
        source: "/dev/disk/by-label/x\\y",
      },
      { device: "0:22", mountPoint: "/proc", fileSystem: "proc", source: "proc" },
    ]);
  });

  it("tell swap areas, without the heading", () => {
    expect(parseSwaps(SWAPS)).toEqual(["/dev/sda2", "/swap file"]);
    expect(parseSwaps("")).toEqual([]);
  });

  it("tell the members of arrays, also of those that do not run", () => {
    expect(parseMdstat(MDSTAT)).toEqual([
      { array: "md0", members: ["sdb1", "sda1"] },
      { array: "md127", members: ["nvme0n1p2"] },
    ]);
  });

  it("are read together, and may be missing", async () => {
    expect(await readInUse(join(folder, "none"))).toEqual({ mounts: [], swaps: [], arrays: [] });
    mkdirSync(join(folder, "self"));
    writeFileSync(join(folder, "self/mountinfo"), MOUNTS);
    writeFileSync(join(folder, "swaps"), SWAPS);
    writeFileSync(join(folder, "mdstat"), MDSTAT);
    const { mounts, swaps, arrays } = await readInUse(folder);
    expect([mounts.length, swaps.length, arrays.length]).toEqual([3, 2, 2]);
  });

  it("are this system's unless told otherwise", async () => {
    const { mounts } = await readInUse();
    expect(mounts.map(({ mountPoint }) => mountPoint)).toContain("/");
  });
});
