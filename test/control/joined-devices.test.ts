import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { JoinedDevices } from "../../src/control/joined-devices.ts";

let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "thinlun-joined-"));
  path = join(folder, "pool-devices.json");
});

afterEach(() => rm(folder, { recursive: true }));

test("paths are remembered for each pool, over restarts, once", async () => {
  const devices = new JoinedDevices(path);
  expect(await devices.of("a")).toEqual([]);
  await Promise.all([
    devices.remember("a", "/dev/x"),
    devices.remember("a", "/dev/y"),
    devices.remember("b", "/dev/z"),
    devices.remember("a", "/dev/x"),
  ]);
  const later = new JoinedDevices(path);
  expect(await later.of("a")).toEqual(["/dev/x", "/dev/y"]);
  expect(await later.of("b")).toEqual(["/dev/z"]);
});

test.each([
  ["no JSON", "{", []],
  ["no object", "7", []],
  ["no list", '{"a": "/dev/x"}', []],
  ["no paths", '{"a": [7, "x", "/dev/x"]}', ["/dev/x"]],
])("what makes no sense is left out: %s", async (_, text, expected) => {
  await writeFile(path, text);
  const devices = new JoinedDevices(path);
  expect(await devices.of("a")).toEqual(expected);
  await devices.remember("a", "/dev/y");
  expect(await devices.of("a")).toEqual([...expected, "/dev/y"]);
});

test("what cannot be written is told, and the next one is tried", async () => {
  const devices = new JoinedDevices(join(folder, "missing", "file"));
  await expect(devices.remember("a", "/dev/x")).rejects.toThrow(/ENOENT/);
  await expect(devices.remember("a", "/dev/x")).rejects.toThrow(/ENOENT/);
});
