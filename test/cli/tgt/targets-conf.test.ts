import { describe, expect, it } from "vitest";
import { ConfigGeneralError, describeRemark } from "../../../src/cli/tgt/config-general-error.ts";
import { AccountBook, readAccount } from "../../../src/cli/tgt/targets-conf-account.ts";
import {
  GLOBAL_KEYS,
  LUN_ATTRIBUTES,
  TARGET_KEYS,
} from "../../../src/cli/tgt/targets-conf-keys.ts";
import { assignLuns } from "../../../src/cli/tgt/targets-conf-luns.ts";
import { ConfSection, TargetsConfReport } from "../../../src/cli/tgt/targets-conf-report.ts";
import { readLun, readStores, type StoreWanted } from "../../../src/cli/tgt/targets-conf-store.ts";
import { readTarget, type TargetWanted } from "../../../src/cli/tgt/targets-conf-target.ts";
import { readTargetsConf } from "../../../src/cli/tgt/targets-conf.ts";
import { memoryFiles } from "./config-general-memory.ts";

function read(text: string): ReturnType<typeof readTargetsConf> {
  return readTargetsConf("/etc/t.conf", memoryFiles({ "/etc/t.conf": text }));
}

/** The one target that has these lines. */
function target(text: string): TargetWanted {
  const [only] = read(`<target iqn.a>\n${text}\n</target>\n`).conf.targets;
  if (only === undefined) throw new Error("no target");
  return only;
}

function stores(text: string): readonly StoreWanted[] {
  return target(text).stores;
}

function firstStore(text: string): StoreWanted {
  const [first] = stores(text);
  if (first === undefined) throw new Error("no store");
  return first;
}

function luns(text: string, leftOut = ""): string[] {
  const numbered = assignLuns(target(text), ({ path }) => path === leftOut);
  return numbered.map(({ store, lun }) => `${store.path}=${lun}`);
}

function warnings(text: string): string[] {
  return read(text).warnings.map(describeRemark);
}

describe("what is said outside of targets", () => {
  it("is as tgt has it when nothing is said", () => {
    expect(read("").conf).toEqual({
      defaultDriver: "iscsi",
      saysDefaultDriver: false,
      controlPort: null,
      ignoresErrors: false,
      isns: new Map(),
      incomingDiscovery: null,
      outgoingDiscovery: null,
      targets: [],
      hasTargets: false,
    });
  });

  it("is read", () => {
    const { conf, warnings: none } = read(`
      default-driver iser
      control-port 7
      ignore-errors yes
      iSNS On
      iSNSServerPort 3205
      incomingdiscoveryuser alice one
      outgoingdiscoveryuser bob two
      <target iqn.b>
      </target>
      <target iqn.a>
        driver iscsi
      </target>`);
    expect(none).toEqual([]);
    expect(conf).toMatchObject({ defaultDriver: "iser", controlPort: 7, ignoresErrors: true });
    expect(conf.saysDefaultDriver).toBe(true);
    expect(Object.fromEntries(conf.isns)).toEqual({ iSNS: "On", iSNSServerPort: "3205" });
    expect(conf.incomingDiscovery).toMatchObject({ user: "alice", password: "one" });
    expect(conf.outgoingDiscovery).toMatchObject({ user: "bob", password: "two" });
    expect(conf.targets.map(({ name, driver }) => [name, driver])).toEqual([
      ["iqn.a", "iscsi"],
      ["iqn.b", "iser"],
    ]);
    expect(conf.hasTargets).toBe(true);
  });

  it.each([
    ["default-driver a\ndefault-driver b", '/etc/t.conf:1: multiple "default-driver" definitions'],
    ["default-driver", '/etc/t.conf:1: option "default-driver" has a missing value'],
    ["control-port x", 'control-port is a number up to 65535, not "x"'],
    ["control-port 65536", "control-port is a number"],
    ["iSNS On\niSNS Off", 'multiple "iSNS" definitions'],
    ["incomingdiscoveryuser alice", 'option "incomingdiscoveryuser" has a missing value'],
    ["target iqn.a", "/etc/t.conf:1: a target is a block"],
    ["<target>\nbacking-store /a\n</target>", "the block <target> needs a name"],
    ["<target a b>\n</target>", "/etc/t.conf:1: target a b: a name of a target has no blanks"],
  ])("is refused: %j", (text, message) => {
    expect(() => read(text)).toThrow(ConfigGeneralError);
    expect(() => read(text)).toThrow(message);
  });

  it("is refused all at once", () => {
    expect(() => read("control-port x\n<target a>\nlun 0\nincominguser u\n</target>")).toThrow(
      /^.*:1: control-port.*\n.*:3: target a: lun.*0 is the controller's\n.*:4: target a: option.*$/,
    );
  });

  it("is a warning where it is not known", () => {
    expect(warnings("default_driver x\nfoo\n<target a>\nBacking-Store /a\n</target>")).toEqual([
      '/etc/t.conf:1: unknown option "default_driver" is ignored, did you mean "default-driver"?',
      '/etc/t.conf:2: unknown option "foo" is ignored',
      '/etc/t.conf:4: target a: unknown option "Backing-Store" is ignored, did you mean "backing-store"?',
    ]);
  });
});

describe("a target", () => {
  it("is for everybody unless addresses are said, names or not", () => {
    expect(target("").allowsAllAddresses).toBe(true);
    const named = "<target a>\ninitiator-name iqn.x\n</target>";
    expect(read(named).conf.targets[0]).toMatchObject({
      allowsAllAddresses: true,
      initiatorNames: ["iqn.x"],
    });
    expect(warnings(named)[0]).toContain("all addresses are allowed");
    expect(target("initiator-address 10.0.0.1\ninitiator-address 10.0.0.0/8")).toMatchObject({
      allowsAllAddresses: false,
      addresses: ["10.0.0.1", "10.0.0.0/8"],
    });
  });

  it("has its number, parameters and state", () => {
    const { tid, parameters } = target(
      "controller_tid 9\nstate offline\nMaxBurstLength 1\nImmediateData No",
    );
    expect(tid).toBe(9);
    expect([...parameters]).toEqual([
      ["ImmediateData", "No"],
      ["MaxBurstLength", "1"],
      ["state", "offline"],
    ]);
  });

  it("has users, whose first password counts in the whole file", () => {
    const text = `
      <target b>
        incominguser alice two
        incominguser carol x y
      </target>
      <target a>
        incominguser alice one
        outgoinguser out o
        outgoinguser other p
      </target>`;
    const [a, b] = read(text).conf.targets;
    expect(a?.outgoing).toMatchObject({ user: "out", password: "o" });
    expect(b?.incoming).toMatchObject([
      { user: "alice", password: "one" },
      { user: "carol", password: "x" },
    ]);
    const found = warnings(text);
    expect(found.join("\n")).not.toMatch(/\b(one|two)\b[^ ]*$/m);
    expect(found).toEqual(
      [
        '/etc/t.conf:9: target a: only one "outgoinguser" is allowed: the first one is used',
        '/etc/t.conf:3: target b: user "alice" has another password at /etc/t.conf:7, which counts',
        '/etc/t.conf:4: target b: what follows the second blank of "incominguser" is ignored',
      ].sort((left, right) => found.indexOf(left) - found.indexOf(right)),
    );
  });

  it.each([
    ["incominguser alice  two blanks", 'option "incominguser" has a missing value'],
    ["incominguser alice\ttab", "USER, one blank, PASSWORD"],
    ["initiator-address", 'option "initiator-address" has a missing value'],
    ["<initiator-name x>\n</initiator-name>", '"initiator-name" is no block'],
    ["controller_tid 0", "controller_tid is a number"],
    ["controller_tid 4294967296", "controller_tid is a number"],
    ["driver a\ndriver b", 'multiple "driver" definitions'],
  ])("is refused: %j", (text, message) => {
    expect(() => target(text)).toThrow(message);
  });
});

describe("a store", () => {
  it("has what its block says, and otherwise what the target says", () => {
    const store = firstStore(`
      vendor_id T
      scsi_sn T
      write-cache off
      bs-type aio
      bsoflags sync
      params p=t
      mode_page m1
      <backing-store /a>
        lun 5
        vendor_id B
        write-cache on
        device-type cd
        bsopts o
        block-size 4096
        params p=b
        params q=b
        mode_page m2
        allow-in-use yes
      </backing-store>`);
    expect({ ...store, attributes: [...store.attributes] }).toEqual({
      place: { file: "/etc/t.conf", line: 10 },
      path: "/a",
      isFile: true,
      isDirect: false,
      lun: 5,
      deviceType: "cd",
      bsType: "aio",
      bsOptions: "o",
      bsOpenFlags: "sync",
      blockSize: "4096",
      isWriteCacheOn: true,
      attributes: [
        ["vendor_id", "B"],
        ["scsi_sn", "T"],
      ],
      modePages: ["m2", "m1"],
      params: ["p=b", "q=b", "p=t"],
      isAllowedInUse: true,
    });
  });

  it.each(LUN_ATTRIBUTES)("has the attribute %s", (name) => {
    expect(firstStore(`backing-store /a\n${name} v`).attributes.get(name)).toBe("v");
    expect([...TARGET_KEYS, ...GLOBAL_KEYS].filter((key) => key === name)).toHaveLength(1);
  });

  it.each([
    ["bs-type rbd", false],
    ["bs-type thin", false],
    ["bs-type glfs", false],
    ["bs-type thinner", true],
    ["", true],
  ])("is a file or not: %j", (text, isFile) => {
    expect(firstStore(`direct-store a/b\n${text}`)).toMatchObject({ isFile, isDirect: true });
  });

  it("has its write cache on unless it is switched off in so many letters", () => {
    expect(firstStore("backing-store /a\nwrite-cache off").isWriteCacheOn).toBe(false);
    const text = "<target t>\nbacking-store /a\nbacking-store /b\nwrite-cache Off\n</target>";
    expect(read(text).conf.targets[0]?.stores[0]?.isWriteCacheOn).toBe(true);
    expect(warnings(text)).toEqual([
      '/etc/t.conf:4: target t: unknown value "Off" of "write-cache", which is "on" or "off": it is left on',
    ]);
  });

  it("is warned of where it loses something", () => {
    const text = "<target t>\nblock-size 512\nbacking-store /a\nbacking-store /a\n</target>";
    expect(read(text).conf.targets[0]?.stores).toHaveLength(1);
    expect(warnings(text)).toEqual([
      '/etc/t.conf:2: target t: a "block-size" outside of the block of a store is ignored',
      '/etc/t.conf:4: target t: "/a" is a store at /etc/t.conf:3 already',
    ]);
    const block = "<target t>\n<backing-store /a>\nblocksize 1\n</backing-store>\n</target>";
    expect(warnings(block)).toEqual([
      '/etc/t.conf:3: target t: backing-store /a: unknown option "blocksize" is ignored, did you mean "block-size"?',
    ]);
  });

  it.each([
    ["<backing-store>\nlun 1\n</backing-store>", "the block <backing-store> needs a path"],
    ["<backing-store /a>\n</backing-store>\nbacking-store /b", "with and without a block"],
    ["<backing-store /a>\nlun 1\nlun 2\n</backing-store>", 'backing-store /a: multiple "lun"'],
    ["<backing-store /a>\nlun 16384\n</backing-store>", "lun is a number from 1 to 16383"],
    ["<backing-store /a>\nlun 010\n</backing-store>", '"010" is none of them'],
    ["backing-store /a\nlun 0", "0 is the controller's"],
    ["backing-store /a\nbacking-store /b\nlun 2", "all of its 2 stores would have lun 2"],
    [
      "backing-store /a\ndirect-store /a",
      '/etc/t.conf:3: target iqn.a: the direct-store "/a" would have the lun of',
    ],
    ["backing-store /a\nscsi_id 1\nscsi_id 2", 'multiple "scsi_id" definitions'],
    ["backing-store", 'option "backing-store" has a missing value'],
    [
      "<backing-store /a>\nlun 1\n</backing-store>\n<direct-store /b>\nlun 1\n</direct-store>",
      "lun 1 is that of the store at /etc/t.conf:2",
    ],
  ])("is refused: %j", (text, message) => {
    expect(() => target(text)).toThrow(message);
  });
});

describe("numbers of logical units", () => {
  const block = (path: string, inside = ""): string =>
    `<backing-store ${path}>\n${inside}\n</backing-store>\n`;

  it("follow the paths, backing stores first", () => {
    expect(luns("direct-store /a\nbacking-store /c\nbacking-store /b")).toEqual([
      "/b=1",
      "/c=2",
      "/a=3",
    ]);
  });

  it("go past those that are written, which need not be in order", () => {
    const text = block("/a") + block("/b", "lun 1") + block("/c") + block("/d", "lun 3");
    expect(luns(text)).toEqual(["/a=2", "/b=1", "/c=4", "/d=3"]);
    expect(luns(text, "/b")).toEqual(["/a=2", "/c=4", "/d=3"]);
  });

  it("move up where a store is left out", () => {
    expect(luns("backing-store /a\nbacking-store /b", "/a")).toEqual(["/b=1"]);
  });

  it("are those of the target before those of the block", () => {
    expect(luns(`lun 7\n${block("/a", "lun 2")}`)).toEqual(["/a=7"]);
  });
});

describe("parts of the reader", () => {
  it("report to the one who called", () => {
    const place = { file: "f", line: 1 };
    const report = new TargetsConfReport();
    const section = new ConfSection({ kind: "block", place, entries: new Map() }, "s", report);
    expect(readStores(section)).toEqual([]);
    expect(readLun(section)).toBeNull();
    expect(section.place).toBe(place);
    expect(readAccount(section, "k", { place, text: "u" })).toBeNull();
    const context = { defaultDriver: "d", accounts: new AccountBook(), report };
    expect(readTarget("t", { kind: "value", place, text: "x" }, context)).toBeNull();
    expect(() => report.close()).toThrow(/^f:1: s: option "k" .*\nf:1: the block <target>/);
  });
});
