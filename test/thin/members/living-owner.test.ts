import { basename } from "node:path";
import { describe, expect, it } from "vitest";
import type { RunningProcess } from "../../../native-free/running-process.ts";
import { NO_UUID } from "../../../src/thin/format/identity.ts";
import type { OwnerRecord } from "../../../src/thin/format/superblock.ts";
import { refuseLiving } from "../../../src/thin/members/living-owner.ts";
import { testUuid } from "./support/superblock.ts";

const OPENED_AT = 1_700_000_000;
const ME = {
  hostId: testUuid(1),
  bootId: testUuid(2),
  nonce: testUuid(3),
  pid: 100,
  openedAtSeconds: OPENED_AT + 60,
};
const DAEMON: OwnerRecord = {
  ...ME,
  state: "active",
  nonce: testUuid(4),
  pid: 200,
  openedAtSeconds: OPENED_AT,
};
const program = basename(process.execPath);

function refused(owner: Partial<OwnerRecord>, process: Partial<RunningProcess> | null = {}) {
  const started = { startedAtSeconds: OPENED_AT - 3600, program };
  const look = (pid: number) =>
    Promise.resolve(process === null || pid !== 200 ? null : { ...started, ...process });
  return refuseLiving({ ...DAEMON, ...owner }, ME, look).then(
    () => "",
    (error: unknown) => String(error),
  );
}

describe("a pool that is open, as far as its superblock knows", () => {
  it("is refused while the process lives that opened it", async () => {
    expect(await refused({})).toMatch(/process 200 of this system has it open/);
    expect(await refused({}, { program: null })).toMatch(/in use/);
    // It may have opened it in the second in which it began.
    expect(await refused({}, { startedAtSeconds: OPENED_AT + 1 })).toMatch(/in use/);
  });

  it("is not, where that one has died, also if another one has its number by now", async () => {
    expect(await refused({}, null)).toBe("");
    expect(await refused({}, { startedAtSeconds: OPENED_AT + 30 })).toBe("");
    expect(await refused({}, { program: "systemd" })).toBe("");
  });

  it("is not, where nobody can tell from here: closed, another host, another boot, ourselves", async () => {
    for (const owner of [
      { state: "clean" as const },
      { hostId: testUuid(9) },
      { bootId: testUuid(9) },
      { pid: ME.pid },
    ]) {
      expect(await refused(owner)).toBe("");
    }
    const unknown = { ...ME, bootId: NO_UUID };
    const alive = () => Promise.resolve({ startedAtSeconds: 0, program });
    await refuseLiving({ ...DAEMON, bootId: NO_UUID }, unknown, alive);
  });
});
