import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import yargs, { type CommandModule } from "yargs";
import { discoverCommand, discoveryText } from "../../src/cli/discover.ts";
import { UsageError } from "../../src/cli/exit-code.ts";
import { credentialsOf, initiatorNameOf } from "../../src/cli/initiator-options.ts";
import { scratchBlocks, verifyCommand } from "../../src/cli/verify.ts";
import { cdb16, newCdb } from "../../src/initiator/scsi.ts";
import {
  chapPolicy,
  DISK_BYTES,
  InProcessTarget,
  TARGET_NAME,
} from "../support/in-process-target.ts";

const LOCKED = "iqn.2026-11.net.example:locked";

let target: InProcessTarget;
let folder: string;
let passwordFile: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "thinlun-cli-"));
  passwordFile = join(folder, "password");
  writeFileSync(passwordFile, "secretsecret12\n");
  const authentication = chapPolicy("alice", "secretsecret12");
  target = await InProcessTarget.start({
    targets: [{}, { name: LOCKED, settings: { authentication } }],
  });
});

afterAll(async () => {
  await target.close();
  rmSync(folder, { recursive: true });
});

afterEach(() => {
  vi.restoreAllMocks();
});

/** Runs a command as the program would, and gives what it wrote. */
async function run<T>(command: CommandModule<object, T>, ...args: string[]): Promise<string> {
  let output = "";
  vi.spyOn(process.stdout, "write").mockImplementation((chunk) => {
    output += String(chunk);
    return true;
  });
  try {
    await yargs(args)
      .command(command)
      .strict()
      .exitProcess(false)
      .fail((message, error) => {
        throw error ?? new Error(message);
      })
      .parseAsync();
  } finally {
    vi.restoreAllMocks();
  }
  return output;
}

function url(name: string, lun = 0, credentials = ""): string {
  return `iscsi://${credentials}127.0.0.1:${target.port}/${name}/${lun}`;
}

describe("thinlun discover", () => {
  it("prints a line for each way to a target", async () => {
    const output = await run(discoverCommand, "discover", `127.0.0.1:${target.port}`);
    const place = `127.0.0.1:${target.port},1`;
    expect(output).toBe(`${place} ${TARGET_NAME}\n${place} ${LOCKED}\n`);
  });

  it("prints JSON", async () => {
    const output = await run(discoverCommand, "discover", `127.0.0.1:${target.port}`, "--json");
    const portal = { address: "127.0.0.1", port: target.port, portalGroupTag: 1 };
    expect(JSON.parse(output)).toEqual([
      { name: TARGET_NAME, portals: [portal] },
      { name: LOCKED, portals: [portal] },
    ]);
  });

  it("says so when there is nothing, and shows targets without an address", () => {
    expect(discoveryText([])).toMatch(/No targets/);
    expect(discoveryText([{ name: "iqn.x", portals: [] }])).toBe("iqn.x\n");
  });

  it("refuses what is no address", async () => {
    const attempt = run(discoverCommand, "discover", "a:b:c");
    await expect(attempt).rejects.toThrow(/not an address/);
    await expect(attempt).rejects.toBeInstanceOf(UsageError);
  });
});

describe("thinlun verify", () => {
  it("refuses without consent, and names what it would overwrite", async () => {
    const attempt = run(verifyCommand, "verify", url(TARGET_NAME));
    const start = DISK_BYTES - 16 * 1024 * 1024;
    await expect(attempt).rejects.toThrow(
      `bytes ${start} to ${DISK_BYTES - 1} (16 MiB) of LUN 0 of ${TARGET_NAME}`,
    );
    await expect(run(verifyCommand, "verify", url(TARGET_NAME))).rejects.toThrow(/--yes-overwrite/);
    const offset = run(verifyCommand, "verify", url(TARGET_NAME), "--scratch-offset", "1MiB");
    await expect(offset).rejects.toThrow(/--scratch-size/);
  });

  it("checks the range, and leaves it as it was", async () => {
    const session = await target.connect();
    await session.execute({ lun: 0, cdb: newCdb(6, 0x00) });
    const old = Buffer.alloc(65_536, "precious ");
    await session.execute({ lun: 0, cdb: cdb16(0x8a, 2048, 128), dataOut: old });
    const range = ["--scratch-offset", "1MiB", "--scratch-size", "64KiB"];
    const output = await run(verifyCommand, "verify", url(TARGET_NAME), ...range);
    expect(output).toMatch(/^64 KiB verified/);
    const read = { lun: 0, cdb: cdb16(0x88, 2048, 128), expectedInBytes: 65_536 };
    expect(Buffer.compare((await session.execute(read)).dataIn, old)).toBe(0);
    await session.logout();
  });

  it("logs in with a password from a file, or from the URL", async () => {
    const options = ["--yes-overwrite", "--scratch-size", "1MiB", "--json"];
    const byFile = ["--user", "alice", "--password-file", passwordFile];
    const expected = { checkedBytes: 1024 * 1024, stoppedEarly: false };
    const first = await run(verifyCommand, "verify", url(LOCKED), ...byFile, ...options);
    expect(JSON.parse(first)).toEqual(expected);
    const inUrl = url(LOCKED, 0, "alice%secretsecret12@");
    expect(JSON.parse(await run(verifyCommand, "verify", inUrl, ...options))).toEqual(expected);
    await expect(run(verifyCommand, "verify", url(LOCKED), ...options)).rejects.toThrow(/0201h/);
  });

  it("refuses ranges that are not on the disk", async () => {
    const outside = ["--scratch-offset", "64MiB", "--scratch-size", "1MiB"];
    const attempt = run(verifyCommand, "verify", url(TARGET_NAME), ...outside);
    await expect(attempt).rejects.toThrow(/not within the disk/);
    const size = run(verifyCommand, "verify", url(TARGET_NAME), "--scratch-size", "much");
    await expect(size).rejects.toBeInstanceOf(UsageError);
    await expect(run(verifyCommand, "verify", "iscsi://x")).rejects.toThrow(/not an iSCSI URL/);
  });

  it("chooses the end of the disk by itself", () => {
    const disk = { blocks: 100_000, blockBytes: 512 };
    expect(scratchBlocks(disk, undefined, undefined)).toEqual({
      startBlock: 67_232,
      blocks: 32_768,
    });
    const small = { blocks: 8, blockBytes: 4096 };
    expect(scratchBlocks(small, undefined, undefined)).toEqual({ startBlock: 0, blocks: 8 });
    expect(() => scratchBlocks(small, "100", "4096")).toThrow(/whole blocks of 4096/);
    expect(() => scratchBlocks(small, "0", "0")).toThrow(/not within/);
  });
});

describe("who logs in", () => {
  const nobody = { user: undefined, "password-file": undefined, "chap-algorithm": undefined };

  it("is this host by default", () => {
    expect(initiatorNameOf({ "initiator-name": undefined })).toMatch(
      /^iqn\.2026-11\.net\.thinlun:initiator\.[a-z0-9.-]+$/,
    );
    expect(initiatorNameOf({ "initiator-name": "iqn.mine" })).toBe("iqn.mine");
  });

  it("needs a secret to go with a user", () => {
    expect(credentialsOf(nobody)).toBeUndefined();
    expect(() => credentialsOf({ ...nobody, user: "alice" })).toThrow(/needs a password/);
    const both = { ...nobody, user: "alice", "password-file": passwordFile };
    expect(credentialsOf(both)).toEqual({ user: "alice", secret: "secretsecret12" });
    expect(credentialsOf({ ...both, "chap-algorithm": "md5" })).toMatchObject({
      algorithms: ["md5"],
    });
  });
});
