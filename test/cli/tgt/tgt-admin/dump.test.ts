import { describe, expect, it } from "vitest";
import type { TgtDocument, TgtTargetDocument } from "../../../../src/control/protocol.ts";
import { inBytes } from "../../../../src/cli/tgt/tgt-admin/byte-conf.ts";
import { dump } from "../../../../src/cli/tgt/tgt-admin/dump.ts";
import { Runner } from "../../../../src/cli/tgt/tgt-admin/runner.ts";
import { shownDocument } from "../../../../src/cli/tgt/tgt-admin/shown-document.ts";
import { parseShownTargets } from "../../../../src/cli/tgt/tgt-admin/shown-target.ts";
import { targetsConfText } from "../../../../src/cli/tgt/tgt-admin/targets-conf-text.ts";
import { wantedDocument } from "../../../../src/cli/tgt/tgt-admin/wanted-document.ts";
import type { AdminWorld } from "../../../../src/cli/tgt/tgt-admin/world.ts";
import { readTargetsConf } from "../../../../src/cli/tgt/targets-conf.ts";
import { memoryFiles } from "../config-general-memory.ts";
import { shownTarget } from "./plays.ts";
import { playOurs } from "./stage.ts";

const TARGET: TgtTargetDocument = {
  name: "iqn.a",
  tid: 1,
  incoming: [],
  outgoing: null,
  addresses: ["ALL"],
  initiatorNames: [],
  settings: [],
  luns: [],
};
const LUN = {
  lun: 1,
  path: "/a",
  deviceType: null,
  bsType: null,
  bsOptions: null,
  bsOpenFlags: null,
  blockSize: null,
  params: [],
} as const;

function document(...targets: Partial<TgtTargetDocument>[]): TgtDocument {
  return {
    targets: targets.map((target) => ({ ...TARGET, ...target })),
    accounts: [],
    discovery: null,
    system: [],
  };
}

const WORLD: AdminWorld = {
  tgtadm: () => Promise.resolve({ status: 107, stdout: "", stderr: "nobody\n" }),
  files: memoryFiles({}),
  print: () => undefined,
  complain: () => undefined,
  lookAt: () => Promise.resolve("free"),
  run: () => Promise.reject(new Error("nothing is to be run")),
  applyClient: () => Promise.resolve(null),
};

/** What comes back when a dump is read. */
async function readBack(text: string): Promise<TgtDocument> {
  const { conf, warnings } = readTargetsConf("/t", memoryFiles({ "/t": text }));
  expect(warnings).toEqual([]);
  const looking = { world: WORLD, isForced: false, isOwn: () => false, note: () => undefined };
  return wantedDocument(inBytes(conf), inBytes(conf).targets, true, looking);
}

describe("a dump", () => {
  it("is what is read back, with everything that targets.conf can say", async () => {
    const all: TgtDocument = {
      targets: [
        {
          ...TARGET,
          incoming: ["alice", "carol"],
          outgoing: "bob",
          addresses: ["10.0.0.0/8", "fe80::1"],
          initiatorNames: ["iqn.host"],
          settings: [
            { name: "MaxBurstLength", value: "65536" },
            { name: "state", value: "offline" },
          ],
          luns: [
            { ...LUN, lun: 2, path: "/b", bsType: "aio", bsOpenFlags: "sync:direct" },
            {
              ...LUN,
              lun: 7,
              path: "/a b",
              deviceType: "cd",
              bsOptions: "x=1",
              blockSize: "4096",
              params: ["mode_page=8:0", 'scsi_id=a # "b" $c\\d', "readonly=1", "bogus=1"],
            },
          ],
        },
        { ...TARGET, name: "iqn.b", tid: 2, luns: [{ ...LUN, path: "/x" }] },
        { ...TARGET, name: "iqn.c", tid: 9 },
        { ...TARGET, name: "iqn.d", tid: 10 },
      ],
      accounts: [
        { user: "disco", password: "p#1" },
        { user: "back", password: "p2" },
        { user: "alice", password: 'p"3' },
        { user: "carol", password: "p4" },
        { user: "bob", password: "p5\\" },
      ],
      discovery: { incoming: ["disco"], outgoing: "back" },
      system: [
        { name: "iSNSServerIP", value: "10.0.0.9" },
        { name: "iSNS", value: "On" },
      ],
    };
    const back = await readBack(targetsConfText(all));
    const numbered = [null, null, 9, null];
    expect(targetsConfText(all)).toContain("\niSNSServerIP 10.0.0.9\niSNS On\n");
    expect(back.targets).toEqual(
      all.targets.map((target, index) => ({ ...target, tid: numbered[index] })),
    );
    expect(back.discovery).toEqual(all.discovery);
    expect(back.accounts).toEqual(all.accounts);
  });

  it("has units in blocks where their numbers would not come by themselves", async () => {
    const luns = [
      { ...LUN, lun: 1, path: "/z" },
      { ...LUN, lun: 2, path: "/a" },
    ];
    const text = targetsConfText(document({ luns }));
    expect(text).toContain("<backing-store /z>");
    expect((await readBack(text)).targets[0]?.luns).toEqual(luns);
  });

  it("lets nobody in whom the daemon keeps out", async () => {
    const text = targetsConfText(document({ addresses: [], initiatorNames: ["iqn.host"] }));
    expect((await readBack(text)).targets[0]).toMatchObject({
      addresses: ["255.255.255.255"],
      initiatorNames: ["iqn.host"],
    });
  });

  it("tells what it cannot say", () => {
    const luns = [
      LUN,
      { ...LUN, lun: 2 },
      { ...LUN, lun: 3, path: null },
      { ...LUN, lun: 4, path: "/x#y" },
    ];
    const text = targetsConfText(
      document({ luns, settings: [{ name: "MaxQueueCmd", value: "3" }] }),
    );
    expect(text).toContain("# LUN 2 is not here: it is the second one with its path");
    expect(text).toContain("# LUN 3 is not here: it has no path");
    expect(text).toContain("# LUN 4 is not here: it has a path that cannot be written");
    expect(text).toContain("# There is no way to say it here: MaxQueueCmd 3");
    expect(targetsConfText(document())).toBe("");
  });

  it("has what a daemon of tgt shows", () => {
    const [shown] = parseShownTargets(
      shownTarget(5, "iqn.s", {
        stores: ["/srv/a"],
        acl: ["ALL", "10.0.0.0/8", "fe80::/10", "iqn.host", "host"],
        users: ["u", "o (outgoing)"],
        state: "offline",
      })
        .replace(
          "Readonly: No\n            SWP: No\n            Thin-provisioning: No\n            Backing store type: rdwr",
          "Readonly: Yes\n            SWP: No\n            Thin-provisioning: Yes\n            Backing store type: aio",
        )
        .replace("SCSI SN: beaf51", "SCSI SN: mine"),
    );
    if (shown === undefined) throw new Error("nothing is shown");
    const parameters = new Map([
      ["iqn.s", "nop_interval=0\nnop_count=3\nMaxBurstLength=1024\nInitialR2T=Yes\n"],
    ]);
    const system =
      "    Account information:\n\n    d\n    o (outgoing)\niSNS:\n    iSNS=On\n    iSNSServerIP=10.0.0.9\n    iSNSServerPort=3205\n";
    const accounts = "Account list:\n    free\n    d\n    u\n    o\n";
    const whole = { targets: [shown], parametersOf: parameters, system, accounts };
    expect(shownDocument(whole)).toEqual({
      targets: [
        {
          name: "iqn.s",
          tid: 5,
          incoming: ["u"],
          outgoing: "o",
          addresses: ["ALL", "10.0.0.0/8", "fe80::/10"],
          initiatorNames: ["iqn.host", "host"],
          settings: [
            { name: "nop_count", value: "3" },
            { name: "MaxBurstLength", value: "1024" },
            { name: "state", value: "offline" },
          ],
          luns: [
            {
              ...LUN,
              path: "/srv/a",
              bsType: "aio",
              params: ["scsi_sn=mine", "readonly=1", "thin_provisioning=1"],
            },
          ],
        },
      ],
      accounts: [
        { user: "o", password: null },
        { user: "u", password: null },
        { user: "d", password: null },
        { user: "free", password: null },
      ],
      discovery: { incoming: ["d"], outgoing: "o" },
      system: [
        { name: "iSNS", value: "On" },
        { name: "iSNSServerIP", value: "10.0.0.9" },
        { name: "iSNSServerPort", value: "3205" },
      ],
    });
    const nothing = { targets: [], parametersOf: new Map(), accounts: "" };
    expect(shownDocument({ ...nothing, system: system.replace("On", "Off") }).system).toEqual([]);
    expect(shownDocument({ ...nothing, system: "iSNS:\n" }).discovery).toBeNull();
    const elsewhere = "RedirectAddress=host\nRedirectPort=860\nRedirectReason=Unknown\n";
    const parametersOf = new Map([["iqn.s", elsewhere]]);
    const [sent] = shownDocument({ ...whole, parametersOf }).targets;
    expect(sent?.settings.slice(0, 2)).toEqual([
      { name: "RedirectAddress", value: "host" },
      { name: "RedirectPort", value: "860" },
    ]);
  });

  it("has one rule for an address and a name that were bound by one request", () => {
    const acl = ["10.0.0.1,initiator-name=iqn.a", "10.0.0.2,initiator-name=iqn.gone", "iqn.a", "x"];
    const targets = parseShownTargets(shownTarget(1, "iqn.s", { acl }));
    const nothing = { parametersOf: new Map(), accounts: "", system: "" };
    const [target] = shownDocument({ ...nothing, targets }).targets;
    expect(target).toMatchObject({
      addresses: ["10.0.0.1,initiator-name=iqn.a", "10.0.0.2"],
      initiatorNames: ["x"],
    });
  });

  it("fails where no daemon answers, so that it replaces no good file in silence", async () => {
    const flags = { pretend: false, verbose: false, ignoreErrors: false };
    const dumping = dump(new Runner(WORLD, "0", flags), WORLD, false);
    await expect(dumping).rejects.toMatchObject({ status: 107 });
  });

  it("says that tgtd has no passwords to tell", async () => {
    const shows = { sys: "System:\n", target: shownTarget(1, "iqn.s", { users: ["u"] }) };
    const seen = await playOurs({ words: ["--dump", "--with-secrets"], files: {}, shows });
    expect(seen.stderr).toBe("tgt-admin: tgtd tells nobody its passwords\n");
    expect(seen.stdout).toContain("incominguser u PLEASE_CORRECT_THE_PASSWORD\n");
  });
});
