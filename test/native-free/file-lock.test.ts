import { once } from "node:events";
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { FileLockedError, lockFile, type LockMethod } from "../../native-free/file-lock.ts";
import { scratchFolder } from "../device/loop-device.ts";
import { spawnMortal } from "../support/mortal-child.ts";

const folder = scratchFolder();
const path = join(folder, "disk");
const top = join(import.meta.dirname, "..", "..");
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const optOut = process.env["THINLUN_NO_FS_EXT"];

function hasFsExt(): boolean {
  if (optOut === "1") return false;
  try {
    createRequire(import.meta.url)("fs-ext");
    return true;
  } catch {
    return false;
  }
}

/** A process that takes the lock, says so, and waits for its death. */
const HOLDER = `
import { openSync } from "node:fs";
import { lockFile } from "${join(top, "native-free", "file-lock.ts")}";
const [path, method] = process.argv.slice(-2);
const lock = await lockFile(openSync(path, "r+"), path, { methods: [method] });
process.stdout.write("locked by " + lock.method + "\\n");
setInterval(() => undefined, 1000);
`;

const methods: readonly LockMethod[] = ["fs-ext", "flock", "lock-file"];

for (const method of methods) {
  const missing = method === "fs-ext" && !hasFsExt();
  const why = missing ? " (cannot run: fs-ext is not installed, or not wanted)" : "";
  describe.skipIf(missing)(`locking by ${method}${why}`, () => {
    const fds: number[] = [];
    const open = (): number => {
      const fd = openSync(path, "r+");
      fds.push(fd);
      return fd;
    };
    beforeEach(() => writeFileSync(path, ""));
    afterEach(() => {
      for (const fd of fds.splice(0)) closeSync(fd);
      for (const name of readdirSync(folder)) rmSync(join(folder, name));
    });

    it("gives the lock to one, and again after its release", async () => {
      const fd = openSync(path, "r+");
      const lock = await lockFile(fd, path, { methods: [method] });
      expect(lock.method).toBe(method);
      const second = lockFile(open(), path, { methods: [method] });
      await expect(second).rejects.toThrow(FileLockedError);
      closeSync(fd);
      await lock.release();
      const third = await lockFile(open(), path, { methods: [method] });
      await third.release();
    });

    it("ends with a process that is killed", async () => {
      const script = join(folder, "holder.mts");
      writeFileSync(script, HOLDER);
      const tsx = join(top, "node_modules", "tsx", "dist", "loader.mjs");
      const args = ["--import", tsx, script, path, method];
      const child = spawnMortal(process.execPath, args);
      const [said] = (await once(child.stdout!, "data")) as [Buffer];
      expect(said.toString()).toBe(`locked by ${method}\n`);
      const refused = lockFile(open(), path, { methods: [method] });
      await expect(refused).rejects.toThrow(`process ${child.pid}`);
      const exit = once(child, "exit");
      child.kill("SIGKILL");
      await exit;
      const lock = await lockFile(open(), path, { methods: [method] });
      await lock.release();
    });
  });
}

describe("the choice of a method", () => {
  beforeEach(() => writeFileSync(path, ""));
  afterEach(() => {
    if (optOut === undefined) delete process.env["THINLUN_NO_FS_EXT"];
    else process.env["THINLUN_NO_FS_EXT"] = optOut;
  });

  it("leaves fs-ext alone where that is asked for", async () => {
    process.env["THINLUN_NO_FS_EXT"] = "1";
    const fd = openSync(path, "r+");
    expect((await lockFile(fd, path)).method).toBe("flock");
    closeSync(fd);
  });

  it("falls back to a lock file where flock(1) is missing, and removes it in the end", async () => {
    const fd = openSync(path, "r+");
    const lock = await lockFile(fd, path, { methods: ["flock", "lock-file"], path: folder });
    expect(lock.method).toBe("lock-file");
    expect(existsSync(`${path}.lock`)).toBe(true);
    await lock.release();
    closeSync(fd);
    expect(existsSync(`${path}.lock`)).toBe(false);
  });

  it("takes no lock file when flock(1) is there and dies: that would not exclude who has the lock", async () => {
    const holder = openSync(path, "r+");
    await lockFile(holder, path, { methods: ["flock"] });
    const tools = join(folder, "tools");
    mkdirSync(tools);
    writeFileSync(join(tools, "flock"), "#!/bin/sh\nkill -KILL $$\n", { mode: 0o755 });
    const fd = openSync(path, "r+");
    const lock = lockFile(fd, path, { methods: ["flock", "lock-file"], path: tools });
    await expect(lock).rejects.toThrow(FileLockedError);
    rmSync(tools, { recursive: true });
    closeSync(fd);
    closeSync(holder);
  });

  it("is an error when nothing works", async () => {
    const fd = openSync(path, "r+");
    const lock = lockFile(fd, path, { methods: ["flock"], path: folder });
    await expect(lock).rejects.toThrow("no way to lock works here");
    closeSync(fd);
  });

  it.skipIf(!hasFsExt())("makes fs-ext and flock(1) exclude each other", async () => {
    const [first, second] = [openSync(path, "r+"), openSync(path, "r+")];
    await lockFile(first, path, { methods: ["fs-ext"] });
    await expect(lockFile(second, path, { methods: ["flock"] })).rejects.toThrow(FileLockedError);
    closeSync(first);
    await lockFile(second, path, { methods: ["flock"] });
    const third = openSync(path, "r+");
    await expect(lockFile(third, path, { methods: ["fs-ext"] })).rejects.toThrow(FileLockedError);
    closeSync(second);
    closeSync(third);
  });
});
