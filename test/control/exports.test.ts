import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { LunConfig, TargetConfig } from "../../src/control/config/config.ts";
import { demoConfig } from "../../src/control/demo-config.ts";
import { Exports, targetSettings } from "../../src/control/exports.ts";
import { Secret } from "../../src/control/secret.ts";
import { VolumeStore } from "../../src/control/volume-store.ts";
import { AccessList } from "../../src/iscsi/auth/access-list.ts";
import { AuthenticationPolicy } from "../../src/iscsi/auth/authentication-policy.ts";
import { DEFAULT_OFFERS } from "../../src/iscsi/parameters.ts";
import { IscsiServer } from "../../src/iscsi/server.ts";
import { systemClock } from "../../src/util/clock.ts";
import { silentLog } from "../../src/util/log.ts";
import { systemRandomBytes } from "../../src/util/random.ts";
import { FakeTask } from "../scsi/support/fake-task.ts";
import { FakeVolume } from "../scsi/support/fake-volume.ts";
import { forgetfulIdentities } from "./support/forgetful-identities.ts";

const UUID = "5e0f7a7e-52ad-4f2b-8f0d-6d2f0d5d1c3a";

let server: IscsiServer;
let volumes: VolumeStore;
let exported: Exports;

beforeEach(async () => {
  server = new IscsiServer({
    log: silentLog,
    clock: systemClock,
    randomBytes: systemRandomBytes,
    poll: "off",
    discovery: {
      enabled: true,
      access: new AccessList(),
      authentication: new AuthenticationPolicy(),
      offers: DEFAULT_OFFERS,
    },
  });
  volumes = new VolumeStore(silentLog, forgetfulIdentities(UUID), () => undefined);
  await volumes.open("disk", {
    driver: "memory",
    sizeBytes: 1024 * 1024,
    uuid: null,
    readOnly: false,
    optional: false,
    delayMs: 0,
  });
  exported = new Exports({
    log: silentLog,
    clock: systemClock,
    server,
    volumes: volumes.volumes,
    logoutGraceMs: 0,
  });
});

afterEach(async () => {
  exported.close();
  await volumes.closeAll();
});

function target(name: string, luns: readonly LunConfig[]): TargetConfig {
  const demo = demoConfig("/nowhere").targets[0];
  if (demo === undefined) throw new Error("the demonstration has a target");
  return { ...demo, name, luns };
}

const lun = (number: number, changes: Partial<LunConfig> = {}): LunConfig => ({
  lun: number,
  volume: "disk",
  blockBytes: 512,
  readOnly: false,
  identity: {},
  settings: {},
  tgt: null,
  ...changes,
});

const unitsOf = (name: string) => server.targets.get(name)?.device.units;

describe("Exports", () => {
  it("makes logical units as configured", () => {
    const identity = { product: "FAST", serial: "0042" };
    exported.add(
      target("iqn.2026-11.a:1", [lun(3, { blockBytes: 4096, readOnly: true, identity })]),
    );
    const unit = unitsOf("iqn.2026-11.a:1")?.get(3);
    expect(unit).toMatchObject({ blockBytes: 4096, readOnly: true, capacityBlocks: 256 });
    expect(unit?.identity).toMatchObject({ product: "FAST", serial: "0042" });
  });

  it("has one logical unit for a volume, in however many targets", () => {
    exported.add(target("iqn.2026-11.a:1", [lun(0)]));
    exported.add(target("iqn.2026-11.a:2", [lun(7)]));
    expect(unitsOf("iqn.2026-11.a:1")?.get(0)).toBe(unitsOf("iqn.2026-11.a:2")?.get(7));
  });

  it("takes up another write protection, under every LUN of the volume", () => {
    exported.add(target("iqn.2026-11.a:1", [lun(0)]));
    exported.add(target("iqn.2026-11.a:2", [lun(7)]));
    exported.refresh([
      target("iqn.2026-11.a:1", [lun(0, { readOnly: true }), lun(1, { volume: "new" })]),
    ]);
    expect(unitsOf("iqn.2026-11.a:2")?.get(7)?.readOnly).toBe(true);
    exported.refresh([target("iqn.2026-11.a:1", [lun(0)])]);
    expect(unitsOf("iqn.2026-11.a:2")?.get(7)?.readOnly).toBe(false);
  });

  it("adds a LUN to a target, and tells the initiators that are there", () => {
    exported.add(target("iqn.2026-11.a:1", [lun(0, { volume: "gone" })]));
    const device = server.targets.get("iqn.2026-11.a:1")?.device;
    const nexus = device?.openNexus({ initiatorPort: "iqn.2026-11.i,i,0x1", relativePortId: 1 });
    expect(exported.addLun("iqn.2026-11.a:1", lun(0, { volume: "gone" }))).toBe(false);
    expect(exported.addLun("iqn.2026-11.a:1", lun(1))).toBe(true);
    expect([...(device?.units.keys() ?? [])]).toEqual([1]);
    const unit = device?.units.get(1);
    expect(unit !== undefined && nexus !== undefined && unit.nexuses.has(nexus)).toBe(true);
    if (nexus !== undefined) device?.closeNexus(nexus);
  });

  it("leaves out a LUN whose volume is not open", () => {
    exported.add(target("iqn.2026-11.a:1", [lun(0, { volume: "gone" }), lun(1)]));
    expect([...(unitsOf("iqn.2026-11.a:1")?.keys() ?? [])]).toEqual([1]);
  });

  it("takes LUNs and targets away, and lets go of a unit with its last LUN", async () => {
    const [first, second] = ["iqn.2026-11.a:1", "iqn.2026-11.a:2"];
    exported.add(target(first, [lun(0)]));
    exported.add(target(second, [lun(4)]));
    const before = unitsOf(second)?.get(4);
    await exported.removeLun(first, 0);
    expect([...(unitsOf(first)?.keys() ?? [])]).toEqual([]);
    expect(exported.addLun(first, lun(1))).toBe(true);
    expect(unitsOf(first)?.get(1)).toBe(before);
    await exported.removeLun(first, 1);
    await exported.remove(second);
    expect(server.targets.has(second)).toBe(false);
    expect(exported.addLun(first, lun(2, { blockBytes: 4096 }))).toBe(true);
    expect(unitsOf(first)?.get(2)?.blockBytes).toBe(4096);
  });

  it("leads to the disk that is wanted while the one before cannot go, as its I/O hangs", async () => {
    const name = "iqn.2026-11.a:1";
    const [stuck, next] = [new FakeVolume(8192), new FakeVolume(8192)];
    const opened = volumes.volumes.get("disk");
    if (opened === undefined) throw new Error("the disk is open");
    const open = new Map([
      ["stuck", { ...opened, volume: stuck }],
      ["next", { ...opened, volume: next }],
    ]);
    const options = { log: silentLog, clock: systemClock, server, logoutGraceMs: 0 };
    const exporter = new Exports({ ...options, volumes: open });
    const tgt = { scsiId: "", scsiSn: "", storeType: "rdwr", storePath: "", storeFlags: "" };
    const isTgts = { tid: 1, tgt: { settings: new Map<string, string>() } };
    exporter.add({ ...target(name, [lun(1, { volume: "stuck", tgt })]), ...isTgts });
    const device = server.targets.get(name)?.device;
    const nexus = device?.openNexus({ initiatorPort: "iqn.2026-11.i,i,0x1", relativePortId: 1 });
    if (device === undefined || nexus === undefined) throw new Error("the target is there");
    stuck.holding = true;
    for (const unit of device.units.values()) while (nexus.takeAttention(unit) !== -1);
    const flush = new FakeTask();
    flush.nexus = nexus;
    flush.lun = 1;
    flush.attribute = 1;
    flush.cdb.fill(0);
    flush.cdb[0] = 0x35;
    flush.cdbBytes = 16;
    device.dispatch(flush);
    expect(stuck.held).toHaveLength(1);
    const gone = exporter.removeLun(name, 1);
    expect(exporter.addLun(name, lun(1, { volume: "next", tgt }))).toBe(true);
    expect(device.units.get(1)?.volume).toBe(next);
    stuck.release();
    await gone;
    expect(stuck.listenerCount).toBe(0);
    expect(device.units.get(1)?.volume).toBe(next);
    device.closeNexus(nexus);
    exporter.close();
  });

  it("takes up the settings of a target that is there", () => {
    const name = "iqn.2026-11.a:1";
    exported.add(target(name, [lun(0)]));
    exported.configure({ ...target(name, []), alias: "another" });
    expect(server.targets.get(name)?.alias).toBe("another");
    expect([...(unitsOf(name)?.keys() ?? [])]).toEqual([0]);
  });
});

it("the settings of a target carry over", () => {
  const accounts = [{ user: "alice", secret: new Secret("secretsecret12") }];
  const settings = targetSettings({
    ...target("iqn.2026-11.a:1", []),
    authentication: { accounts, mutual: null, mutualRequired: false, algorithms: null },
    portalGroups: [2],
    sessionsMax: 3,
  });
  expect(settings).toMatchObject({ portalGroupTags: [2], maxSessions: 3, state: "ready" });
  expect(settings.authentication.required).toBe(true);
  expect(Buffer.from(settings.authentication.secretOf("alice") ?? []).toString()).toBe(
    "secretsecret12",
  );
});
