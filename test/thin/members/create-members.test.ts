import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { FileDevice } from "../../../src/device/file-device.ts";
import { createImageFile } from "../../../src/device/image-file.ts";
import { writeSuperblock } from "../../../src/thin/format/superblock-io.ts";
import { overwrittenRegions, type BackupManifest } from "../../../src/thin/members/backup.ts";
import {
  createMembers,
  type CreateMembersOptions,
} from "../../../src/thin/members/create-members.ts";
import { findSignatures } from "../../../src/thin/members/find-signatures.ts";
import { unmarkWipe } from "../../../src/thin/members/take-back.ts";
import { writeBytes } from "../../../src/util/io-request.ts";
import { scratchFolder } from "../../device/loop-device.ts";
import { refusalOf } from "./support/refusal.ts";
import { testSuperblock, testUuid } from "./support/superblock.ts";

const MIB = 1024 * 1024;
const SIZE_BYTES = 64 * MIB;
const top = scratchFolder();
afterAll(() => rmSync(top, { recursive: true, force: true }));
const XFS = "xfs:00112233-4455-6677-8899-aabbccddeeff";

let count = 0;
let folder = "";
let options: CreateMembersOptions;
beforeEach(() => {
  count += 1;
  folder = join(top, String(count));
  options = {
    wipe: [],
    acceptData: false,
    backupDir: join(folder, "wiped"),
    time: new Date("2026-01-02T03:04:05.678Z"),
    // Without tools: what they add is tested elsewhere.
    toolPath: folder,
  };
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
});
const file = (name: string): string => join(folder, name);

async function image(name: string, ...writes: readonly [number, Uint8Array][]): Promise<string> {
  await createImageFile(file(name), SIZE_BYTES);
  const device = await FileDevice.open(file(name));
  for (const [offset, bytes] of writes) await writeBytes(device, offset, bytes);
  await device.close();
  return file(name);
}

function xfs(name: string): Promise<string> {
  const uuid = Buffer.from("00112233445566778899aabbccddeeff", "hex");
  const tail = Buffer.from("precious");
  return image(name, [0, Buffer.from("XFSB")], [32, uuid], [SIZE_BYTES - 8, tail]);
}

function checksum(path: string): string {
  return createHash("sha256").update(readFileSync(path)).digest("hex");
}

describe("the devices of a new pool", () => {
  it("are images that are made, zeros from end to end, and claimed", async () => {
    const request = { path: file("new"), createBytes: SIZE_BYTES };
    const [member] = await createMembers([request], options);
    expect(member).toMatchObject({ path: file("new"), isZero: true, wiped: [], backup: null });
    expect(member?.device.capacityBytes).toBe(SIZE_BYTES);
    expect((await refusalOf(createMembers([request], options))).kind).toBe("busy");
    await member?.device.close();
    // Now it is there: nobody knows what has been done with it.
    const [again] = await createMembers([request], options);
    await again?.device.close();
    expect(again?.isZero).toBe(false);
    expect(existsSync(options.backupDir)).toBe(false);
  });

  it("are not made too small, nor through a link", async () => {
    const small = { path: file("small"), createBytes: 32 * MIB };
    expect((await refusalOf(createMembers([small], options))).kind).toBe("invalid");
    expect(existsSync(file("small"))).toBe(false);
    symlinkSync(file("target"), file("link"));
    const linked = { path: file("link"), createBytes: SIZE_BYTES };
    expect((await refusalOf(createMembers([linked], options))).kind).toBe("missing");
    expect(existsSync(file("target"))).toBe(false);
    expect((await refusalOf(createMembers([{ path: file("none") }], options))).kind).toBe(
      "missing",
    );
  });

  it("are said to need a size where there is no file yet, and no device is meant", async () => {
    const path = file("none");
    const { message } = await refusalOf(createMembers([{ path }], options));
    expect(message).toMatch(`${path}: there is no such file or device; with a size`);
    expect(message).toContain("--size SIZE");
    const device = await refusalOf(createMembers([{ path: "/dev/none-of-these" }], options));
    expect(device.kind).toBe("missing");
    expect(device.message).toBe("/dev/none-of-these: there is no such file or device");
  });

  it("lose nothing that was not named, on any of them", async () => {
    const path = await xfs("xfs");
    const before = checksum(path);
    const requests = [{ path: file("new"), createBytes: SIZE_BYTES }, { path }];
    for (const wipe of [[], ["xfs:-"], ["xfs"], [XFS, "ext4:-"]]) {
      const error = await refusalOf(createMembers(requests, { ...options, wipe }));
      expect(["foreign", "invalid"]).toContain(error.kind);
      expect(error.message).toContain(path);
    }
    expect(checksum(path)).toBe(before);
    expect(existsSync(file("new"))).toBe(false);
    expect(existsSync(options.backupDir)).toBe(false);
    // Nothing is left open or locked either.
    await (await FileDevice.open(path)).close();
  });

  it("are wiped where it was named, after a backup that brings it back", async () => {
    const path = await xfs("xfs");
    const before = checksum(path);
    const [member] = await createMembers([{ path }], { ...options, wipe: [XFS] });
    expect(member?.isZero).toBe(false);
    expect(member?.wiped.map(({ type }) => type)).toEqual(["xfs"]);
    if (member === undefined) return;
    expect(await findSignatures(member.device)).toEqual([]);
    const text = readFileSync(member.backup ?? "", "utf8");
    const manifest = JSON.parse(text) as BackupManifest;
    expect(manifest).toMatchObject({
      device: path,
      sizeBytes: SIZE_BYTES,
      time: "2026-01-02T03:04:05.678Z",
      findings: [{ type: "xfs", offsetBytes: 0 }],
    });
    for (const { file: name, offsetBytes, lengthBytes, sha256 } of manifest.regions) {
      const copy = join(options.backupDir, name);
      expect(statSync(copy)).toMatchObject({ size: lengthBytes });
      expect(statSync(copy).mode & 0o777).toBe(0o600);
      // Sparse: what is zeros takes no space.
      expect(statSync(copy).blocks * 512).toBeLessThan(MIB);
      expect(checksum(copy)).toBe(sha256);
      await writeBytes(member.device, offsetBytes, readFileSync(copy));
    }
    await member.device.close();
    expect(checksum(path)).toBe(before);
  });

  it("are left alone where the backup cannot be made", async () => {
    const path = await xfs("xfs");
    const before = checksum(path);
    const error = await refusalOf(
      createMembers([{ path }], { ...options, wipe: [XFS], backupDir: join(path, "below") }),
    );
    expect(error.kind).toBe("io");
    expect(error.message).toContain("left alone");
    expect(checksum(path)).toBe(before);
  });

  it("are all kept before the first is wiped, each under a name of its own", async () => {
    mkdirSync(file("a"));
    mkdirSync(file("b"));
    const paths = [await xfs("a/pool.img"), await xfs("b/pool.img")];
    const before = paths.map(checksum);
    const requests = paths.map((path) => ({ path }));
    const members = await createMembers(requests, { ...options, wipe: [XFS] });
    const stem = "pool.img-2026-01-02T03-04-05.678Z";
    expect(members.map(({ backup }) => backup)).toEqual([
      join(options.backupDir, `${stem}.json`),
      join(options.backupDir, `${stem}-2.json`),
    ]);
    for (const [index, { device, backup }] of members.entries()) {
      const manifest = JSON.parse(readFileSync(backup ?? "", "utf8")) as BackupManifest;
      expect(manifest.device).toBe(paths[index]);
      for (const { file: name, offsetBytes } of manifest.regions) {
        await writeBytes(device, offsetBytes, readFileSync(join(options.backupDir, name)));
      }
      await device.close();
    }
    expect(paths.map(checksum)).toEqual(before);
  });

  it("are all left alone where one of them cannot be backed up", async () => {
    const paths = [await xfs("one"), await xfs("two")];
    const before = paths.map(checksum);
    mkdirSync(options.backupDir);
    // Its manifest cannot be written: nothing is ever written over.
    mkdirSync(join(options.backupDir, "two-2026-01-02T03-04-05.678Z.json"));
    const requests = paths.map((path) => ({ path }));
    const error = await refusalOf(createMembers(requests, { ...options, wipe: [XFS] }));
    expect(error.kind).toBe("io");
    expect(error.message).toContain("left alone");
    expect(paths.map(checksum)).toEqual(before);
  });

  it("lose bytes of unknown meaning by their own consent only", async () => {
    const path = await image("data", [5 * MIB, Buffer.from("somebody's")]);
    expect((await refusalOf(createMembers([{ path }], options))).kind).toBe("foreign");
    const [member] = await createMembers([{ path }], { ...options, acceptData: true });
    await member?.device.close();
    expect(member?.wiped.map(({ type }) => type)).toEqual(["data"]);
    // Two regions, their manifest, and a mark until the pool is made.
    expect(readdirSync(options.backupDir)).toHaveLength(4);
    await unmarkWipe([member?.backup ?? null]);
    expect(readdirSync(options.backupDir)).toHaveLength(3);
  });

  it("are not those of another pool, unless that is named", async () => {
    const path = await image("pool");
    const device = await FileDevice.open(path);
    await writeSuperblock(device, testSuperblock());
    await device.close();
    const error = await refusalOf(createMembers([{ path }], { ...options, acceptData: true }));
    expect(error.kind).toBe("foreign");
    expect(error.message).toContain(`thinlun:${testUuid(100)} "tank"`);
    const wipe = [`thinlun:${testUuid(100)}`];
    const [member] = await createMembers([{ path }], { ...options, wipe });
    await member?.device.close();
    expect(member?.wiped).toHaveLength(2);
  });

  it("are different ones", async () => {
    const path = await image("one");
    symlinkSync(path, file("two"));
    const error = await refusalOf(createMembers([{ path }, { path: file("two") }], options));
    expect(error.kind).toBe("invalid");
    expect(error.message).toContain("the same device");
  });
});

describe("what a pool overwrites", () => {
  it("is head and tail, all of what is hardly longer", () => {
    expect(overwrittenRegions(10 * MIB)).toEqual([{ offsetBytes: 0, lengthBytes: 10 * MIB }]);
    expect(overwrittenRegions(64 * MIB + 512)).toEqual([
      { offsetBytes: 0, lengthBytes: 8 * MIB },
      { offsetBytes: 62 * MIB + 512, lengthBytes: 2 * MIB },
    ]);
  });
});
