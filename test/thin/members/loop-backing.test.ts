import { linkSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { FileDevice } from "../../../src/device/file-device.ts";
import { otherUseOfLoop } from "../../../src/thin/members/loop-backing.ts";
import { scratchFolder } from "../../device/loop-device.ts";

let folder: string;
let image: string;

beforeEach(() => {
  folder = scratchFolder();
  image = join(folder, "image");
  writeFileSync(image, Buffer.alloc(4096));
});
afterEach(() => rmSync(folder, { recursive: true }));

function attach(loop: string, file: string): void {
  const place = join(folder, "sys/block", loop, "loop");
  mkdirSync(place, { recursive: true });
  writeFileSync(join(place, "backing_file"), `${file}\n`);
}

const use = (): Promise<string | null> => otherUseOfLoop("loop0", join(folder, "sys"));

it("is none for what is no loop device, or the only user of its file", async () => {
  expect(await use()).toBeNull();
  attach("loop0", image);
  attach("loop1", join(folder, "another"));
  expect(await use()).toBeNull();
  attach("loop0", join(folder, "gone (deleted)"));
  expect(await use()).toBeNull();
});

it("is whoever has locked the file, as a daemon does whose pool is in it", async () => {
  attach("loop0", image);
  const daemon = await FileDevice.open(image);
  expect(await use()).toMatch(/image is in use: it is locked/);
  await daemon.close();
  expect(await use()).toBeNull();
});

it("is another loop device over the same file, under whatever name", async () => {
  attach("loop0", image);
  linkSync(image, join(folder, "alias"));
  attach("loop7", join(folder, "alias"));
  expect(await use()).toMatch(/image is behind loop7, too/);
});
