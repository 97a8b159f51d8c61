import { mkdirSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { deviceNumbers } from "../../../native-free/block-geometry.ts";
import { inspectPath, type SystemFolders } from "../../../src/thin/members/claim.ts";
import { openForPool } from "../../../src/thin/members/open-member.ts";
import { createImageFile } from "../../../src/device/image-file.ts";
import {
  LoopDevice,
  loopDevicesMissing,
  orWhyNot,
  scratchFolder,
} from "../../device/loop-device.ts";
import { attempt, run } from "../../support/program.ts";
import { refusalOf } from "./support/refusal.ts";

const MIB = 1024 * 1024;
const top = scratchFolder();
afterAll(() => rmSync(top, { recursive: true, force: true }));
const missing = loopDevicesMissing();

let count = 0;
let folder = "";
let folders: SystemFolders;
beforeEach(() => {
  count += 1;
  folder = join(top, String(count));
  folders = { sys: join(folder, "sys"), proc: join(folder, "proc"), udev: join(folder, "udev") };
  mkdirSync(join(folders.proc, "self"), { recursive: true });
});

function put(path: string, text: string): void {
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, text);
}

describe("what is found out about a file", () => {
  it("is one identity under all its names", async () => {
    const [path, link] = [join(folder, "image"), join(folder, "link")];
    put(path, "");
    symlinkSync(path, link);
    const facts = await inspectPath(path, folders);
    expect(facts).toMatchObject({ path, isBlockDevice: false });
    expect((await inspectPath(link, folders)).identity).toBe(facts.identity);
  });

  it("is a refusal where there is none, or something else", async () => {
    const gone = await refusalOf(inspectPath(join(folder, "none"), folders));
    expect(gone.kind).toBe("missing");
    for (const path of [folder, "/dev/null"]) {
      expect((await refusalOf(inspectPath(path, folders))).kind).toBe("unsupported");
    }
  });

  it("is a refusal that says who uses it: a mount, swap, a loop device", async () => {
    const path = join(folder, "image");
    put(path, "");
    const refusal = async (): Promise<string> => {
      const error = await refusalOf(inspectPath(path, folders));
      expect(error.kind).toBe("busy");
      return error.message;
    };
    put(join(folders.sys, "block/loop3/loop/backing_file"), `${path}\n`);
    expect(await refusal()).toContain("the file behind /dev/loop3");
    put(join(folders.proc, "swaps"), `Filename Type\n${path} file 1 0 -2\n`);
    expect(await refusal()).toContain("swaps to it");
    const mount = `22 1 0:9 / /mnt/x rw - ext4 ${path} rw\n`;
    put(join(folders.proc, "self/mountinfo"), mount);
    expect(await refusal()).toContain("mounted on /mnt/x (ext4)");
  });
});

describe.skipIf(missing !== null)(`what is found out about a device${orWhyNot(missing)}`, () => {
  async function withLoop(use: (loop: LoopDevice, sys: string) => Promise<void>): Promise<void> {
    const loop = await LoopDevice.attach(80 * MIB);
    const { major, minor } = deviceNumbers(statSync(loop.path).rdev);
    const disk = join(folders.sys, "devices/disk");
    put(join(disk, "size"), "1");
    mkdirSync(join(folders.sys, "dev/block"), { recursive: true });
    symlinkSync("../../devices/disk", join(folders.sys, `dev/block/${major}:${minor}`));
    try {
      await use(loop, disk);
    } finally {
      await loop.detach();
    }
  }

  async function busy(loop: LoopDevice): Promise<string> {
    const error = await refusalOf(inspectPath(loop.path, folders));
    expect(error.kind).toBe("busy");
    return error.message;
  }

  it("names what stands on it, and its other paths", () =>
    withLoop(async (loop, disk) => {
      const { major, minor } = deviceNumbers(statSync(loop.path).rdev);
      expect((await inspectPath(loop.path, folders)).isBlockDevice).toBe(true);
      put(join(folders.udev, `b${major}:${minor}`), "E:DM_MULTIPATH_DEVICE_PATH=1\n");
      expect(await busy(loop)).toContain("several paths");
      put(join(disk, "sdx1/partition"), "1");
      expect(await busy(loop)).toContain("partitions (sdx1)");
      put(join(disk, "holders/dm-1/dm/name"), "vg-lv");
      expect(await busy(loop)).toContain("dm-1 (vg-lv) stands on it");
      const name = loop.path.slice("/dev/".length);
      put(join(folders.proc, "mdstat"), `md7 : inactive ${name}[0](S)\n`);
      expect(await busy(loop)).toContain("member of the array md7");
      put(
        join(folders.proc, "self/mountinfo"),
        `1 1 ${major}:${minor} / / rw - ext4 /dev/root rw\n`,
      );
      expect(await busy(loop)).toContain("the system runs from it");
    }));

  it("is refused while it is mounted, and the file behind it as well", () =>
    withLoop(async (loop) => {
      if ((await attempt("mkfs.ext4", "-q", loop.path)).status !== 0) return;
      const mountPoint = join(folder, "mnt");
      mkdirSync(mountPoint);
      await run("mount", loop.path, mountPoint);
      try {
        const error = await refusalOf(openForPool(loop.path));
        expect(error.kind).toBe("busy");
        expect(error.message).toContain(`mounted on ${mountPoint}`);
        expect((await refusalOf(openForPool(loop.backingFile))).kind).toBe("busy");
      } finally {
        await run("umount", mountPoint);
      }
    }));

  it("is refused by the kernel where nothing else says who has it", () =>
    withLoop(async (loop) => {
      const first = await openForPool(loop.path, { folders });
      const error = await refusalOf(openForPool(loop.path, { folders }));
      await first.close();
      expect(error.kind).toBe("busy");
      await (await openForPool(loop.path, { folders })).close();
    }));
});

describe("the opening of a file for a pool", () => {
  it("is exclusive", async () => {
    const path = join(folder, "image");
    await createImageFile(path, 64 * MIB);
    const first = await openForPool(path);
    expect((await refusalOf(openForPool(path))).kind).toBe("busy");
    await first.close();
    await (await openForPool(path)).close();
  });

  it("is refused below 64 MiB, and leaves it free", async () => {
    const path = join(folder, "image");
    await createImageFile(path, 64 * MIB - 512);
    for (let attempts = 0; attempts < 2; attempts += 1) {
      const error = await refusalOf(openForPool(path));
      expect(error.kind).toBe("invalid");
      expect(error.message).toContain("at least 64 MiB");
    }
  });
});
