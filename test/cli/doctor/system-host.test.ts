import { mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { Host } from "../../../src/cli/doctor/host.ts";
import { systemHost } from "../../../src/cli/doctor/system-host.ts";

let folder: string;
let host: Host;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "thinlun-doctor-"));
  host = systemHost(join(folder, "state", "of", "it"), join(folder, "c.yaml"));
});

afterEach(() => rm(folder, { recursive: true }));

it("tries file system and locks where the state will lie, and leaves nothing there", async () => {
  const facts = await host.fileSystemOf(host.stateFolder);
  expect(facts.type).toMatch(/^[a-z0-9.]+$/);
  expect(facts.type).not.toBe("unknown");
  expect(["work", "unsupported", "untried"]).toContain(facts.holes);
  expect(await host.lockMethod()).toMatch(/^(fs-ext|flock|lock-file)$/);
  expect(await readdir(folder)).toEqual([]);
});

it("reads what there is, and nothing of what there is not", async () => {
  const path = join(folder, "a");
  await writeFile(path, "text", { mode: 0o640 });
  await symlink(path, join(folder, "b"));
  expect(await host.readText(path)).toBe("text");
  expect(await host.readText(join(folder, "none"))).toBeNull();
  expect(await host.list(folder)).toEqual(["a", "b"]);
  expect(await host.list(join(folder, "none"))).toEqual([]);
  expect(await host.factsOf(path)).toEqual({
    mode: 0o640,
    uid: process.getuid?.(),
    isFolder: false,
  });
  expect(await host.factsOf(join(folder, "none"))).toBeNull();
  expect(await host.resolve(join(folder, "b"))).toBe(path);
  expect(await host.resolve(join(folder, "none"))).toBe(join(folder, "none"));
});

it("runs programs, and knows those that are not there", async () => {
  expect(await host.hasProgram("sh")).toBe(true);
  expect(await host.hasProgram("no-such-program")).toBe(false);
  expect(await host.run("sh", "-c", "echo said; exit 3")).toEqual({
    exitCode: 3,
    stdout: "said\n",
  });
  expect(await host.run("no-such-program")).toBeNull();
});

it("finds the process that listens on a port", async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  expect(await host.listenerOn(port)).toMatchObject({ pid: process.pid });
  await new Promise((resolve) => server.close(resolve));
  expect(await host.listenerOn(port)).toBeNull();
});

it("says why no daemon answers", async () => {
  expect(await host.pools()).toMatchObject({
    unreachable: expect.stringContaining("no daemon answers") as string,
  });
});
