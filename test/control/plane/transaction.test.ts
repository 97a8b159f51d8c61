import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { EMPTY_INVENTORY, type Inventory } from "../../../src/control/config/inventory.ts";
import { Transaction } from "../../../src/control/plane/transaction.ts";
import { lunConfig, poolConfig, targetConfig, thinConfig } from "../support/inventories.ts";
import { PlaneHarness } from "../support/plane-harness.ts";

const NAME = "iqn.2026-11.net.example:one";
const MIB = 1 << 20;

let harness: PlaneHarness;

beforeEach(async () => {
  harness = await PlaneHarness.start();
});

afterEach(() => harness.dispose());

const memory = {
  driver: "memory",
  uuid: null,
  readOnly: false,
  optional: false,
  delayMs: 0,
} as const;

function withDisk(changes: Partial<Inventory> = {}): Inventory {
  return {
    ...EMPTY_INVENTORY,
    volumes: new Map([["disk", { ...memory, sizeBytes: MIB }]]),
    targets: [targetConfig(NAME, { luns: [lunConfig(0, "disk")] })],
    ...changes,
  };
}

describe("Transaction", () => {
  it("takes back all that it has prepared", async () => {
    const transaction = new Transaction(harness.parts, EMPTY_INVENTORY, withDisk());
    await transaction.prepare();
    expect(harness.parts.volumes.volumes.has("disk")).toBe(true);
    await transaction.undo();
    expect(harness.parts.volumes.volumes.has("disk")).toBe(false);
    expect(harness.server.targets.size).toBe(0);
  });

  it("shows initiators nothing before it is committed", async () => {
    const transaction = new Transaction(harness.parts, EMPTY_INVENTORY, withDisk());
    await transaction.prepare();
    expect(harness.server.targets.size).toBe(0);
    await transaction.commit();
    expect([...harness.server.targets.keys()]).toEqual([NAME]);
  });

  it("refuses at once what it could not do", () => {
    const pools = (fullRetrySeconds: number) =>
      new Map([["tank", poolConfig({ fullRetrySeconds })]]);
    expect(
      () =>
        new Transaction(
          harness.parts,
          withDisk({ pools: pools(1) }),
          withDisk({ pools: pools(2) }),
        ),
    ).toThrow("pool tank cannot change");
    const listen = { address: "127.0.0.1", port: 0 };
    const portals = (group: number) => [{ listen, group, advertise: null }];
    expect(
      () =>
        new Transaction(
          harness.parts,
          withDisk({ portals: portals(1) }),
          withDisk({ portals: portals(2) }),
        ),
    ).toThrow("take it away, and add it anew");
    const absent = withDisk({ targets: [targetConfig(NAME, { luns: [lunConfig(0, "absent")] })] });
    expect(() => new Transaction(harness.parts, EMPTY_INVENTORY, absent)).toThrow(
      "could not be opened",
    );
    // One LUN of it that is left out says nothing for another one.
    const luns = [lunConfig(0, "absent"), lunConfig(1, "absent")];
    const two = withDisk({ targets: [targetConfig(NAME, { luns })] });
    expect(() => new Transaction(harness.parts, absent, two)).toThrow("could not be opened");
    expect(() => new Transaction(harness.parts, absent, absent)).not.toThrow();
  });

  it("closes no pool while a volume of it is open that an earlier change has taken away", async () => {
    const devices = [join(harness.folder, "tank.img")];
    const create = { sizeBytes: 128 * MIB, extentBytes: 65_536 };
    const pools = new Map([["tank", poolConfig({ devices, create })]]);
    const before = { ...EMPTY_INVENTORY, pools };
    const { parts } = harness;
    await harness.plane.change({ name: "test" }, "test", () => before);
    const thin = thinConfig("tank", { name: "x", create: true, sizeBytes: MIB });
    await parts.volumes.open("tank/x", thin);
    expect(() => new Transaction(parts, before, EMPTY_INVENTORY)).toThrow(
      "still use volume tank/x",
    );
    await parts.volumes.close("tank/x");
    expect(() => new Transaction(parts, before, EMPTY_INVENTORY)).not.toThrow();
  });

  it("makes no target one of tgt while it is there", () => {
    const tgts = targetConfig(NAME, { tid: 1, tgt: { settings: new Map() } });
    const after = withDisk({ targets: [tgts] });
    const make = (was: Inventory, is: Inventory) => new Transaction(harness.parts, was, is);
    expect(() => make(withDisk(), after)).toThrow("take it away, and add it anew");
    expect(() => make(after, withDisk())).toThrow("take it away, and add it anew");
  });

  it("does the rest of what is kept where a step fails, and says what is left for a restart", async () => {
    const second = `${NAME}2`;
    const luns = [lunConfig(0, "disk")];
    const aliased = targetConfig(NAME, { luns, alias: "new" });
    const after = withDisk({ targets: [aliased, targetConfig(second)] });
    const transaction = new Transaction(harness.parts, withDisk(), after);
    // It is not there, whatever the state says.
    await transaction.commit();
    expect([...harness.server.targets.keys()]).toEqual([second]);
    expect(harness.lines.map(({ message }) => message)).toContainEqual(
      expect.stringContaining("in effect after a restart"),
    );
  });

  it("changes settings of a LUN while it is there", async () => {
    const first = new Transaction(harness.parts, EMPTY_INVENTORY, withDisk());
    await first.prepare();
    await first.commit();
    const unit = harness.server.targets.get(NAME)?.device.units.get(0);
    const after = withDisk({
      targets: [
        targetConfig(NAME, {
          alias: "new",
          luns: [lunConfig(0, "disk", { readOnly: true, settings: { online: false } })],
        }),
      ],
    });
    await new Transaction(harness.parts, withDisk(), after).commit();
    expect(harness.server.targets.get(NAME)?.device.units.get(0)).toBe(unit);
    expect([unit?.readOnly, unit?.online]).toEqual([true, false]);
    expect(harness.server.targets.get(NAME)?.alias).toBe("new");
  });
});
