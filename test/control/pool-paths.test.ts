import { mkdtemp, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { isAmong, labelledPaths } from "../../src/control/pool-paths.ts";
import { FileDevice } from "../../src/device/file-device.ts";
import { formatPool } from "../../src/thin/checkpoint/format-pool.ts";
import { systemOwner } from "../../src/thin/members/owner.ts";
import { systemRandomBytes } from "../../src/util/random.ts";

const MIB = 1024 * 1024;
const UUID = "5e0f7a7e-52ad-4f2b-8f0d-6d2f0d5d1c3a";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "thinlun-paths-"));
});

afterEach(() => rm(folder, { recursive: true }));

const at = (name: string): string => join(folder, name);

test("a file is the same under another name", async () => {
  await writeFile(at("a"), "");
  await writeFile(at("b"), "");
  await symlink(at("a"), at("link"));
  expect(await isAmong(at("link"), [at("b"), at("a")])).toBe(true);
  expect(await isAmong(at("link"), [at("b")])).toBe(false);
  expect(await isAmong(at("gone"), [at("gone")])).toBe(true);
  expect(await isAmong(at("gone"), [at("lost"), at("a")])).toBe(false);
});

test("a device is found by its label, once, and where it is not known already", async () => {
  const devices: FileDevice[] = [];
  for (const name of ["a", "b"]) {
    await writeFile(at(name), "");
    await truncate(at(name), 64 * MIB);
    devices.push(await FileDevice.open(at(name)));
  }
  await formatPool(
    devices.map((device) => ({ device, isZero: true })),
    {
      uuid: UUID,
      extentBytes: 64 * 1024,
      settings: { name: "tank", overcommitMax: 0, thresholds: [] },
      randomBytes: systemRandomBytes,
      owner: await systemOwner(),
    },
  );
  for (const device of devices) await device.close();
  await symlink(at("b"), at("link"));
  await writeFile(at("other"), Buffer.alloc(MIB));
  const paths = [at("a"), at("gone"), at("other"), at("b"), at("link")];
  expect(await labelledPaths(UUID, paths, [at("a")])).toEqual([at("b")]);
  expect(await labelledPaths(UUID.replace("5", "6"), paths, [])).toEqual([]);
});
