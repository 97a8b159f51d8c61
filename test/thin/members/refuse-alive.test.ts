import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { setTimeout as sleep } from "node:timers/promises";
import { FileDevice } from "../../../src/device/file-device.ts";
import { createImageFile } from "../../../src/device/image-file.ts";
import { HEARTBEAT_OFFSET } from "../../../src/thin/format/layout.ts";
import { writeSuperblock } from "../../../src/thin/format/superblock-io.ts";
import type { Superblock } from "../../../src/thin/format/superblock.ts";
import { encodeHeartbeat } from "../../../src/thin/members/heartbeat-block.ts";
import { openForPool } from "../../../src/thin/members/open-member.ts";
import { refuseAlive } from "../../../src/thin/members/refuse-alive.ts";
import { writeBytes } from "../../../src/util/io-request.ts";
import { scratchFolder } from "../../device/loop-device.ts";
import { drive } from "../../support/drive.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { testSuperblock, testUuid } from "./support/superblock.ts";

const SIZE_BYTES = 64 * 1024 * 1024;
const [HERE, ELSEWHERE] = [testUuid(1), testUuid(9)];
const ME = {
  hostId: HERE,
  bootId: testUuid(2),
  nonce: testUuid(3),
  pid: 1,
  openedAtSeconds: 0,
};

let folder: string;
let path: string;

beforeEach(() => {
  folder = scratchFolder();
  path = join(folder, "disk");
});
afterEach(() => rmSync(folder, { recursive: true }));

/** What a pool has left on the device: its owner, and what else is not as usual. */
async function pool(owner: Partial<Superblock["owner"]>, changes: Partial<Superblock> = {}) {
  await createImageFile(path, SIZE_BYTES);
  const usual = testSuperblock(changes);
  const device = await FileDevice.open(path, { lock: false });
  await writeSuperblock(device, { ...usual, owner: { ...usual.owner, ...owner } });
  await device.close();
}

async function beat(counter: number): Promise<void> {
  const block = { poolUuid: testUuid(100), hostId: ELSEWHERE, nonce: testUuid(8), counter };
  const device = await FileDevice.open(path, { lock: false });
  await writeBytes(device, HEARTBEAT_OFFSET, encodeHeartbeat(block));
  await device.close();
}

/** Time passes, and `during` happens over and over. */
function asked(during: () => Promise<void> = () => Promise.resolve()): Promise<void> {
  const clock = new ManualClock();
  return drive(refuseAlive([path], { owner: ME, clock }), async () => {
    await sleep(5);
    await during();
    clock.advance(500);
  });
}

describe("a pool that is to be wiped", () => {
  it("is refused while another host has it open, as far as the pool knows", async () => {
    await pool({ state: "active", hostId: ELSEWHERE });
    await expect(asked()).rejects.toMatchObject({ kind: "foreign" });
  });

  it("is refused while another host shows signs of life", async () => {
    await pool({ state: "clean" });
    let counter = 0;
    await beat(counter);
    const living = asked(() => beat((counter += 1)));
    await expect(living).rejects.toMatchObject({
      kind: "busy",
      message: expect.stringContaining(ELSEWHERE),
    });
    await asked();
  });

  it("is refused while a process here has its devices", async () => {
    await pool({ state: "active", hostId: HERE });
    const device = await openForPool(path);
    await expect(asked()).rejects.toMatchObject({ kind: "busy" });
    await device.close();
    await asked();
  });

  it("is refused where only a device of it is here that cannot tell, and another host has made it", async () => {
    const devices = [testUuid(1), testUuid(2)].map((uuid) => ({ uuid, sizeBytes: SIZE_BYTES }));
    const second = { devices, deviceIndex: 1 };
    await pool({ state: "clean", hostId: ELSEWHERE }, second);
    await expect(asked()).rejects.toThrow(/its first device, which would tell, is not among these/);
    rmSync(path);
    await pool({ state: "clean", hostId: HERE }, second);
    await asked();
  });
});

it("has nothing against what is no pool", async () => {
  await createImageFile(path, SIZE_BYTES);
  await asked();
});
