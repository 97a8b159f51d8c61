import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { FileDevice } from "../../../src/device/file-device.ts";
import { createImageFile } from "../../../src/device/image-file.ts";
import type { Finding } from "../../../src/thin/members/finding.ts";
import { findSignatures } from "../../../src/thin/members/find-signatures.ts";
import {
  findAllSignatures,
  mergeFindings,
  parseBlkid,
  parseWipefs,
} from "../../../src/thin/members/tool-signatures.ts";
import { writeBytes } from "../../../src/util/io-request.ts";
import {
  LoopDevice,
  loopDevicesMissing,
  orWhyNot,
  scratchFolder,
} from "../../device/loop-device.ts";
import { attempt } from "../../support/program.ts";

const SIZE_BYTES = 400 * 1024 * 1024;
const folder = scratchFolder();
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const UUID = "0fc63daf-8483-4772-8e79-3d69d8477de4";

describe("the answers of the tools", () => {
  it("are read as far as they make sense", () => {
    const rows = [
      { device: "sda", offset: "0x438", type: "ext4", uuid: UUID, label: "home" },
      { offset: "0x1fe", type: "dos", uuid: null },
      { offset: 5, type: "wrong" },
      null,
    ];
    expect(parseWipefs(JSON.stringify({ signatures: rows }))).toEqual([
      { type: "ext4", offsetBytes: 0x438, uuid: UUID, label: "home" },
      { type: "dos", offsetBytes: 510, uuid: null, label: null },
    ]);
    for (const text of ["", "null", "[]", '{"signatures":7}', "{"]) {
      expect(parseWipefs(text)).toEqual([]);
    }
    expect(parseBlkid(`DEVNAME=/dev/x\nLABEL=a\\ b\nUUID=${UUID}\nTYPE=xfs\nPTTYPE=dos\n`)).toEqual(
      [
        { type: "xfs", offsetBytes: -1, uuid: UUID, label: "a b" },
        { type: "dos", offsetBytes: -1, uuid: null, label: null },
      ],
    );
    expect(parseBlkid("nothing\n")).toEqual([]);
  });

  it("add what was not known, and never rename what was", () => {
    const finding = (type: string, offsetBytes: number, uuid: string | null): Finding => ({
      type,
      offsetBytes,
      uuid,
      label: null,
    });
    const ours = [finding("ext4", 1080, UUID)];
    const same = [
      finding("ext3", 1080, null),
      finding("ext4", -1, "other"),
      finding("ext4", 9, UUID),
    ];
    expect(mergeFindings(ours, same)).toEqual(ours);
    const more = finding("newfs", 77, null);
    expect(mergeFindings(ours, [more])).toEqual([...ours, more]);
    const data = finding("data", 0, null);
    expect(mergeFindings([data], [more])).toEqual([more]);
    expect(mergeFindings([data], [])).toEqual([data]);
  });

  it("are not needed", async () => {
    const path = join(folder, "bare");
    await createImageFile(path, SIZE_BYTES);
    const device = await FileDevice.open(path);
    expect(await findAllSignatures(device, path, { toolPath: folder })).toEqual([]);
    expect(await findAllSignatures(device, path)).toEqual([]);
    await writeBytes(device, 0, Buffer.from("XFSB"));
    const findings = await findAllSignatures(device, path, { toolPath: folder });
    expect(findings.map(({ type }) => type)).toEqual(["xfs"]);
    await device.close();
  });
});

/** What makes the real thing, and what we call that. A tool that is not installed proves nothing and breaks nothing. */
const MAKERS: readonly (readonly [type: string, ...command: readonly string[]])[] = [
  ["ext4", "mkfs.ext4", "-q", "-F", "-U", UUID, "-L", "home"],
  ["ext2", "mkfs.ext2", "-q", "-F", "-U", UUID, "-L", "home"],
  ["xfs", "mkfs.xfs", "-q", "-m", `uuid=${UUID}`, "-L", "home"],
  ["swap", "mkswap", "-U", UUID, "-L", "home"],
  ["swap", "mkswap", "-p", "16384", "-U", UUID, "-L", "home"],
  ["btrfs", "mkfs.btrfs", "-q", "-U", UUID, "-L", "home"],
  ["vfat", "mkfs.vfat"],
  ["minix", "mkfs.minix"],
];

describe("what real tools make", () => {
  it.each(MAKERS)("is known by our own table as the tools know it: %s (%s)", async (...row) => {
    const [type, program, ...args] = row;
    const path = join(folder, `${type}-${args.length}`);
    await createImageFile(path, SIZE_BYTES);
    const hasMade = await attempt(program ?? "", ...args, path).catch(() => ({ status: 127 }));
    if (hasMade.status !== 0) return;
    const device = await FileDevice.open(path);
    const ours = await findSignatures(device);
    const all = await findAllSignatures(device, path);
    await device.close();
    rmSync(path);
    expect(ours.map((finding) => finding.type)).toEqual([type]);
    if (args.includes("-L")) expect(ours[0]).toMatchObject({ uuid: UUID, label: "home" });
    expect(all).toEqual(ours);
  });
});

const missing = loopDevicesMissing();

describe.skipIf(missing !== null)(`what LVM makes${orWhyNot(missing)}`, () => {
  it("is known by its identity", async () => {
    const loop = await LoopDevice.attach(80 * 1024 * 1024);
    try {
      const made = await attempt("pvcreate", "--yes", "--quiet", loop.path);
      if (made.status !== 0) return;
      const device = await FileDevice.open(loop.path);
      const ours = await findSignatures(device);
      const all = await findAllSignatures(device, loop.path);
      await device.close();
      expect(ours).toMatchObject([{ type: "LVM2_member", offsetBytes: 0x218 }]);
      expect(ours[0]?.uuid).toMatch(/^\w{6}(-\w{4}){5}-\w{6}$/);
      expect(all).toEqual(ours);
    } finally {
      await loop.detach();
    }
  });
});
