import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { LunConfig, VolumeConfig } from "../../../src/control/config/config.ts";
import { EMPTY_INVENTORY, type Inventory } from "../../../src/control/config/inventory.ts";
import type { Actor } from "../../../src/control/plane/control-plane.ts";
import { Transaction } from "../../../src/control/plane/transaction.ts";
import { connect } from "../../../src/initiator/connect.ts";
import { readCapacity16 } from "../../../src/initiator/scsi.ts";
import type { InitiatorSession } from "../../../src/initiator/session.ts";
import { lunConfig, targetConfig } from "../support/inventories.ts";
import { PlaneHarness } from "../support/plane-harness.ts";

const NAME = "iqn.2026-11.net.example:one";
const MIB = 1 << 20;

let harness: PlaneHarness;
let session: InitiatorSession | null = null;

beforeEach(async () => {
  harness = await PlaneHarness.start();
});

afterEach(async () => {
  session?.destroy();
  session = null;
  await harness.dispose();
});

const memory = (sizeBytes: number): VolumeConfig => ({
  driver: "memory",
  sizeBytes,
  uuid: null,
  readOnly: false,
  optional: false,
  delayMs: 0,
});

function withLuns(luns: readonly LunConfig[]): Inventory {
  return {
    ...EMPTY_INVENTORY,
    volumes: new Map([
      ["first", memory(MIB)],
      ["second", memory(2 * MIB)],
    ]),
    targets: [targetConfig(NAME, { luns })],
  };
}

async function logIn(): Promise<InitiatorSession> {
  const port = harness.server.portals[0]?.port ?? 0;
  const initiatorName = "iqn.2026-11.net.example:host";
  // An initiator that comes back by itself is the same port.
  const isid = "00023d000001";
  session = await connect({ address: "127.0.0.1", port, initiatorName, targetName: NAME, isid });
  return session;
}

const change = (luns: readonly LunConfig[], actor: Actor = { name: "test" }): Promise<unknown> =>
  harness.plane.change(actor, "test", () => withLuns(luns));

const diskAt = (lun: number): string | undefined =>
  harness.server.targets.get(NAME)?.device.units.get(lun)?.volume.name;

describe("a LUN that initiators know", () => {
  it("does not become another disk by being taken away first", async () => {
    await change([lunConfig(0, "first")]);
    const host = await logIn();
    await change([]);
    await expect(change([lunConfig(0, "second")])).rejects.toThrow("know another disk as LUN 0");
    expect(diskAt(0)).toBeUndefined();
    // Elsewhere it may be, and the disk that was there may come back.
    await change([lunConfig(1, "second")]);
    await change([lunConfig(0, "first"), lunConfig(1, "second")]);
    expect([diskAt(0), diskAt(1)]).toEqual(["first", "second"]);
    host.destroy();
  });

  it("becomes another disk once they have logged out", async () => {
    await change([lunConfig(0, "first")]);
    const host = await logIn();
    await change([]);
    await host.logout();
    await expect.poll(() => [...harness.server.sessions].length).toBe(0);
    await change([lunConfig(0, "second")]);
    expect(diskAt(0)).toBe("second");
  });

  it("becomes another disk for tgt's administrators, and is told of", async () => {
    const tgt = { name: "tgtadm", replacesDisks: true };
    await change([lunConfig(0, "first")], tgt);
    const host = await logIn();
    await change([], tgt);
    await change([lunConfig(0, "second")], tgt);
    expect(diskAt(0)).toBe("second");
    expect(await readCapacity16(host, 0)).toMatchObject({ blocks: (2 * MIB) / 512 });
  });

  it("does not become another disk for an initiator that comes while that is prepared", async () => {
    await change([lunConfig(0, "first")]);
    const [before, after] = [[lunConfig(0, "first")], [lunConfig(0, "second")]].map(withLuns);
    const late = new Transaction(harness.parts, before ?? never(), after ?? never());
    await logIn();
    await expect(late.prepare()).rejects.toThrow("know another disk as LUN 0");
  });

  it("is left out where an initiator comes between that and the change itself", async () => {
    await change([lunConfig(0, "first")]);
    const [before, after] = [[lunConfig(0, "first")], [lunConfig(0, "second")]].map(withLuns);
    const late = new Transaction(harness.parts, before ?? never(), after ?? never());
    await late.prepare();
    await logIn();
    await late.commit();
    expect(diskAt(0)).toBeUndefined();
    expect(harness.lines.map(({ message }) => message)).toContainEqual(
      expect.stringContaining("in effect after a restart"),
    );
  });
});

describe("a target that is made anew", () => {
  const recreate = async (luns: readonly LunConfig[], actor?: Actor): Promise<void> => {
    await harness.plane.change({ name: "test" }, "test", () => EMPTY_INVENTORY);
    await change(luns, actor);
  };
  const refusal =
    "(iqn.2026-11.net.example:host, which has lost its session and may come back within 600 s)";

  it("leads initiators that come back by themselves to no other disk", async () => {
    await change([lunConfig(0, "first"), lunConfig(1, "second")]);
    await logIn();
    await expect(recreate([lunConfig(0, "second")])).rejects.toThrow(refusal);
    expect(harness.server.targets.size).toBe(0);
    expect(harness.parts.volumes.volumes.size).toBe(0);
    await change([lunConfig(2, "second")]);
    const host = await logIn();
    // It knows them still, and forgets them when it logs out.
    await expect(change([lunConfig(2, "second"), lunConfig(1, "first")])).rejects.toThrow(
      "(iqn.2026-11.net.example:host) know another disk as LUN 1",
    );
    await host.logout();
    await expect.poll(() => [...harness.server.sessions].length).toBe(0);
    await change([lunConfig(2, "second"), lunConfig(1, "first")]);
    expect(diskAt(1)).toBe("first");
  });

  it("may have other disks for those that have logged out, and for tgt's administrators", async () => {
    await change([lunConfig(0, "first")]);
    const host = await logIn();
    await host.logout();
    await expect.poll(() => [...harness.server.sessions].length).toBe(0);
    await recreate([lunConfig(0, "second")]);
    expect(diskAt(0)).toBe("second");
    await logIn();
    await recreate([lunConfig(0, "first")], { name: "tgtadm", replacesDisks: true });
    expect(diskAt(0)).toBe("first");
  });

  it("is the same to initiators that log out as they are asked to: they come back", async () => {
    await change([lunConfig(0, "first")]);
    const host = await logIn();
    const ended = harness.server.endSessions(() => true, "the test", 5000);
    await host.logout();
    await ended;
    await change([]);
    await expect(change([lunConfig(0, "second")])).rejects.toThrow("which has lost its session");
  });

  it("is not the other disk of an initiator that has lost its session just now", async () => {
    await change([lunConfig(0, "first")]);
    const host = await logIn();
    host.destroy();
    await expect.poll(() => [...harness.server.sessions].length).toBe(0);
    await change([]);
    await expect(change([lunConfig(0, "second")])).rejects.toThrow("know another disk as LUN 0");
    await change([lunConfig(0, "first")]);
    expect(diskAt(0)).toBe("first");
  });
});

function never(): never {
  throw new Error("it is there");
}
