import {
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { reportLuns } from "../../../src/initiator/scsi.ts";
import { Command } from "../../cli/support.ts";
import { attempt, run } from "../../support/program.ts";
import { DISK, Faces, MIB, OTHER } from "./support/faces.ts";

/*
 * A state folder on a file system of its own that is full, or read-only: what cannot be kept is not done, whoever asks. Mounting takes the
 * superuser.
 */

let folder: string;
let stateDir: string;
const mounted: string[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "thinlun-full-"));
  stateDir = join(folder, "state");
});

afterEach(async () => {
  for (const path of mounted.splice(0)) await attempt("umount", "-l", path);
  rmSync(folder, { recursive: true, force: true });
});

async function mountable(): Promise<boolean> {
  if (process.getuid?.() !== 0) return false;
  const path = mkdtempSync(join(tmpdir(), "thinlun-mount-"));
  const { status } = await attempt("mount", "-t", "tmpfs", "tmpfs", path);
  if (status === 0) await run("umount", path);
  rmSync(path, { recursive: true });
  return status === 0;
}

/** 256 KiB: the state has a few. */
async function mountState(): Promise<void> {
  mkdirSync(stateDir, { mode: 0o700 });
  await run("mount", "-t", "tmpfs", "-o", "size=256k,mode=0700", "tmpfs", stateDir);
  mounted.push(stateDir);
}

/** Nothing can be written any more; returns how to end that. */
function fill(): Promise<() => Promise<void>> {
  const path = join(stateDir, "filler");
  // What is replaced must not make room.
  for (const name of readdirSync(stateDir)) {
    if (name.includes("json")) linkSync(join(stateDir, name), join(stateDir, `held-${name}`));
  }
  try {
    for (let blocks = 64; ; blocks += 1) writeFileSync(path, Buffer.alloc(blocks * 4096));
  } catch {
    // It is full now.
  }
  return Promise.resolve(() => Promise.resolve(rmSync(path)));
}

/** Over what is mounted there, for that is in use. */
async function makeReadOnly(): Promise<() => Promise<void>> {
  await run("mount", "--bind", stateDir, stateDir);
  mounted.unshift(stateDir);
  await run("mount", "-o", "remount,bind,ro", stateDir);
  return async () => {
    await run("umount", stateDir);
    mounted.shift();
  };
}

describe.skipIf(!(await mountable()))("a state folder", () => {
  it.each([
    ["that is full", fill, /ENOSPC/],
    ["that is read-only", makeReadOnly, /EROFS/],
  ])("%s keeps every face from changing anything", async (_, spoil, reason) => {
    await mountState();
    const faces = await Faces.make({ folder });
    try {
      const session = await faces.bench.login(DISK);
      const before = await faces.everything();
      const mend = await spoil();
      const wrong: string[] = [];
      const check = async (what: string, isRefused: boolean): Promise<void> => {
        const after = JSON.stringify(await faces.everything());
        if (after !== JSON.stringify(before)) wrong.push(`${what}: changed something`);
        if (!isRefused) wrong.push(`${what}: not refused as it should be`);
      };
      for (const [path, body] of [
        ["target/create", { name: OTHER }],
        ["target/set", { target: DISK, alias: "x" }],
        ["target/map", { target: DISK, volume: "tank/b" }],
        ["target/unmap", { target: DISK, lun: 0 }],
        ["target/delete", { target: DISK, force: true }],
        ["account/create", { user: "bob", password: "wonderland-6789" }],
        ["portal/create", { listen: "127.0.0.2:0" }],
        ["system/apply", { document: "targets: []", prune: true }],
      ] as const) {
        const { status, text } = await faces.http(path, JSON.stringify(body));
        await check(`${path}: ${status} ${text}`, status >= 500 && reason.test(text));
      }
      for (const line of [
        `--lld iscsi --mode target --op new --tid 9 -T ${OTHER}`,
        "--lld iscsi --mode target --op delete --tid 1 --force",
        "--lld iscsi --mode account --op new --user bob --password wonderland-6789",
      ]) {
        const ending = await faces.bench.ask(line);
        await check(`${line}: ${ending.status} ${ending.stderr}`, ending.status !== 0);
      }
      const told = faces.bench.harness.lines.filter(({ message }) => message.includes("refused"));
      expect(wrong).toEqual([]);
      expect(told.at(-1)?.fields["reason"]).toMatch(reason);
      const documentFile = join(folder, "wanted.yaml");
      writeFileSync(documentFile, `targets: [{ name: ${OTHER}, luns: [] }]`);
      for (const words of [
        ["target", "create", OTHER],
        ["apply", documentFile, "--yes"],
      ]) {
        const { status, stderr } = await faces.cli(...words);
        await check(`${words.join(" ")}: ${status} ${stderr}`, status === 1 && reason.test(stderr));
      }
      expect(wrong).toEqual([]);
      expect(session.closed).toBe(null);
      expect(await reportLuns(session)).toEqual([0]);
      await mend();
      await faces.client.call("target/create", { name: OTHER });
    } finally {
      await faces.dispose();
    }
  });

  it("that is full from the start is named by a daemon that does not start", async () => {
    await mountState();
    const mend = await fill();
    const config = join(folder, "c.yaml");
    writeFileSync(
      config,
      `volumes: { a: { driver: raw, path: ${folder}/a.img, size: 1MiB, create: true } }
targets: [{ name: "${DISK}", luns: [{ lun: 0, volume: a }] }]
portals: [{ listen: "127.0.0.1:0" }]
`,
    );
    const args = ["serve", "--config", config, "--state-dir", stateDir];
    const { status, stderr } = await new Command(args).outcome();
    expect(status).toBe(1);
    expect(stderr).toContain(stateDir);
    expect(stderr).toMatch(/ENOSPC/);
    // A disk of which it cannot be noted that it was made is not made.
    expect(existsSync(join(folder, "a.img"))).toBe(false);
    await mend();
  });

  it("that is read-only from the start is named by a daemon that does not start", async () => {
    await mountState();
    await makeReadOnly();
    const { status, stderr } = await new Command(["serve", "--state-dir", stateDir]).outcome();
    expect(status).toBe(1);
    expect(stderr).toContain(stateDir);
    expect(stderr).toMatch(/EROFS/);
    expect(readdirSync(stateDir)).toEqual([]);
  });
});

describe("two daemons", () => {
  it("do not share a state folder: the second one names it, and the first is not disturbed", async () => {
    const faces = await Faces.make({ folder });
    try {
      const before = await faces.everything();
      const args = ["serve", "--state-dir", stateDir, "--portal", "127.0.0.1:0"];
      const { status, stderr } = await new Command(args).outcome();
      expect(status).toBe(1);
      expect(stderr).toContain(stateDir);
      expect(stderr).toMatch(/another thinlun/);
      expect(await faces.everything()).toEqual(before);
      await faces.client.call("volume/create", { pool: "tank", volume: "c", sizeBytes: MIB });
    } finally {
      await faces.dispose();
    }
  });
});
