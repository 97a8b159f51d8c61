import { closeSync, openSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { announceReadiness } from "../../src/control/readiness.ts";
import { StartError } from "../../src/control/start-error.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "thinlun-ready-"));
});

afterEach(() => rm(folder, { recursive: true }));

const portals = [{ address: "127.0.0.1", port: 4711 }];

it("writes the file as a whole", async () => {
  const file = join(folder, "ready");
  announceReadiness({ file, fd: null }, portals);
  expect(JSON.parse(await readFile(file, "utf8"))).toEqual({ portals, pid: process.pid });
  expect(await readdir(folder)).toEqual(["ready"]);
});

it("writes to the descriptor and closes it", async () => {
  const file = join(folder, "pipe");
  const fd = openSync(file, "w");
  announceReadiness({ file: null, fd }, portals);
  expect(JSON.parse(await readFile(file, "utf8"))).toMatchObject({ portals });
  expect(() => closeSync(fd)).toThrow("EBADF");
});

it("tells nobody when nobody asked", () => {
  expect(() => announceReadiness({ file: null, fd: null }, portals)).not.toThrow();
});

it("says when it cannot", () => {
  const file = join(folder, "none", "ready");
  expect(() => announceReadiness({ file, fd: null }, portals)).toThrow(StartError);
});
