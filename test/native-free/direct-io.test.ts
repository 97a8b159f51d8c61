import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { probeDirectIo } from "../../native-free/direct-io.ts";
import { LoopDevice, loopDevicesMissing, orWhyNot, scratchFolder } from "../device/loop-device.ts";

const folder = scratchFolder();
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("probing", () => {
  it("finds an alignment exactly where direct I/O works, and leaves everything as it was", async () => {
    const path = join(folder, "image");
    const content = Buffer.alloc(16_384, "content");
    writeFileSync(path, content);
    const { direct, alignmentBytes, dataSync } = await probeDirectIo(path);
    expect(direct ? [512, 4096] : [0]).toContain(alignmentBytes);
    expect(dataSync).toBe(true);
    expect(readFileSync(path)).toEqual(content);
    expect(readdirSync(folder)).toEqual(["image"]);
  });

  it("says no where the kernel refuses", async () => {
    expect((await probeDirectIo("/proc/self/status")).direct).toBe(false);
  });

  it("rejects what does not exist", async () => {
    await expect(probeDirectIo(join(folder, "none"))).rejects.toThrow("ENOENT");
  });
});

const missing = loopDevicesMissing();
describe.skipIf(missing !== null)(`probing a loop device${orWhyNot(missing)}`, () => {
  it("finds that the alignment is its logical block", async () => {
    const loop = await LoopDevice.attach(1024 * 1024, "--sector-size", "4096");
    try {
      const support = { direct: true, alignmentBytes: 4096, dataSync: true };
      expect(await probeDirectIo(loop.path)).toEqual(support);
    } finally {
      await loop.detach();
    }
  });
});
