import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import type { Config, LunConfig, TargetConfig } from "../../src/control/config/config.ts";
import { EMPTY_INVENTORY } from "../../src/control/config/inventory.ts";
import { DEMO_TARGET, demoConfig } from "../../src/control/demo-config.ts";
import type { Exports } from "../../src/control/exports.ts";
import { reload } from "../../src/control/reload.ts";
import { Secret } from "../../src/control/secret.ts";
import { VolumeStore } from "../../src/control/volume-store.ts";
import { systemClock } from "../../src/util/clock.ts";
import { openLog } from "../../src/util/log.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { type LogLine, recordingLog } from "../support/recording-log.ts";
import { targetConfig } from "./support/inventories.ts";
import { forgetfulIdentities } from "./support/forgetful-identities.ts";

const MIB = 1024 * 1024;

function memoryConfig(sizeBytes: number, changes: Partial<Config> = {}): Config {
  const demo = demoConfig("/nowhere");
  return {
    ...demo,
    targets: demo.targets.map((target) => ({
      ...target,
      luns: target.luns.map((lun) => ({ ...lun, volume: "demo" })),
    })),
    volumes: new Map([
      [
        "demo",
        { driver: "memory", sizeBytes, uuid: null, readOnly: false, optional: false, delayMs: 0 },
      ],
    ]),
    ...changes,
  };
}

async function reloaded(
  running: Config,
  load: () => Config,
  inventory = EMPTY_INVENTORY,
  isMet = false,
) {
  const lines: string[] = [];
  const { log } = openLog({ level: "info", pretty: false, write: (line) => void lines.push(line) });
  const identities = forgetfulIdentities("5e0f7a7e-52ad-4f2b-8f0d-6d2f0d5d1c3a");
  const volumes = new VolumeStore(log, identities, () => undefined);
  for (const [name, config] of running.volumes) await volumes.open(name, config);
  const refreshed: (readonly TargetConfig[])[] = [];
  const added: string[] = [];
  const removed: string[] = [];
  const configured: string[] = [];
  const exports = {
    refresh: (targets: readonly TargetConfig[]) => void refreshed.push(targets),
    add: (target: TargetConfig) => void added.push(target.name),
    addLun: (target: string, { lun, volume }: TargetConfig["luns"][number]) => {
      if (volumes.volumes.has(volume)) added.push(`${target} LUN ${lun}`);
      return volumes.volumes.has(volume);
    },
    isMetAsAnother: () => isMet,
    configure: ({ name }: TargetConfig) => void configured.push(name),
    remove: (target: string) => {
      removed.push(target);
      return Promise.resolve();
    },
    removeLun: (target: string, lun: number) => {
      removed.push(`${target} LUN ${lun}`);
      return Promise.resolve();
    },
  };
  const inEffect = await reload({
    log,
    clock: systemClock,
    load,
    running,
    inventory,
    volumes,
    exports,
  });
  const again = await reload({
    log,
    clock: systemClock,
    load,
    running: inEffect,
    inventory,
    volumes,
    exports,
  });
  const open = [...volumes.volumes.keys()];
  const capacityBytes = volumes.volumes.get("demo")?.volume.capacityBytes;
  await volumes.closeAll();
  return {
    capacityBytes,
    refreshed: refreshed.slice(0, 1),
    log: lines.join(""),
    added,
    removed,
    configured,
    again,
    open,
  };
}

function withSecret(text: string): Config {
  const accounts = [{ user: "a", secret: new Secret(text) }];
  const authentication = { accounts, mutual: null, mutualRequired: false, algorithms: null };
  const base = memoryConfig(MIB);
  return { ...base, discovery: { ...base.discovery, authentication } };
}

describe("reload", () => {
  it("is refused where it has the name of what a command has made", async () => {
    const config = memoryConfig(MIB);
    const { log, added } = await reloaded(memoryConfig(MIB, { targets: [] }), () => config, {
      ...EMPTY_INVENTORY,
      targets: config.targets,
    });
    expect(log).toContain(`target ${DEMO_TARGET} was made by a command, too`);
    expect(added).toEqual([]);
  });

  it("is refused where it takes what a command has given to initiators, or would make it another disk", async () => {
    const before = memoryConfig(MIB, { targets: [] });
    const inventory = { ...EMPTY_INVENTORY, targets: memoryConfig(MIB).targets };
    const gone = await reloaded(before, () => ({ ...before, volumes: new Map() }), inventory);
    expect(gone.log).toContain("it does not fit what commands have made");
    const targets = memoryConfig(MIB).targets.map((target) => ({
      ...target,
      name: `${DEMO_TARGET}2`,
      luns: target.luns.map((lun) => ({ ...lun, readOnly: true })),
    }));
    const other = await reloaded(before, () => ({ ...before, targets }), inventory);
    expect(other.log).toContain("described in another way");
    expect([...other.added, ...other.refreshed]).toEqual([]);
    // What was wrong before does not keep the rest from coming into effect.
    const lacking = { ...before, volumes: new Map() };
    const more = { ...lacking, targets: [targetConfig(`${DEMO_TARGET}3`)] };
    expect((await reloaded(lacking, () => more, inventory)).added).toEqual([`${DEMO_TARGET}3`]);
  });

  it("leaves a target as it is that becomes one of tgt", async () => {
    const before = memoryConfig(MIB);
    const tgts = { tid: 1, tgt: { settings: new Map<string, string>() }, luns: [] };
    const targets = before.targets.map((target) => ({ ...target, ...tgts }));
    const { configured, removed, again, log } = await reloaded(before, () =>
      memoryConfig(MIB, { targets }),
    );
    expect([...configured, ...removed]).toEqual([]);
    expect(again.targets).toEqual(before.targets);
    expect(log).toContain(`["target ${DEMO_TARGET}"]`);
  });

  it("leaves a volume open that a command has given to initiators", async () => {
    const config = memoryConfig(MIB);
    const { open } = await reloaded(
      memoryConfig(MIB, { targets: [] }),
      () => memoryConfig(MIB, { targets: [], volumes: new Map() }),
      { ...EMPTY_INVENTORY, targets: config.targets },
    );
    expect(open).toEqual(["demo"]);
  });

  it("takes up a larger size, and has nothing else to say", async () => {
    const result = await reloaded(memoryConfig(MIB), () => memoryConfig(2 * MIB));
    expect(result.capacityBytes).toBe(2 * MIB);
    expect(result.log).not.toContain("restart");
  });

  it("takes up the write protection of LUNs, which needs no restart", async () => {
    const before = memoryConfig(MIB);
    const targets = before.targets.map((target) => ({
      ...target,
      luns: target.luns.map((lun) => ({ ...lun, readOnly: true })),
    }));
    const result = await reloaded(before, () => memoryConfig(MIB, { targets }));
    expect(result.refreshed).toEqual([targets]);
    expect(result.log).not.toContain("restart");
  });

  it("says what needs a restart", async () => {
    const changed = memoryConfig(MIB, { poll: "off" });
    const [volume] = changed.volumes.values();
    if (volume === undefined) throw new Error("there is a volume");
    const volumes = new Map([["demo", { ...volume, delayMs: 1 }]]);
    const result = await reloaded(memoryConfig(MIB), () => ({ ...changed, volumes }));
    expect(result.log).toContain('"changed":["poll","volume demo"]');
  });

  it("removes volumes, LUNs and targets that are wanted no more", async () => {
    const before = memoryConfig(MIB);
    const gone = await reloaded(before, () => ({ ...before, targets: [], volumes: new Map() }));
    expect(gone.removed).toEqual([DEMO_TARGET]);
    expect(gone.open).toEqual([]);
    expect(gone.log).toContain("its data are lost: it is memory");
    expect(gone.log).not.toContain("its data stay");
    expect(gone.again).toMatchObject({ targets: [] });
    expect(gone.log).not.toContain("restart");
    const [target] = before.targets;
    if (target === undefined) throw new Error("there is a target");
    const without = { ...target, luns: [] };
    const kept = await reloaded(before, () => ({ ...before, targets: [without] }));
    expect(kept.removed).toEqual([`${DEMO_TARGET} LUN 0`]);
    expect(kept.open).toEqual(["demo"]);
  });

  it("removes a LUN before its volume is there under another", async () => {
    const before = memoryConfig(MIB);
    const [target] = before.targets;
    if (target === undefined) throw new Error("there is a target");
    const other = { ...target, luns: target.luns.map((lun) => ({ ...lun, lun: 5 })) };
    const moved = await reloaded(before, () => ({ ...before, targets: [other] }));
    expect(moved.removed).toEqual([`${DEMO_TARGET} LUN 0`]);
    expect(moved.added).toEqual([`${DEMO_TARGET} LUN 5`]);
  });

  it("opens a file under another name once it is closed under the one before", async () => {
    const folder = mkdtempSync(join(tmpdir(), "thinlun-reload-"));
    try {
      const before = memoryConfig(MIB);
      const [target] = before.targets;
      const [memory] = before.volumes.values();
      if (target === undefined || memory === undefined) throw new Error("demo");
      const path = join(folder, "disk.img");
      const raw = { ...memory, driver: "raw", path, create: true, direct: false } as const;
      const luns = target.luns.map((lun) => ({ ...lun, lun: 3, volume: "renamed" }));
      const result = await reloaded({ ...before, volumes: new Map([["demo", raw]]) }, () => ({
        ...before,
        volumes: new Map([["renamed", raw]]),
        targets: [{ ...target, luns }],
      }));
      expect(result.open).toEqual(["renamed"]);
      expect(result.added).toEqual([`${DEMO_TARGET} LUN 3`]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("makes no LUN another disk, which initiators that are there would not notice", async () => {
    const before = memoryConfig(MIB);
    const [target] = before.targets;
    const [volume] = before.volumes.values();
    if (target === undefined || volume === undefined) throw new Error("demo");
    const blocks = target.luns.map((lun) => ({ ...lun, blockBytes: 4096 as const }));
    const other = target.luns.map((lun) => ({ ...lun, volume: "other" }));
    for (const luns of [blocks, other]) {
      const volumes = new Map([["other", volume]]);
      const config = { ...before, volumes, targets: [{ ...target, luns }] };
      const result = await reloaded(before, () => config);
      expect([...result.removed, ...result.added]).toEqual([]);
      expect(result.log).toContain(`["LUN 0 of ${DEMO_TARGET}"]`);
      expect(result.again.targets).toEqual(before.targets);
      // It goes on, and so does what it is a LUN of.
      expect(result.open).toEqual(["demo", "other"]);
    }
    const swapped = [
      ...target.luns.map((lun) => ({ ...lun, volume: "other" })),
      ...target.luns.map((lun) => ({ ...lun, lun: 1 })),
    ];
    const volumes = new Map([...before.volumes, ["other", volume]]);
    const config = { ...before, volumes, targets: [{ ...target, luns: swapped }] };
    const result = await reloaded(before, () => config);
    expect(result.added).toEqual([]);
    expect(result.log).toContain(`["LUN 0 of ${DEMO_TARGET}","LUN 1 of ${DEMO_TARGET}"]`);
  });

  it("makes no number another disk that initiators know as one that was taken away before", async () => {
    const before = memoryConfig(MIB);
    const targets = before.targets.map((target) => ({ ...target, luns: [] }));
    const gone = memoryConfig(MIB, { targets });
    const { log, added } = await reloaded(gone, () => before, EMPTY_INVENTORY, true);
    expect(added).toEqual([]);
    expect(log).toContain(`["LUN 0 of ${DEMO_TARGET}"]`);
  });

  it("takes from what is to come after a restart nothing for what is there", async () => {
    const before = memoryConfig(MIB);
    const [target] = before.targets;
    const [volume] = before.volumes.values();
    if (target === undefined || volume === undefined) throw new Error("demo");
    const luns = target.luns.map((lun) => ({ ...lun, volume: "other", readOnly: true }));
    const volumes = new Map([...before.volumes, ["other", volume]]);
    const next = { ...before, volumes, targets: [{ ...target, luns }] };
    const { refreshed } = await reloaded(before, () => next);
    expect(refreshed).toEqual([]);
  });

  it("changes a target for the logins to come, and leaves its LUNs alone", async () => {
    const before = memoryConfig(MIB);
    const [target] = before.targets;
    if (target === undefined) throw new Error("there is a target");
    const aliased = { ...target, alias: "another" };
    const renamed = await reloaded(before, () => ({ ...before, targets: [aliased] }));
    expect(renamed.configured).toEqual([DEMO_TARGET]);
    expect([...renamed.removed, ...renamed.added]).toEqual([]);
    expect(renamed.again.targets).toEqual([aliased]);
  });

  it("tries a volume again that could not be opened before", async () => {
    const before = memoryConfig(MIB);
    const [volume] = before.volumes.values();
    const [target] = before.targets;
    const [lun] = target?.luns ?? [];
    if (volume === undefined || target === undefined || lun === undefined) throw new Error("demo");
    const late = { ...volume, sizeBytes: 2 ** 50, optional: true };
    const luns = [lun, { ...lun, lun: 1, volume: "late" }];
    const config = (size: number): Config => ({
      ...before,
      volumes: new Map([...before.volumes, ["late", { ...late, sizeBytes: size }]]),
      targets: [{ ...target, luns }],
    });
    const result = await reloaded(config(2 ** 50), () => config(MIB));
    expect(result.open).toEqual(["demo", "late"]);
    expect(result.added).toEqual([`${DEMO_TARGET} LUN 1`]);
  });

  it("tries those of commands again, too, and takes up the accounts", async () => {
    const config = memoryConfig(MIB, { targets: [], volumes: new Map() });
    const accounts = [{ user: "alice", secret: new Secret("wonderland:123456") }];
    const { volumes, targets } = memoryConfig(MIB);
    const inventory = { ...EMPTY_INVENTORY, volumes, targets };
    const next = { ...config, accounts };
    const { added, open, again, log } = await reloaded(config, () => next, inventory);
    expect([added, open]).toEqual([[`${DEMO_TARGET} LUN 0`], ["demo"]]);
    expect(again.accounts).toEqual(accounts);
    expect(log).not.toContain("restart");
  });

  it("opens volumes that are new, and adds LUNs and targets, once", async () => {
    const before = memoryConfig(MIB);
    const [target] = before.targets;
    const [volume] = before.volumes.values();
    const [lun] = target?.luns ?? [];
    if (target === undefined || volume === undefined || lun === undefined) throw new Error("demo");
    const second = { ...lun, lun: 1, volume: "second" };
    const absent = { ...lun, lun: 2, volume: "third" };
    const name = `${DEMO_TARGET}2`;
    const next: Config = {
      ...before,
      volumes: new Map([
        ...before.volumes,
        ["second", volume],
        ["third", { ...volume, sizeBytes: 2 ** 50 }],
      ]),
      targets: [
        { ...target, luns: [...target.luns, second, absent] },
        { ...target, name, luns: [{ ...lun, volume: "second" }] },
      ],
    };
    const result = await reloaded(before, () => next);
    expect(result.open).toEqual(["demo", "second"]);
    expect(result.added).toEqual([`${DEMO_TARGET} LUN 1`, name]);
    expect(result.log).toContain("volume not added");
    expect(result.log).not.toContain("restart");
    expect(result.again.targets.map(({ luns }) => luns.map((one) => one.lun))).toEqual([
      [0, 1, 2],
      [0],
    ]);
  });

  it("sees that a secret was changed, and does not show it", async () => {
    const same = await reloaded(withSecret("firstsecret1"), () => withSecret("firstsecret1"));
    expect(same.log).not.toContain("restart");
    const other = await reloaded(withSecret("firstsecret1"), () => withSecret("othersecret2"));
    expect(other.log).toContain('["discovery"]');
    expect(other.log).not.toMatch(/firstsecret1|othersecret2/);
  });

  it("waits for no I/O that hangs, and gives nobody a disk that is still to be closed", async () => {
    const config = memoryConfig(MIB);
    const none = { ...config, targets: [], volumes: new Map() };
    const lines: LogLine[] = [];
    const log = recordingLog(lines);
    const clock = new ManualClock();
    const identities = forgetfulIdentities("5e0f7a7e-52ad-4f2b-8f0d-6d2f0d5d1c3a");
    const volumes = new VolumeStore(log, identities, () => undefined);
    for (const [name, volume] of config.volumes) await volumes.open(name, volume);
    let end: () => void = () => undefined;
    const hanging = new Promise<void>((resolve) => (end = resolve));
    const added: TargetConfig[] = [];
    const exports = {
      refresh: () => undefined,
      add: (target: TargetConfig) => void added.push(target),
      addLun: (target: string, lun: LunConfig) => {
        added.push(targetConfig(target, { luns: [lun] }));
        return true;
      },
      isMetAsAnother: () => false,
      configure: () => undefined,
      remove: () => hanging,
      removeLun: () => hanging,
    };
    const next = (running: Config, load: () => Config): Promise<Config> =>
      reload({ log, clock, load, running, inventory: EMPTY_INVENTORY, volumes, exports });
    const reloading = next(config, () => none);
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(10_000);
    const gone = await reloading;
    expect(gone).toMatchObject({ targets: [], volumes: new Map() });
    expect(lines.at(-2)?.message).toContain("hangs");
    const back = await next(gone, () => config);
    expect(added.splice(0).flatMap(({ luns }) => luns)).toEqual([]);
    expect(lines.some(({ message }) => message === "volume not added")).toBe(true);
    end();
    await vi.waitUntil(() => volumes.volumes.size === 0);
    await next(back, () => config);
    expect(added.flatMap(({ luns }) => luns)).toEqual(config.targets[0]?.luns);
    await volumes.closeAll();
  });

  it("stays with what it has when the configuration has errors", async () => {
    const result = await reloaded(memoryConfig(MIB), () => {
      throw new Error("thinlun.yaml:3:1: unknown key");
    });
    expect(result.capacityBytes).toBe(MIB);
    expect(result.refreshed).toEqual([]);
    expect(result.log).toContain("unknown key");
  });
});

it("volumes that hang when they are opened are waited for side by side, and what works is there", async () => {
  const clock = new ManualClock();
  const { log } = openLog({ level: "silent", pretty: false, write: () => undefined });
  const begun: string[] = [];
  const identities = {
    ...forgetfulIdentities("5e0f7a7e-52ad-4f2b-8f0d-6d2f0d5d1c3a"),
    uuidOf: (name: string) => {
      begun.push(name);
      return name === "good" ? Promise.resolve(randomUUID()) : new Promise<never>(() => undefined);
    },
  };
  const volumes = new VolumeStore(log, identities, () => undefined, clock);
  const [volume] = memoryConfig(MIB).volumes.values();
  if (volume === undefined) throw new Error("there is a volume");
  const names = ["stuck", "stuck too", "this one, too", "good"];
  const running = memoryConfig(MIB, { targets: [], volumes: new Map() });
  const next = { ...running, volumes: new Map(names.map((name) => [name, volume])) };
  const exports = { refresh: () => undefined } as unknown as Exports;
  let isDone = false;
  const load = (): Config => next;
  const inventory = EMPTY_INVENTORY;
  const reading = reload({ log, clock, load, running, inventory, volumes, exports }).then(
    () => (isDone = true),
  );
  for (let seconds = 0; seconds < 35 && !isDone; seconds += 1) {
    await new Promise(setImmediate);
    clock.advance(1_000);
  }
  await new Promise(setImmediate);
  expect(begun).toEqual(names);
  expect([...volumes.volumes.keys()]).toEqual(["good"]);
  expect(isDone).toBe(true);
  await reading;
  await volumes.close("good");
});
