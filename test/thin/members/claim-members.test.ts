import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { setTimeout as sleep } from "node:timers/promises";
import { FileDevice } from "../../../src/device/file-device.ts";
import { createImageFile } from "../../../src/device/image-file.ts";
import { HEARTBEAT_OFFSET } from "../../../src/thin/format/layout.ts";
import { writeSuperblock } from "../../../src/thin/format/superblock-io.ts";
import type { Superblock } from "../../../src/thin/format/superblock.ts";
import { type ClaimedMembers, claimMembers } from "../../../src/thin/members/claim-members.ts";
import { encodeHeartbeat } from "../../../src/thin/members/heartbeat-block.ts";
import { writeBytes } from "../../../src/util/io-request.ts";
import { scratchFolder } from "../../device/loop-device.ts";
import { drive } from "../../support/drive.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { testSuperblock, testUuid } from "./support/superblock.ts";

const SIZE_BYTES = 64 * 1024 * 1024;
const ME = {
  hostId: testUuid(1),
  bootId: testUuid(2),
  nonce: testUuid(3),
  pid: 1,
  openedAtSeconds: 0,
};
const OTHER = testUuid(9);

let folder: string;
let path: string;
let clock: ManualClock;

beforeEach(() => {
  folder = scratchFolder();
  path = join(folder, "pool");
  clock = new ManualClock();
});
afterEach(() => rmSync(folder, { recursive: true }));

async function change(how: (device: FileDevice) => Promise<void>): Promise<void> {
  const device = await FileDevice.open(path, { lock: false });
  await how(device);
  await device.close();
}

async function pool(changes: Partial<Superblock> = {}): Promise<void> {
  await createImageFile(path, SIZE_BYTES);
  await change((device) => writeSuperblock(device, testSuperblock(changes)));
}

/** Another host's sign of life, or one that it has left. */
function beat(counter: number, poolUuid: string = testUuid(100)): Promise<void> {
  const block = encodeHeartbeat({ poolUuid, hostId: OTHER, nonce: testUuid(8), counter });
  return change((device) => writeBytes(device, HEARTBEAT_OFFSET, block));
}

/** Claims the pool while time passes and `during` happens, over and over. */
async function claimed(
  options: { readonly readOnly?: boolean; readonly during?: () => Promise<void> } = {},
): Promise<{ members: ClaimedMembers; seconds: number }> {
  const { readOnly = false, during } = options;
  const startMs = clock.nowMs();
  const members = await drive(claimMembers([path], { owner: ME, clock, readOnly }), async () => {
    await sleep(5);
    await during?.();
    clock.advance(500);
  });
  return { members, seconds: (clock.nowMs() - startMs) / 1000 };
}

async function release({ devices, claim }: ClaimedMembers): Promise<void> {
  await claim?.release();
  for (const device of devices) await device.close();
}

describe("the devices of a pool", () => {
  it("are claimed at once where no host has ever shared it", async () => {
    await pool();
    // Another pool that was here before.
    await beat(7, testUuid(77));
    const members = await claimMembers([path], { owner: ME, clock });
    expect(members.claim).toBeNull();
    await expect(claimMembers([path], { owner: ME, clock })).rejects.toMatchObject({
      kind: "busy",
    });
    await release(members);
  });

  it("are claimed from other hosts where one has shared it, with a sign of life", async () => {
    await pool();
    await beat(7);
    const { members, seconds } = await claimed();
    expect(seconds).toBeGreaterThanOrEqual(5);
    expect(members.claim).not.toBeNull();
    const nonce = Buffer.from(ME.nonce.replaceAll("-", ""), "hex");
    expect(readFileSync(path).indexOf(nonce, HEARTBEAT_OFFSET)).toBe(HEARTBEAT_OFFSET + 48);
    await release(members);
  });

  it("are not claimed while a host shows signs of life, and its beats are left alone", async () => {
    await pool();
    let counter = 1;
    const during = (): Promise<void> => beat((counter += 1));
    await beat(counter);
    await expect(claimed({ during })).rejects.toMatchObject({
      kind: "busy",
      message: expect.stringContaining(OTHER),
    });
    await expect(claimed({ during, readOnly: true })).rejects.toMatchObject({ kind: "busy" });
    // It has let go of them.
    await release((await claimed()).members);
  });

  it("are not claimed while the process lives that has the pool open, under a name that shares no lock", async () => {
    const child = spawn(process.execPath, ["-e", "console.log(1); setInterval(() => {}, 1000)"]);
    await once(child.stdout, "data");
    const opened = { pid: child.pid ?? 0, openedAtSeconds: Math.ceil(Date.now() / 1000) };
    await pool({ owner: { ...ME, ...opened, state: "active" } });
    for (const readOnly of [false, true]) {
      const refusal = { kind: "busy", message: expect.stringContaining(`process ${child.pid}`) };
      const attempt = claimMembers([path], { owner: ME, clock, readOnly });
      await expect(attempt).rejects.toMatchObject(refusal);
    }
    child.kill("SIGKILL");
    await once(child, "exit");
    await release(await claimMembers([path], { owner: ME, clock }));
  });

  it("are not claimed where the superblock says that another host has them, alive or not", async () => {
    const owner = { ...testSuperblock().owner, hostId: OTHER, state: "active" as const };
    await pool({ owner });
    await beat(7);
    const before = readFileSync(path);
    await expect(claimed()).rejects.toMatchObject({ kind: "foreign" });
    // A dead owner's pool may be looked at.
    const { members } = await claimed({ readOnly: true });
    expect(members.claim).toBeNull();
    expect(members.devices[0]?.traits.readOnly).toBe(true);
    await release(members);
    expect(readFileSync(path).equals(before)).toBe(true);
  });
});
