import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FileDevice } from "../../../src/device/file-device.ts";
import { createImageFile } from "../../../src/device/image-file.ts";
import { createMembers, type Member } from "../../../src/thin/members/create-members.ts";
import {
  outcomeOf,
  putBack,
  settleWipes,
  takeBackMembers,
  unmarkWipe,
} from "../../../src/thin/members/take-back.ts";
import { IoError } from "../../../src/util/io-error.ts";
import { IoKind, writeBytes } from "../../../src/util/io-request.ts";
import { scratchFolder } from "../../device/loop-device.ts";

const MIB = 1024 * 1024;
const SIZE_BYTES = 64 * MIB;
/** No process has this number (PID_MAX_LIMIT is 2^22). */
const NOBODY = 2 ** 22 + 7;
const XFS = "xfs:00112233-4455-6677-8899-aabbccddeeff";

const top = scratchFolder();
afterAll(() => rmSync(top, { recursive: true, force: true }));
afterEach(() => vi.restoreAllMocks());

let folder = "";
let backups = "";
let count = 0;

beforeEach(() => {
  count += 1;
  folder = join(top, String(count));
  backups = join(folder, "wiped");
  mkdirSync(folder);
});

/** An image with the beginning of a file system on it, and something at its end. */
async function xfs(name: string): Promise<string> {
  const path = join(folder, name);
  await createImageFile(path, SIZE_BYTES);
  const device = await FileDevice.open(path);
  await writeBytes(device, 0, Buffer.from("XFSB"));
  await writeBytes(device, 32, Buffer.from("00112233445566778899aabbccddeeff", "hex"));
  await writeBytes(device, SIZE_BYTES - 8, Buffer.from("precious"));
  await device.close();
  return path;
}

function prepare(...paths: readonly string[]): Promise<Member[]> {
  return createMembers(
    paths.map((path) => ({ path })),
    {
      wipe: [XFS],
      acceptData: false,
      backupDir: backups,
      time: new Date("2026-01-02T03:04:05.678Z"),
      toolPath: folder,
    },
  );
}

const marks = (): string[] => readdirSync(backups).filter((name) => name.endsWith(".unfinished"));
const closeAll = async (members: readonly Member[]): Promise<void> => {
  for (const { device } of members) await device.close();
};

describe("what was wiped for a pool", () => {
  it("is put back where another of its devices fails", async () => {
    const [one, two] = [await xfs("one"), await xfs("two")];
    const before = [one, two].map((path) => readFileSync(path));
    // eslint-disable-next-line @typescript-eslint/unbound-method
    const original = FileDevice.prototype.submit;
    const submit = vi.spyOn(FileDevice.prototype, "submit");
    let zeroed = 0;
    submit.mockImplementation(function (this: FileDevice, request) {
      if (this.name === two && request.kind === IoKind.writeZeroes && (zeroed += 1) > 1) {
        request.done(new IoError("medium", "the disk fails", { object: this.name }));
        return;
      }
      original.call(this, request);
    });
    await expect(prepare(one, two)).rejects.toMatchObject({
      kind: "io",
      message: expect.stringMatching(/two: the disk fails; what was wiped for it was put back$/),
    });
    expect(zeroed).toBeGreaterThan(1);
    submit.mockRestore();
    expect([one, two].map((path, index) => readFileSync(path).equals(before[index]!))).toEqual([
      true,
      true,
    ]);
    expect(marks()).toEqual([]);
  });

  it("is told with its place where it cannot be put back", async () => {
    const path = await xfs("one");
    const members = await prepare(path);
    const backup = members[0]?.backup ?? "";
    const [region = ""] = readdirSync(backups).filter((name) => name.endsWith(".img"));
    writeFileSync(join(backups, region), "something else");
    await expect(putBack(members[0]!.device, backup)).rejects.toThrow();
    const left = await takeBackMembers(members);
    await closeAll(members);
    expect(left).toHaveLength(1);
    expect(left[0]).toContain(`${path} is not as it was before`);
    expect(left[0]).toContain(`what was there is kept: ${backup}`);
    expect(outcomeOf(members, left)).toBe(left[0]);
    expect(marks()).toEqual([]);
  });

  it("goes with what was made for the pool, and leaves empty what was empty", async () => {
    const [empty, made] = [join(folder, "empty"), join(folder, "made")];
    await createImageFile(empty, SIZE_BYTES);
    const members = await createMembers(
      [{ path: empty }, { path: made, createBytes: SIZE_BYTES }],
      { wipe: [], acceptData: false, backupDir: backups, time: new Date(), toolPath: folder },
    );
    for (const { device } of members) await writeBytes(device, 0, Buffer.alloc(8192, 1));
    expect(await takeBackMembers(members)).toEqual([]);
    await closeAll(members);
    expect(outcomeOf(members, [])).toBe(null);
    expect(readFileSync(empty).equals(Buffer.alloc(SIZE_BYTES))).toBe(true);
    expect(readdirSync(folder)).not.toContain("made");
  });
});

describe("a command that was killed after it had wiped something", () => {
  /** A device that was wiped, and whose command is not there any more. */
  async function killed(): Promise<{ readonly path: string; readonly before: Buffer }> {
    const path = await xfs("one");
    const before = readFileSync(path);
    const members = await prepare(path);
    const [mark = ""] = marks();
    await closeAll(members);
    await unmarkWipe([members[0]?.backup ?? null]);
    writeFileSync(join(backups, mark), String(NOBODY));
    return { path, before };
  }

  const settle = (isMember = false) => settleWipes(backups, () => isMember);

  it("is told of once, and what it has wiped is put back", async () => {
    const { path, before } = await killed();
    expect(readFileSync(path).equals(before)).toBe(false);
    const told = await settle();
    expect(told).toEqual([expect.stringContaining(`${path} was wiped`)]);
    expect(told[0]).toContain("has what it had before again");
    expect(readFileSync(path).equals(before)).toBe(true);
    expect(await settle()).toEqual([]);
  });

  it("is put back where it was killed while it wiped", async () => {
    const { path, before } = await killed();
    const device = await FileDevice.open(path);
    await writeBytes(device, SIZE_BYTES - 4096, before.subarray(SIZE_BYTES - 4096));
    await device.close();
    expect((await settle())[0]).toContain("has what it had before again");
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  it("is left alone where something else is there by now, and told with the place of the backup", async () => {
    const { path } = await killed();
    const device = await FileDevice.open(path);
    await writeBytes(device, 4096, Buffer.from("somebody's"));
    await device.close();
    const now = readFileSync(path);
    const told = await settle();
    expect(told[0]).toContain("holds something else by now; what was there is kept: ");
    expect(readFileSync(path).equals(now)).toBe(true);
    expect(await settle()).toEqual([]);
  });

  it("is told with the place of the backup where its device is away", async () => {
    const { path } = await killed();
    rmSync(path);
    expect((await settle())[0]).toMatch(/cannot be looked at .* is kept: /);
  });

  it("is nothing to tell of where the pool has the device by now, or nothing was ever wiped", async () => {
    const { path } = await killed();
    const now = readFileSync(path);
    expect(await settle(true)).toEqual([]);
    expect(readFileSync(path).equals(now)).toBe(true);
    expect(marks()).toEqual([]);
    expect(await settleWipes(join(folder, "none"), () => false)).toEqual([]);
  });

  it("is not taken for one that is still at work, in this process or another", async () => {
    const path = await xfs("one");
    const members = await prepare(path);
    expect(await settle()).toEqual([]);
    const [mark = ""] = marks();
    await unmarkWipe([members[0]?.backup ?? null]);
    await closeAll(members);
    writeFileSync(join(backups, mark), String(process.ppid));
    expect(await settle()).toEqual([]);
    expect(marks()).toHaveLength(1);
  });
});
