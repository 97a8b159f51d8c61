import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { RawVolumeConfig } from "../../../src/control/config/config.ts";
import type { Inventory } from "../../../src/control/config/inventory.ts";
import { type ReplacementSteps, systemSteps } from "../../../src/control/durable-file.ts";
import { describeDifferences, type Edit } from "../../../src/control/plane/control-plane.ts";
import { OperationError } from "../../../src/control/protocol.ts";
import { decodeState } from "../../../src/control/state-document.ts";
import { connect } from "../../../src/initiator/connect.ts";
import type { InitiatorSession } from "../../../src/initiator/session.ts";
import { readCapacity16 } from "../../../src/initiator/scsi.ts";
import { run } from "../../support/program.ts";
import { eventually } from "../../support/in-process-target.ts";
import {
  exporting,
  imageConfig,
  lunConfig,
  poolConfig,
  targetConfig,
  thinConfig,
} from "../support/inventories.ts";
import { emptyConfig, PlaneHarness } from "../support/plane-harness.ts";

const MIB = 1 << 20;
const ACTOR = { name: "test" };
const NAME = "iqn.2026-11.net.example:one";
const OTHER = "iqn.2026-11.net.example:other";

let folder: string;
let harness: PlaneHarness;
let sessions: InitiatorSession[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "thinlun-control-plane-"));
  harness = await PlaneHarness.start({ folder });
  sessions = [];
});

afterEach(async () => {
  for (const session of sessions) session.destroy();
  await harness.dispose();
  await rm(folder, { recursive: true });
});

/** The same folder, after an end in order. */
async function restart(steps?: ReplacementSteps): Promise<void> {
  await harness.dispose();
  harness = await PlaneHarness.start({ folder, ...(steps === undefined ? {} : { steps }) });
}

async function login(target: string): Promise<InitiatorSession> {
  const port = harness.server.portals[0]?.port ?? 0;
  const session = await connect({
    address: "127.0.0.1",
    port,
    initiatorName: "iqn.2026-11.net.example:host",
    targetName: target,
  });
  sessions.push(session);
  return session;
}

function raw(name: string, changes: Partial<RawVolumeConfig> = {}): RawVolumeConfig {
  return imageConfig(join(folder, `${name}.img`), changes);
}

/** Adds volumes of image files that are made, and a target with a LUN for each. */
function exportOf(target: string, ...names: readonly string[]): Edit {
  return exporting(target, new Map(names.map((name) => [name, raw(name)])));
}

const change = (edit: Edit) => harness.plane.change(ACTOR, "test", edit);
const withoutTargets: Edit = ({ inventory }) => ({ ...inventory, targets: [] });
const openVolumes = (): string[] => [...harness.parts.volumes.volumes.keys()];

describe("ControlPlane", () => {
  it("takes the first of two changes back where the daemon begins to stop between them", async () => {
    await change(exportOf(NAME, "a"));
    const { plane } = harness;
    const before = plane.view.inventory;
    let closed: Promise<void> = Promise.resolve();
    const end = plane.subscribe(() => {
      end();
      closed = plane.close();
    });
    const two = plane.changeInTwo(ACTOR, "test", withoutTargets, exportOf(NAME, "b"));
    await expect(two).rejects.toMatchObject({ kind: "busy" });
    await closed;
    expect(plane.view.inventory).toEqual(before);
    await restart();
    expect(harness.plane.view.inventory).toEqual(before);
  });

  it("leaves in the state what was before until both of two changes are kept: a kill between them left the first alone", async () => {
    await change(exportOf(NAME, "a"));
    const { plane, state } = harness;
    const before = plane.view.inventory;
    const keep = state.keep.bind(state);
    const found: unknown[] = [];
    state.keep = async (...kept) => {
      await keep(...kept);
      const read = decodeState(readFileSync(join(state.folder, "state.json"), "utf8"));
      found.push(typeof read === "string" ? read : (read.backTo ?? read.inventory));
    };
    await plane.changeInTwo(ACTOR, "test", withoutTargets, exportOf(NAME, "b"));
    const last = found.pop();
    expect(last).toEqual(plane.view.inventory);
    expect(last).not.toEqual(before);
    expect(found.length).toBeGreaterThan(1);
    for (const inventory of found) expect(inventory).toEqual(before);
    // The second has nothing to do.
    await plane.changeInTwo(ACTOR, "test", withoutTargets, ({ inventory }) => inventory);
    expect(found.pop()).toEqual(plane.view.inventory);
    expect(plane.view.inventory.targets).toEqual([]);
  });

  /** From now on, the state folder takes so many changes more. */
  function fill(changesLeft: number): void {
    const { state } = harness;
    const keep = state.keep.bind(state);
    let left = changesLeft;
    state.keep = (...kept) => {
      left -= 1;
      return left < 0 ? Promise.reject(new Error("no space left")) : keep(...kept);
    };
  }

  it("takes the first of two changes back where the state can be kept no more: it stayed, and the error said that nothing was changed", async () => {
    await change(exportOf(NAME, "a"));
    const before = harness.plane.view.inventory;
    fill(1);
    const two = harness.plane.changeInTwo(ACTOR, "test", withoutTargets, exportOf(NAME, "b"));
    await expect(two).rejects.toThrow(/nothing was changed: no space left/);
    expect([...harness.server.targets.keys()]).toEqual([NAME]);
    expect(harness.plane.view.inventory).toEqual(before);
    fill(1);
    // What is kept next begins with what is there.
    await expect(change(exportOf(OTHER, "c"))).rejects.toThrow("no space left");
    await restart();
    expect(harness.plane.view.inventory).toEqual(before);
    await change(exportOf(OTHER, "c"));
    await restart();
    expect(harness.plane.view.inventory.targets.map(({ name }) => name)).toEqual([NAME, OTHER]);
  });

  it("says so where the first of two changes cannot be taken back, and does not take it back at the next start", async () => {
    await change(exportOf(NAME, "a"));
    const nothing: Edit = (view) => ({ ...withoutTargets(view), volumes: new Map() });
    const two = harness.plane.changeInTwo(ACTOR, "test", nothing, () => {
      rmSync(join(folder, "a.img"));
      throw new OperationError("invalid", "the second step is refused");
    });
    await expect(two).rejects.toThrow(
      /the second step is refused; the first of two changes could not be taken back, and stays: .*a\.img/s,
    );
    expect(harness.plane.view.inventory.targets).toEqual([]);
    await restart();
    expect(harness.plane.view.inventory.targets).toEqual([]);
  });

  it("gives a target the number back that it had before a change in two that fails", async () => {
    await change(exportOf(NAME, "a"));
    await change(exportOf(OTHER, "b"));
    await change(({ inventory }) => ({ ...inventory, targets: inventory.targets.slice(1) }));
    const numbers = (): unknown => harness.plane.view.all.targets.map(({ tid }) => tid);
    const before = numbers();
    const refuse: Edit = () => {
      throw new OperationError("invalid", "no");
    };
    const two = harness.plane.changeInTwo(ACTOR, "test", withoutTargets, refuse);
    await expect(two).rejects.toThrow("no");
    expect([before, numbers()]).toEqual([[2], [2]]);
  });

  it("tells of a change in two that a kill cut off, and keeps that it was taken back", async () => {
    await change(exportOf(NAME, "a"));
    const { plane, state } = harness;
    const before = plane.view.inventory;
    const file = join(state.folder, "state.json");
    const keep = state.keep.bind(state);
    let cutOff = "";
    state.keep = async (...kept) => {
      await keep(...kept);
      cutOff ||= readFileSync(file, "utf8");
    };
    await plane.changeInTwo(ACTOR, "test", withoutTargets, exportOf(NAME, "b"));
    await harness.dispose();
    writeFileSync(file, cutOff);
    harness = await PlaneHarness.start({ folder });
    expect(harness.plane.view.inventory).toEqual(before);
    expect(harness.lines.map(({ message }) => message)).toContain(
      "the first of two changes was taken back: the daemon ended before the second",
    );
    expect(readFileSync(file, "utf8")).not.toContain("backTo");
    const audited = harness.lines.filter(({ message }) => message === "changed");
    expect(audited.at(-1)?.fields).toMatchObject({ operation: "take back" });
  });

  it("makes what is wanted, for initiators to use at once, and again after a restart", async () => {
    await change(exportOf(NAME, "a", "b"));
    expect((await readCapacity16(await login(NAME), 1)).blocks).toBe(MIB / 512);
    const uuids = openVolumes().map((name) => harness.parts.volumes.volumes.get(name)?.volume.uuid);
    await restart();
    expect(openVolumes()).toEqual(["a", "b"]);
    expect(
      openVolumes().map((name) => harness.parts.volumes.volumes.get(name)?.volume.uuid),
    ).toEqual(uuids);
    expect((await readCapacity16(await login(NAME), 0)).blocks).toBe(MIB / 512);
  });

  it("tells what became different, and of each who wanted it", async () => {
    const differences = await change(exportOf(NAME, "a"));
    expect(describeDifferences(differences)).toEqual(["create volume a", `create target ${NAME}`]);
    const audit = harness.lines.filter(({ message }) => message === "changed");
    expect(audit).toHaveLength(1);
    expect(audit[0]?.fields).toMatchObject({
      by: "test",
      changes: [
        { action: "create", kind: "volume", name: "a", thing: { driver: "raw" } },
        { action: "create", kind: "target", name: NAME, thing: { luns: [{ lun: 0 }] } },
      ],
    });
    expect(await change(({ inventory }) => inventory)).toEqual([]);
  });

  it("tells beforehand what would become different, and changes nothing by that", () => {
    const differences = harness.plane.preview(exportOf(NAME, "a"));
    expect(describeDifferences(differences)).toEqual(["create volume a", `create target ${NAME}`]);
    expect(openVolumes()).toEqual([]);
    expect(existsSync(join(folder, "a.img"))).toBe(false);
  });

  it("takes LUNs, targets, volumes and portals away, and what is left is used on", async () => {
    const listen = { address: "127.0.0.1", port: 0 };
    await change(exportOf(NAME, "a", "b"));
    await change(({ inventory }) => ({
      ...inventory,
      portals: [{ listen, group: 2, advertise: null }],
    }));
    expect(harness.server.portals).toHaveLength(2);
    const session = await login(NAME);
    await change(({ inventory }) => ({
      ...inventory,
      portals: [],
      volumes: new Map([...inventory.volumes].filter(([name]) => name !== "b")),
      targets: [targetConfig(NAME, { luns: [lunConfig(0, "a")] })],
    }));
    expect(openVolumes()).toEqual(["a"]);
    expect(harness.server.portals).toHaveLength(1);
    expect(existsSync(join(folder, "b.img"))).toBe(true);
    expect((await readCapacity16(session, 0)).blocks).toBe(MIB / 512);
    await change(withoutTargets);
    expect(harness.server.targets.size).toBe(0);
    await restart();
    expect(openVolumes()).toEqual(["a"]);
  });

  it("grows a volume while it is used", async () => {
    await change(exportOf(NAME, "a"));
    const session = await login(NAME);
    await change(({ inventory }) => ({
      ...inventory,
      volumes: new Map([["a", raw("a", { sizeBytes: 2 * MIB })]]),
    }));
    expect((await readCapacity16(session, 0)).blocks).toBe((2 * MIB) / 512);
  });

  it("makes a pool with a volume in it, and finds both after a restart", async () => {
    const image = join(folder, "tank.img");
    await change(({ inventory }) => ({
      ...inventory,
      pools: new Map([
        [
          "tank",
          poolConfig({
            devices: [image],
            create: { sizeBytes: 128 * MIB, extentBytes: 65_536 },
          }),
        ],
      ]),
      volumes: new Map([
        ["tank/disk", thinConfig("tank", { name: "disk", sizeBytes: MIB, create: true })],
      ]),
      targets: [targetConfig(NAME, { luns: [lunConfig(0, "tank/disk")] })],
    }));
    expect((await readCapacity16(await login(NAME), 0)).blocks).toBe(MIB / 512);
    await restart();
    expect((await readCapacity16(await login(NAME), 0)).blocks).toBe(MIB / 512);
  });

  it("works off one change after the other, each on what the one before has left", async () => {
    const names = Array.from({ length: 8 }, (_, index) => `v${index}`);
    await Promise.all(names.map((name) => change(exportOf(`${NAME}-${name}`, name))));
    expect(openVolumes().toSorted()).toEqual(names);
    expect(harness.plane.view.inventory.targets).toHaveLength(names.length);
  });

  it("gives targets numbers, and keeps them", async () => {
    await change(exportOf(NAME, "a"));
    await change(exportOf(`${NAME}-2`, "b"));
    const numbers = (): unknown =>
      harness.plane.view.all.targets.map(({ name, tid }) => [name, tid]);
    expect(numbers()).toEqual([
      [NAME, 1],
      [`${NAME}-2`, 2],
    ]);
    await change(({ inventory }) => ({ ...inventory, targets: inventory.targets.slice(1) }));
    expect(numbers()).toEqual([[`${NAME}-2`, 2]]);
  });

  it("tells listeners of each change until they have had enough", async () => {
    const heard: number[] = [];
    const stop = harness.plane.subscribe((differences) => heard.push(differences.length));
    await change(exportOf(NAME, "a"));
    stop();
    await change(withoutTargets);
    expect(heard).toEqual([2]);
  });
});

/** Everything that could tell that a change left something behind. */
async function traces(): Promise<unknown> {
  const { inventory } = harness.plane.view;
  const text = await readFile(join(folder, "state", "state.json"), "utf8").catch(() => "{}");
  const kept = JSON.parse(text) as { inventory?: unknown; creations?: unknown };
  return {
    inventory,
    kept: kept.inventory ?? null,
    creations: kept.creations ?? [],
    volumes: openVolumes(),
    targets: [...harness.server.targets.keys()],
    portals: harness.server.portals,
    files: ["a.img", "b.img", "c.img"].map((name) => existsSync(join(folder, name))),
  };
}

describe("a change that fails", () => {
  beforeEach(() => change(exportOf(NAME, "a")));

  const port = { listen: { address: "127.0.0.1", port: 0 }, group: 1, advertise: null };

  it.each<readonly [string, string, Edit]>([
    [
      "two LUNs with one number",
      "invalid",
      ({ inventory }) => ({
        ...inventory,
        targets: [targetConfig(NAME, { luns: [lunConfig(0, "a"), lunConfig(0, "a")] })],
      }),
    ],
    [
      "a LUN for a volume that nobody knows",
      "invalid",
      ({ inventory }) => ({
        ...inventory,
        targets: [targetConfig(NAME, { luns: [lunConfig(0, "x")] })],
      }),
    ],
    [
      "a volume that cannot be made after one that was",
      "failed",
      ({ inventory }) => ({
        ...inventory,
        volumes: new Map([
          ...inventory.volumes,
          ["b", raw("b")] as const,
          ["c", raw("c", { path: join(folder, "none", "c.img") })] as const,
        ]),
      }),
    ],
    [
      "an address that is nobody's",
      "failed",
      ({ inventory }) => ({
        ...inventory,
        volumes: new Map([...inventory.volumes, ["b", raw("b")]]),
        portals: [port, { ...port, listen: { address: "192.0.2.1", port: 3260 } }],
      }),
    ],
    [
      "other settings of a volume that is open",
      "busy",
      ({ inventory }) => ({
        ...inventory,
        volumes: new Map([["a", raw("a", { direct: true })]]),
      }),
    ],
    [
      "a number that is used twice",
      "invalid",
      ({ inventory }) => ({
        ...inventory,
        targets: [
          ...inventory.targets.map((target) => ({ ...target, tid: 5 })),
          targetConfig(`${NAME}-2`, { tid: 5 }),
        ],
      }),
    ],
  ])("leaves everything as it was: %s", async (_what, kind, edit) => {
    const before = await traces();
    const error: unknown = await change(edit).catch((reason: unknown) => reason);
    expect(error).toMatchObject(kind === "failed" ? {} : { kind });
    expect(error).toBeInstanceOf(Error);
    expect(await traces()).toEqual(before);
    // And nothing is in the way of the next one.
    await change(exportOf(`${NAME}-next`, "b"));
    expect(openVolumes()).toEqual(["a", "b"]);
  });

  it("leaves everything as it was where a port is taken", async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const address = other.address();
    const taken = typeof address === "object" && address !== null ? address.port : 0;
    const before = await traces();
    const attempt = change(({ inventory }) => ({
      ...inventory,
      volumes: new Map([...inventory.volumes, ["b", raw("b")]]),
      portals: [{ ...port, listen: { address: "127.0.0.1", port: taken } }],
    }));
    await expect(attempt).rejects.toThrow("another program has it");
    expect(await traces()).toEqual(before);
    await new Promise((resolve) => other.close(resolve));
  });

  it("makes no number another disk for initiators that are logged in", async () => {
    await change(({ inventory }) => ({
      ...inventory,
      volumes: new Map([...inventory.volumes, ["b", raw("b")]]),
    }));
    await login(NAME);
    const swap: Edit = ({ inventory }) => ({
      ...inventory,
      targets: [targetConfig(NAME, { luns: [lunConfig(0, "b")] })],
    });
    await expect(change(swap)).rejects.toThrow(/LUN 0 of .* another disk/);
    for (const session of sessions.splice(0)) await session.logout();
    await eventually(() => !harness.parts.hasSessions(NAME), "the session has ended");
    await change(swap);
    expect(harness.plane.view.inventory.targets[0]?.luns[0]?.volume).toBe("b");
  });

  it("leaves everything as it was where the state cannot be kept", async () => {
    let isFull = false;
    const write = (path: string, text: string): Promise<void> =>
      isFull ? Promise.reject(new Error("ENOSPC")) : systemSteps.write(path, text);
    await restart({ ...systemSteps, write });
    const before = await traces();
    isFull = true;
    const attempt = change(({ inventory }) => ({
      ...inventory,
      portals: [port],
      targets: [...inventory.targets, targetConfig(`${NAME}-2`)],
    }));
    await expect(attempt).rejects.toThrow(OperationError);
    await expect(attempt).rejects.toThrow("nothing was changed");
    expect(await traces()).toEqual(before);
    isFull = false;
    await change(exportOf(`${NAME}-2`, "b"));
  });
});

describe("after a kill at any step of a change", () => {
  /** With the holes in its files. */
  const copy = (from: string, to: string) => run("cp", "-a", "--sparse=always", from, to);

  /** What was on the disk at the kill. */
  const atDeath = (): string => `${folder}-at-death`;

  /** The system's steps, of which one finds the process dead: what is there then is all that there is after the restart. */
  function dyingAt(fatal: number): ReplacementSteps {
    let count = 0;
    const step =
      <Args extends readonly string[]>(action: (...args: Args) => Promise<void>) =>
      async (...args: Args): Promise<void> => {
        const isFatal = count === fatal;
        count += 1;
        if (isFatal) await copy(folder, atDeath());
        await action(...args);
      };
    return {
      write: step((path: string, text: string) => systemSteps.write(path, text)),
      rename: step((from: string, to: string) => systemSteps.rename(from, to)),
      keepPrevious: step((path: string, name: string) => systemSteps.keepPrevious(path, name)),
      syncFolder: step((path: string) => systemSteps.syncFolder(path)),
    };
  }

  it("the change is there as a whole or not at all", async () => {
    await change(exportOf(NAME, "a"));
    await harness.dispose();
    await copy(folder, `${folder}-before`);
    const outcomes = new Set<string>();
    for (let fatal = 0; fatal < 100; fatal += 1) {
      harness = await PlaneHarness.start({ folder, steps: dyingAt(fatal) });
      const before: Inventory = harness.plane.view.inventory;
      await change(exportOf(`${NAME}-2`, "b", "c"));
      await harness.dispose();
      const died = existsSync(atDeath());
      if (died) {
        await rm(folder, { recursive: true });
        await rename(atDeath(), folder);
      }
      harness = await PlaneHarness.start({ folder });
      const { inventory } = harness.plane.view;
      const isWhole = inventory.targets.length === 2;
      expect(isWhole ? openVolumes() : inventory).toEqual(isWhole ? ["a", "b", "c"] : before);
      const files = ["b", "c"].map((name) => existsSync(join(folder, `${name}.img`)));
      expect(files).toEqual([isWhole, isWhole]);
      expect(harness.state.creations).toEqual([]);
      outcomes.add(`${died ? "killed" : "ended"}: ${isWhole ? "whole" : "nothing"}`);
      // And it can be made where it is not there.
      if (!isWhole) await change(exportOf(`${NAME}-2`, "b", "c"));
      await harness.dispose();
      if (!died) break;
      await rm(folder, { recursive: true });
      await copy(`${folder}-before`, folder);
    }
    await rm(`${folder}-before`, { recursive: true });
    harness = await PlaneHarness.start({ folder });
    expect([...outcomes].toSorted()).toEqual(["ended: whole", "killed: nothing", "killed: whole"]);
  });
});

describe("the end", () => {
  it("refuses changes that wait, and lets the one that runs end", async () => {
    const first = change(exportOf(NAME, "a"));
    const second = change(exportOf(`${NAME}-2`, "b"));
    const closed = harness.plane.close();
    await expect(second).rejects.toThrow("stopping");
    await first.catch(() => undefined);
    await closed;
    await expect(change(withoutTargets)).rejects.toThrow("stopping");
    const { inventory } = harness.plane.view;
    expect(openVolumes()).toEqual([...inventory.volumes.keys()]);
  });

  it("leaves the state to the next daemon", async () => {
    const { state } = harness;
    await harness.dispose();
    await expect(state.keep(state.inventory, [])).rejects.toThrow("another daemon");
    harness = await PlaneHarness.start({ folder });
  });
});

describe("a configuration", () => {
  it("that has what a command has made is refused, by name", async () => {
    await change(exportOf(NAME, "a"));
    await harness.dispose();
    const config = { ...emptyConfig(folder), volumes: new Map([["a", raw("a")]]) };
    await expect(PlaneHarness.start({ folder, config })).rejects.toThrow(/volume a is in the conf/);
    harness = await PlaneHarness.start({ folder });
  });

  it("keeps its names to itself, also of what is not there for the moment", async () => {
    const { view } = harness.plane;
    const read = { ...view.config, volumes: new Map([["b", raw("b", { optional: true })]]) };
    harness.plane.adopt(view.config, read);
    await expect(change(exportOf(NAME, "b"))).rejects.toThrow("volume b is in the configuration");
    harness.plane.adopt(view.config, null);
    await expect(change(exportOf(NAME, "b"))).rejects.toThrow("volume b is in the configuration");
    await change(exportOf(NAME, "c"));
  });

  it("cannot be changed by commands", async () => {
    await harness.dispose();
    const config = { ...emptyConfig(folder), targets: [targetConfig(NAME)] };
    harness = await PlaneHarness.start({ folder, config });
    await expect(change(exportOf(NAME))).rejects.toThrow(/in the configuration already/);
  });
});
