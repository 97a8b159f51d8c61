import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type {
  TgtApplyArguments,
  TgtApplyReply,
  TgtDocument,
  TgtLunDocument,
  TgtTargetDocument,
} from "../../../src/control/schemas/tgt-apply.ts";
import type { TargetConfig } from "../../../src/control/config/config.ts";
import { demoConfig } from "../../../src/control/demo-config.ts";
import { emptyConfig } from "../support/plane-harness.ts";
import { DaemonBench, MIB } from "./support/daemon-bench.ts";

const A = "iqn.2026-01.com.example:a";
const B = "iqn.2026-01.com.example:b";
const OWN = "iqn.2026-11.net.example:own";
const HOST = "iqn.2026-11.net.example:host";

let bench: DaemonBench;
beforeEach(async () => {
  bench = await DaemonBench.make();
  for (const name of ["one", "two", "three"]) file(name);
});
afterEach(() => bench.dispose());

function file(name: string, sizeBytes: number = MIB): string {
  const path = join(bench.folder, name);
  writeFileSync(path, Buffer.alloc(sizeBytes));
  return path;
}

function lun(number: number, name: string, more: Partial<TgtLunDocument> = {}): TgtLunDocument {
  return {
    lun: number,
    path: join(bench.folder, name),
    deviceType: null,
    bsType: null,
    bsOptions: null,
    bsOpenFlags: null,
    blockSize: null,
    params: [],
    ...more,
  };
}

function target(name: string, more: Partial<TgtTargetDocument> = {}): TgtTargetDocument {
  return {
    name,
    tid: null,
    incoming: [],
    outgoing: null,
    addresses: ["ALL"],
    initiatorNames: [],
    settings: [],
    luns: [],
    ...more,
  };
}

interface Wish extends Partial<Omit<TgtApplyArguments, "wanted">>, Partial<TgtDocument> {}

function apply(wish: Wish): Promise<TgtApplyReply> {
  const { remove = [], spareOthers = false, onlyNew = false, ...others } = wish;
  const { force = false, dryRun = false, ...document } = others;
  const wanted = { targets: [], accounts: [], discovery: null, system: [], ...document };
  return bench.run("tgt/apply", { wanted, remove, spareOthers, onlyNew, force, dryRun });
}

function named(name: string): TargetConfig | undefined {
  return bench.harness.plane.view.all.targets.find((one) => one.name === name);
}

describe("tgt/apply", () => {
  it("makes targets as tgt's commands do, and the same again changes nothing", async () => {
    const wish: Wish = {
      accounts: [
        { user: "alice", password: "secret-of-alice" },
        { user: "bob", password: "secret-of-bob" },
        { user: "disco", password: "secret-of-disco" },
      ],
      discovery: { incoming: ["disco"], outgoing: null },
      targets: [
        target(A, {
          tid: 4,
          incoming: ["alice"],
          outgoing: "bob",
          addresses: ["10.0.0.0/8", "fe80::/10"],
          initiatorNames: [HOST],
          settings: [
            { name: "MaxBurstLength", value: "65536" },
            { name: "state", value: "offline" },
          ],
          luns: [
            lun(1, "one", { params: ["scsi_id=an-id,scsi_sn=a-serial", "readonly=1"] }),
            lun(7, "two", { bsType: "aio", blockSize: "4096" }),
          ],
        }),
        target(B),
      ],
    };
    const { differences, inUse } = await apply(wish);
    expect(inUse).toEqual([]);
    expect(differences).toContain(`create target ${A}`);
    expect(named(A)).toMatchObject({
      tid: 4,
      state: "offline",
      access: { addresses: ["10.0.0.0/8", "fe80::/10"], initiatorNames: [HOST] },
      offers: { maxBurstLengthBytes: 65536 },
      luns: [
        { lun: 1, readOnly: true, tgt: { scsiId: "an-id", scsiSn: "a-serial" } },
        { lun: 7, blockBytes: 4096, tgt: { storeType: "aio" } },
      ],
    });
    expect(named(A)?.authentication?.accounts.map(({ user }) => user)).toEqual(["alice"]);
    expect(named(A)?.authentication?.mutual?.user).toBe("bob");
    expect(named(B)).toMatchObject({ tid: 5, luns: [] });
    expect(await apply(wish)).toEqual({ differences: [], inUse: [], configured: [], spared: [] });
  });

  it("changes what differs, and nothing of it ends a session or takes a disk away", async () => {
    const before = target(A, { luns: [lun(1, "one")], addresses: ["ALL"] });
    await apply({ targets: [before] });
    const session = await bench.login(A);
    const { differences, inUse } = await apply({
      targets: [
        target(A, {
          luns: [lun(1, "one", { params: ["scsi_sn=other"] }), lun(2, "two")],
          addresses: ["127.0.0.0/8"],
          initiatorNames: [HOST],
          incoming: ["alice"],
        }),
      ],
      accounts: [{ user: "alice", password: "secret-of-alice" }],
    });
    expect(inUse).toEqual([]);
    expect(differences.some((line) => line.startsWith(`change target ${A}`))).toBe(true);
    expect([...bench.harness.server.sessions].length).toBe(1);
    session.destroy();
  });

  it("gives an account another password wherever it is bound", async () => {
    const wish = (password: string): Wish => {
      return { targets: [target(A, { incoming: ["u"] })], accounts: [{ user: "u", password }] };
    };
    await apply(wish("first-password"));
    await apply({
      targets: [target(B, { incoming: ["u"] })],
      accounts: [{ user: "u", password: null }],
    });
    await apply({ ...wish("second-password"), targets: [] });
    const { view } = bench.harness.plane;
    for (const name of [A, B]) {
      const [account] = named(name)?.authentication?.accounts ?? [];
      expect(account?.secret.reveal()).toBe("second-password");
    }
    expect(view.all.accounts.map(({ user }) => user)).toEqual(["u"]);
    await expect(apply({ accounts: [{ user: "nobody", password: null }] })).rejects.toMatchObject({
      kind: "invalid",
      message: "the password of account nobody is not known",
    });
  });

  it("leaves a user of the same name alone that a target was given with a password of its own", async () => {
    const wish = (password: string): Wish => {
      const targets = [target(A, { incoming: ["u"] }), target(B, { incoming: ["u"] })];
      return { targets, accounts: [{ user: "u", password }] };
    };
    await apply(wish("first-password"));
    const own = { user: "u", password: "its-own-password" };
    await bench.run("target/auth", { target: B, users: [own] });
    await bench.run("target/create", { name: OWN });
    await bench.run("target/auth", { target: OWN, users: [{ user: "u" }] });
    await apply({ ...wish("second-password"), targets: [] });
    const passwords = [A, B, OWN].map((name) => {
      return named(name)?.authentication?.accounts[0]?.secret.reveal();
    });
    expect(passwords).toEqual(["second-password", "its-own-password", "second-password"]);
  });

  it("leaves a target as it is whose initiators would lose a disk, unless forced", async () => {
    await apply({ targets: [target(A, { luns: [lun(1, "one"), lun(2, "two")] })] });
    await bench.login(A);
    const before = named(A);
    const without: Wish = {
      targets: [target(A, { luns: [lun(1, "one")] }), target(B)],
    };
    expect((await apply(without)).inUse).toEqual([A]);
    expect(named(A)).toEqual(before);
    expect(named(B)).toBeDefined();
    const other: Wish = { targets: [target(A, { luns: [lun(1, "three")] })] };
    expect((await apply(other)).inUse).toEqual([A]);
    expect((await apply({ remove: [A] })).inUse).toEqual([A]);
    expect((await apply({ ...other, force: true })).inUse).toEqual([]);
    expect(named(A)?.luns.map(({ tgt }) => tgt?.storePath)).toEqual([join(bench.folder, "three")]);
    expect([...bench.harness.server.sessions].length).toBe(1);
    expect((await apply({ remove: [A], force: true })).inUse).toEqual([]);
    expect(named(A)).toBeUndefined();
  });

  it("opens a file in another way, though it is one volume", async () => {
    await apply({ targets: [target(A, { luns: [lun(1, "one")] })] });
    await apply({ targets: [target(A, { luns: [lun(1, "one", { bsType: "aio" })] })] });
    expect(named(A)?.luns[0]?.tgt?.storeType).toBe("aio");
    expect(bench.harness.plane.view.all.volumes.get(join(bench.folder, "one"))).toMatchObject({
      direct: true,
    });
  });

  it("takes the first of two changes back where the second fails", async () => {
    await apply({ targets: [target(A, { luns: [lun(1, "one")] })] });
    const { inventory } = bench.harness.plane.view;
    const wish: Wish = {
      targets: [target(A, { luns: [lun(1, "one", { bsType: "aio" }), lun(2, "missing")] })],
    };
    await expect(apply(wish)).rejects.toThrow();
    expect(bench.harness.plane.view.inventory).toEqual(inventory);
    expect(named(A)?.luns).toHaveLength(1);
  });

  it.each([
    ["succeeds", "three"],
    ["fails", "one"],
  ])(
    "takes nothing back of what others do meanwhile, where the second of two %s",
    async (what, disk) => {
      await apply({ targets: [target(A, { luns: [lun(1, "one")] })] });
      await bench.login(A);
      let made: Promise<unknown> = Promise.resolve();
      const end = bench.harness.plane.subscribe(() => {
        end();
        if (what === "fails") rmSync(join(bench.folder, "three"));
        made = bench.run("target/create", { name: B });
      });
      const wish = { targets: [target(A, { luns: [lun(1, "three")] })], force: true };
      const [{ status }] = await Promise.allSettled([apply(wish)]);
      expect(status === "fulfilled").toBe(what === "succeeds");
      await made;
      expect(named(B)).toBeDefined();
      expect(named(A)?.luns.map(({ tgt }) => tgt?.storePath)).toEqual([join(bench.folder, disk)]);
    },
  );

  it.each([
    ["a setting that is none", { settings: [{ name: "MaxBurstLength", value: "1" }] }],
    ["an address that is none", { addresses: ["everywhere"] }],
    ["a user that is not there", { incoming: ["nobody"] }],
    ["a name that is none", { name: "no name" }],
  ])("changes nothing where one thing is wrong: %s", async (_what, more) => {
    const { inventory } = bench.harness.plane.view;
    const wish: Wish = {
      targets: [target(A, { luns: [lun(1, "one")] }), target(B, more)],
    };
    await expect(apply(wish)).rejects.toMatchObject({ kind: "invalid" });
    expect(bench.harness.plane.view.inventory).toEqual(inventory);
  });

  it("refuses words with commas, and types of devices that there are not", async () => {
    for (const wrong of [{ path: "/a,b" }, { deviceType: "toaster" }]) {
      const wish = { targets: [target(A, { luns: [lun(1, "one", wrong)] })] };
      await expect(apply(wish)).rejects.toMatchObject({ kind: "invalid" });
    }
    const system = [{ name: "iSNS", value: "On" }];
    await expect(apply({ system })).rejects.toMatchObject({ kind: "invalid" });
  });

  it("tells what it would do without doing it", async () => {
    const wish: Wish = { targets: [target(A, { luns: [lun(1, "one")] })], dryRun: true };
    expect((await apply(wish)).differences).toContain(`create target ${A}`);
    expect(named(A)).toBeUndefined();
  });

  it("leaves targets of the configuration where they are", async () => {
    await bench.dispose();
    bench = await DaemonBench.make((folder) => {
      const config = emptyConfig(folder);
      return {
        config: {
          ...config,
          targets: demoConfig(folder).targets.map((one) => ({ ...one, luns: [] })),
        },
      };
    });
    const [demo] = bench.harness.plane.view.all.targets;
    const remove = [demo?.name ?? ""];
    expect(await apply({ remove, targets: [target(A)], force: true })).toMatchObject({
      configured: remove,
    });
    expect(named(demo?.name ?? "")).toBeDefined();
    expect(named(A)).toBeDefined();
  });

  it("leaves targets that are there where only new ones are wanted", async () => {
    await apply({ targets: [target(A)] });
    const luns = [lun(1, "one")];
    await apply({ targets: [target(A, { luns }), target(B, { luns })], onlyNew: true });
    expect([named(A)?.luns.length, named(B)?.luns.length]).toEqual([0, 1]);
  });

  // import-tgt gives a target another number where its own is taken, and its disks the identities that hosts know. An update with the
  // same file, which says neither, called them after the new number: other names below /dev/disk/by-id.
  it("keeps the identities of disks that were called after another number, and takes those that are said", async () => {
    const ids = ["scsi_id=IET     00010001", "scsi_sn=beaf11"];
    const disk = (...params: string[]): TgtLunDocument => lun(1, "one", { params });
    await apply({ targets: [target(B), target(A, { luns: [disk(...ids)] })] });
    const said = (): unknown[] => {
      const { scsiId, scsiSn } = named(A)?.luns[0]?.tgt ?? {};
      return [named(A)?.tid, scsiId, scsiSn];
    };
    expect(said()).toEqual([2, "IET     00010001", "beaf11"]);
    expect(await apply({ targets: [target(A, { luns: [disk()] })] })).toMatchObject({
      differences: [],
    });
    await apply({
      targets: [target(A, { luns: [disk()], incoming: [], addresses: ["127.0.0.1"] })],
    });
    expect(said()).toEqual([2, "IET     00010001", "beaf11"]);
    await apply({ targets: [target(A, { luns: [disk("scsi_id=mine,scsi_sn=own")] })] });
    expect(said()).toEqual([2, "mine", "own"]);
    // What somebody has said goes with the words.
    await apply({ targets: [target(A, { luns: [disk()] })] });
    expect(said()).toEqual([2, "IET     00020001", "beaf21"]);
  });

  it("keeps what targets.conf has no words for", async () => {
    await apply({
      targets: [target(A, { settings: [{ name: "nop_count", value: "3" }] }), target(B)],
    });
    await bench.run("target/set", { target: A, alias: "a disk" });
    const { differences } = await apply({ targets: [target(A)] });
    expect(differences).toEqual([]);
    expect(named(A)?.tgt?.settings.get("nop_count")).toBe("3");
    expect(bench.harness.plane.view.inventory.targets.map(({ name }) => name)).toEqual([A, B]);
  });
});

describe("tgt/dump", () => {
  it("tells what makes the same targets again", async () => {
    const wish: Wish = {
      accounts: [
        { user: "alice", password: "secret-of-alice" },
        { user: "bob", password: "secret-of-bob" },
        // One character a byte.
        { user: "j\u00c3\u00bcrgen", password: "schl\u00c3\u00bcssel-von-j" },
      ],
      discovery: { incoming: ["alice"], outgoing: "bob" },
      targets: [
        target(A, {
          tid: 3,
          incoming: ["alice", "j\u00c3\u00bcrgen"],
          outgoing: "bob",
          addresses: ["10.0.0.0/8"],
          initiatorNames: [HOST, "j\u00c3\u00bcrgen"],
          settings: [
            { name: "nop_count", value: "3" },
            { name: "HeaderDigest", value: "CRC32C" },
            { name: "state", value: "offline" },
          ],
          luns: [
            lun(1, "one", {
              bsOpenFlags: "sync",
              params: ["vendor_id=V,product_id=P,product_rev=R", "lbppbe=0", "online=0"],
            }),
            lun(2, "two", {
              blockSize: "4096",
              params: [
                "mode_page=8:0:18:0x10:0:0xff:0xff:0:0:0xff:0xff:0xff:0xff:0x80:0x14:0:0:0:0:0:0",
                "mode_page=10:0:10:2:0:8:0:0:0:0:0:2:0",
                "thin_provisioning=1,removable=1,sense_format=1",
                "scsi_id=id,scsi_sn=sn,rotation_rate=1,la_lba=1",
                "optimal_xfer_gran=8,optimal_xfer_len=16",
              ],
            }),
            lun(3, "three", { path: null }),
          ],
        }),
        target(B, { addresses: [] }),
      ],
    };
    await apply(wish);
    const document = await bench.run("tgt/dump", { withSecrets: true });
    const before = bench.harness.plane.view.inventory;
    const umlauts = before.accounts.find(({ user }) => user === "j\u00fcrgen");
    expect(umlauts?.secret.reveal()).toBe("schl\u00fcssel-von-j");
    expect(await apply(document)).toEqual({
      differences: [],
      inUse: [],
      configured: [],
      spared: [],
    });
    await apply({ remove: [A, B] });
    await apply(document);
    expect(bench.harness.plane.view.inventory).toEqual(before);
    const hidden = await bench.run("tgt/dump", { withSecrets: false });
    expect(hidden.accounts.map(({ password }) => password)).toEqual([null, null, null]);
  });

  it("tells of names as they were spelled, which mean the same target in any case", async () => {
    const spelled = A.toUpperCase().replace("IQN", "iqn");
    await apply({ targets: [target(spelled, { luns: [lun(1, "one")] })] });
    const { targets } = await bench.run("tgt/dump", { withSecrets: true });
    expect(targets.map(({ name }) => name)).toEqual([spelled]);
    const nothing = { differences: [], inUse: [], configured: [], spared: [] };
    expect(await apply({ targets })).toEqual(nothing);
    const [other] = targets.map((one) => ({ ...one, name: A, tid: null }));
    if (other === undefined) throw new Error("there is one target");
    await apply({ targets: [other], remove: [spelled] });
    expect(bench.harness.plane.view.inventory.targets).toMatchObject([{ name: A, tid: 1 }]);
    await apply({ remove: [spelled] });
    expect(bench.harness.plane.view.inventory.targets).toEqual([]);
  });

  it("tells of targets that others have made", async () => {
    await bench.makePool("vol");
    await bench.run("target/create", { name: B });
    await bench.run("target/map", { target: B, volume: "tank/vol", lun: 4 });
    const { targets } = await bench.run("tgt/dump", { withSecrets: false });
    const [found] = targets.filter(({ name }) => name === B);
    expect(found?.luns).toMatchObject([{ lun: 4, path: "tank/vol", bsType: "thin" }]);
  });
});
