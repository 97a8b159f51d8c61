import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { EMPTY_INVENTORY, type Inventory } from "../../../src/control/config/inventory.ts";
import { Transaction } from "../../../src/control/plane/transaction.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import {
  imageConfig,
  lunConfig,
  poolConfig,
  targetConfig,
  thinConfig,
} from "../support/inventories.ts";
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
    // That it is being closed is not enough: its flush goes to the pool.
    const { volume } = parts.volumes.volumes.get("tank/x") ?? never();
    let end: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (end = resolve));
    const close = volume.close.bind(volume);
    volume.close = () => held.then(close);
    const closing = parts.volumes.close("tank/x");
    expect(() => new Transaction(parts, before, EMPTY_INVENTORY)).toThrow(
      "still use volume tank/x",
    );
    end();
    await closing;
    expect(() => new Transaction(parts, before, EMPTY_INVENTORY)).not.toThrow();
  });

  it("takes back nothing for a change that nobody waits for any more: what is there may be another's", async () => {
    const clock = new ManualClock();
    const parts = { ...harness.parts, clock };
    const path = join(harness.folder, "a.img");
    const after = { ...EMPTY_INVENTORY, volumes: new Map([["a", imageConfig(path)]]) };
    const transaction = new Transaction(parts, EMPTY_INVENTORY, after);
    const creations = await transaction.creations();
    await transaction.prepare();
    const { volume } = parts.volumes.volumes.get("a") ?? never();
    let end: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (end = resolve));
    const close = volume.close.bind(volume);
    volume.close = () => held.then(close);
    const undoing = transaction.undo();
    clock.advance(60_000);
    await undoing;
    expect(transaction.left).toEqual(creations);
    end();
    await parts.volumes.close("a");
    // By now somebody else may have it.
    await parts.volumes.open("a", imageConfig(path));
    const settled = new Promise((resolve) => setImmediate(resolve));
    await settled;
    expect(existsSync(path)).toBe(true);
  });

  it("closes what goes, and not what has come under its name since", async () => {
    let end: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (end = resolve));
    const parts = {
      ...harness.parts,
      exports: Object.assign(harness.parts.exports, { remove: () => held }),
    };
    const path = join(harness.folder, "a.img");
    const volumes = new Map([["a", imageConfig(path)]]);
    const before = { ...EMPTY_INVENTORY, volumes, targets: [targetConfig(NAME)] };
    await new Transaction(parts, EMPTY_INVENTORY, before).prepare();
    const { volume } = parts.volumes.volumes.get("a") ?? never();
    const committing = new Transaction(parts, before, EMPTY_INVENTORY).commit();
    // Its I/O hangs, and a signal has it closed and opened again meanwhile.
    await parts.volumes.close("a");
    await parts.volumes.open("a", imageConfig(path));
    end();
    await committing;
    expect(parts.volumes.volumes.has("a")).toBe(true);
    expect(parts.volumes.volumes.get("a")?.volume).not.toBe(volume);
  });

  it("waits for no pool that does not take a name", async () => {
    const clock = new ManualClock();
    const pool = {
      volume: () => ({ attributes: { name: "a" } }),
      rename: () => new Promise<never>(() => undefined),
    };
    const pools = Object.assign(harness.parts.pools, { find: () => ({ pool }) });
    const renaming = { pool: "tank", uuid: "6fa459ea", from: "a", to: "b" };
    const transaction = new Transaction(
      { ...harness.parts, clock, pools },
      EMPTY_INVENTORY,
      EMPTY_INVENTORY,
      { renaming },
    );
    const refused = expect(transaction.prepare()).rejects.toThrow("pool tank does not answer");
    clock.advance(60_000);
    await refused;
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

function never(): never {
  throw new Error("it is there");
}
