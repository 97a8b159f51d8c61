import { showAccounts } from "../../../../src/control/tgt/show/show-account.ts";
import { showConnections } from "../../../../src/control/tgt/show/show-connection.ts";
import { showDrivers } from "../../../../src/control/tgt/show/show-driver.ts";
import type { ShownParameters } from "../../../../src/control/tgt/show/show-parameters.ts";
import { showParameters } from "../../../../src/control/tgt/show/show-parameters.ts";
import { showPortals } from "../../../../src/control/tgt/show/show-portal.ts";
import { showSystem } from "../../../../src/control/tgt/show/show-system.ts";
import { showTargets } from "../../../../src/control/tgt/show/show-target.ts";
import type { InitiatorSession } from "../../../../src/initiator/session.ts";
import { preventRemoval, protectFromWrites } from "./initiator-steps.ts";
import { nameOf, nexus, system, target } from "./shown-examples.ts";

/** One show operation: the words after `tgtadm --op show`, and our text of what there is. */
export interface Show {
  /** Name of the file in golden/. */
  readonly golden: string;
  readonly words: string;
  readonly text: string;
}

/** An initiator that logs in before anything is shown. */
export interface Login {
  readonly name: string;
  readonly alias?: string;
  readonly target: string;
  /** Where it finds the daemon; 127.0.0.1 where left out. */
  readonly address?: string;
  /** What it does once it is there. */
  readonly act?: (session: InitiatorSession) => Promise<void>;
}

/** One situation of a daemon that was started for it. */
export interface Scenario {
  readonly name: string;
  /** Backing files and their sizes in bytes. */
  readonly files?: Readonly<Record<string, number>>;
  /** Words of one tgtadm call each, that succeeds. */
  readonly steps?: readonly string[];
  readonly logins?: readonly Login[];
  readonly shows: readonly Show[];
}

const GIB = 2 ** 30;
const TARGETS = "--mode target";
const ONE = "--tid 1";

/** The port that the golden texts have in the place of the daemon's. */
export const GOLDEN_PORT = 3260;

function newTarget(tid: number): string {
  return `--op new --mode target --tid ${tid} -T ${nameOf(tid)}`;
}

function newUnit(lun: number, words: string, tid = 1): string {
  return `--op new --mode logicalunit --tid ${tid} --lun ${lun} ${words}`;
}

function changedUnit(lun: number, parameters: string): string {
  return `--op update --mode logicalunit ${ONE} --lun ${lun} --params ${parameters}`;
}

function changedTarget(name: string, value: string, tid = 1): string {
  return `--op update --mode target --tid ${tid} --name ${name} --value ${value}`;
}

function changedSystem(name: string, value: string): string {
  return `--op update --mode sys --name ${name} --value ${value}`;
}

function newAccount(name: string): string {
  return `--op new --mode account --user ${name} --password 123456789012`;
}

function boundAccount(words: string): string {
  return `--op bind --mode account ${words}`;
}

const FRESH: Scenario = {
  name: "nothing but a daemon",
  shows: [
    { golden: "fresh-targets", words: TARGETS, text: showTargets([]) },
    { golden: "fresh-system", words: "--mode sys", text: showSystem(system()) },
    { golden: "fresh-accounts", words: "--mode account", text: showAccounts([]) },
    {
      golden: "fresh-drivers",
      words: "--mode lld",
      text: showDrivers([
        { name: "iscsi", state: "ready", targets: [] },
        { name: "iser", state: "error", targets: [] },
      ]),
    },
    {
      golden: "fresh-portals",
      words: "--mode portal",
      text: showPortals([{ address: "127.0.0.1", port: GOLDEN_PORT, groupTag: 1 }]),
    },
  ],
};

const TYPES: Scenario = {
  name: "units of each type and backing store",
  files: { disk: GIB },
  steps: [
    newTarget(1),
    newUnit(1, "-b disk"),
    newUnit(2, "-b disk -Y tape"),
    newUnit(3, "-b disk -Y cd"),
    newUnit(4, "-b disk -Y changer"),
    newUnit(5, "-b disk -Y osd"),
    newUnit(6, "-b disk -Y ssc"),
    newUnit(7, "-b disk --blocksize 4096 --bsoflags direct"),
    newUnit(8, "-b disk --bsoflags sync"),
    newUnit(9, "-b disk --bsoflags direct:sync"),
    newUnit(10, "-b disk --bstype aio"),
    newUnit(11, "-b whatever --bstype null"),
    newUnit(12, "--bstype null"),
    newUnit(13, "-b disk --blocksize 513"),
    newUnit(14, "-Y cd --bstype null"),
    newUnit(15, "-b ./../../dev/null --bstype null"),
  ],
  shows: [
    {
      golden: "types",
      words: TARGETS,
      text: showTargets([
        target(1, [
          { lun: 1 },
          { lun: 2, type: "tape", blockBytes: 1, removable: true, storeType: "ssc" },
          { lun: 3, type: "cd/dvd", blockBytes: 1, removable: true, storeType: "mmc" },
          { lun: 4, type: "changer", blockBytes: 1, removable: true, storeType: "smc" },
          { lun: 5, type: "osd", blockBytes: 1 },
          { lun: 6, type: "tape", blockBytes: 1, removable: true, storeType: "ssc" },
          { lun: 7, blockBytes: 4096, storeFlags: "direct" },
          { lun: 8, storeFlags: "sync" },
          { lun: 9, storeFlags: "sync:direct" },
          { lun: 10, storeType: "aio" },
          { lun: 11, storeType: "null", storePath: "whatever", sizeBytes: 2 ** 40 },
          {
            lun: 12,
            storeType: "null",
            storePath: undefined,
            sizeBytes: 0,
            online: false,
            removable: true,
          },
          { lun: 13 },
          {
            lun: 14,
            type: "cd/dvd",
            blockBytes: 1,
            storeType: "mmc",
            storePath: undefined,
            sizeBytes: 0,
            online: false,
            removable: true,
          },
          {
            lun: 15,
            storeType: "null",
            storePath: "./../../dev/null",
            sizeBytes: 2 ** 40,
          },
        ]),
      ]),
    },
  ],
};

/** Both sides of where the figure changes, and where decimal megabytes would have rounded otherwise. */
const SIZES_BYTES = [
  0,
  511,
  512,
  499_712,
  500_000,
  500_223,
  500_224,
  500_736,
  1_000_000,
  1_048_576,
  1_499_648,
  1_499_999,
  1_500_000,
  1_500_159,
  1_500_160,
  2_139_095_040,
  10 * GIB,
  2 ** 40,
  3_000_592_982_016,
];

const SIZES: Scenario = {
  name: "sizes about the figure's borders",
  files: Object.fromEntries(SIZES_BYTES.map((size) => [`of-${size}`, size])),
  steps: [newTarget(1), ...SIZES_BYTES.map((size, index) => newUnit(index + 1, `-b of-${size}`))],
  shows: [
    {
      golden: "sizes",
      words: TARGETS,
      text: showTargets([
        target(
          1,
          SIZES_BYTES.map((sizeBytes, index) => {
            return { lun: index + 1, sizeBytes, storePath: `of-${sizeBytes}` };
          }),
        ),
      ]),
    },
  ],
};

const CINDER = "volume-83c2e877-feed-46be-8435-77884";
const LONG = "0123456789012345678901234567890123456789";

const ATTRIBUTES: Scenario = {
  name: "units with everything changed that can be",
  files: { disk: GIB, other: 512 * 2 ** 20 },
  steps: [
    newTarget(1),
    ...[1, 2, 3, 4, 5, 6, 7, 8].map((lun) => newUnit(lun, "-b disk")),
    changedUnit(0, "online=0,removable=1,scsi_id=ctl"),
    changedUnit(1, "readonly=1"),
    changedUnit(2, "removable=1"),
    changedUnit(3, "online=0"),
    changedUnit(4, "thin_provisioning=1"),
    changedUnit(5, `scsi_id=${CINDER},scsi_sn=${CINDER}`),
    changedUnit(6, `scsi_id=${LONG},scsi_sn=${LONG}`),
    changedUnit(7, "readonly=1,removable=1,thin_provisioning=1,online=0"),
    changedUnit(8, "online=0"),
    changedUnit(8, "path=other"),
  ],
  shows: [
    {
      golden: "attributes",
      words: TARGETS,
      text: showTargets([
        target(1, [
          { lun: 0, online: false, removable: true, scsiId: "ctl" },
          { lun: 1, readOnly: true },
          { lun: 2, removable: true },
          { lun: 3, online: false },
          { lun: 4, thinProvisioned: true },
          { lun: 5, scsiId: CINDER, scsiSn: CINDER },
          { lun: 6, scsiId: LONG.slice(0, 36), scsiSn: LONG.slice(0, 36) },
          { lun: 7, readOnly: true, removable: true, thinProvisioned: true, online: false },
          { lun: 8, storePath: "other", sizeBytes: 512 * 2 ** 20 },
        ]),
      ]),
    },
  ],
};

const NUMBERS: Scenario = {
  name: "large and unordered numbers",
  files: { disk: GIB },
  steps: [
    newTarget(2_147_483_647),
    newTarget(70_000),
    newTarget(2),
    ...[16_384, 255, 256, 16_383].map((lun) => newUnit(lun, "-b disk", 70_000)),
    newUnit(12_345_678_901, "-b disk", 70_000),
  ],
  shows: [
    {
      golden: "numbers",
      words: TARGETS,
      text: showTargets([
        target(2_147_483_647),
        target(70_000, [
          { lun: 16_384 },
          { lun: 255 },
          { lun: 256 },
          { lun: 16_383 },
          { lun: 12_345_678_901 },
        ]),
        target(2),
      ]),
    },
    {
      golden: "numbers-drivers",
      words: "--mode lld",
      text: showDrivers([
        {
          name: "iscsi",
          state: "ready",
          targets: [2_147_483_647, 70_000, 2].map((tid) => ({ tid, name: nameOf(tid) })),
        },
        { name: "iser", state: "error", targets: [] },
      ]),
    },
  ],
};

const ACCOUNTS: Scenario = {
  name: "accounts, rules and a target that is offline",
  steps: [
    newTarget(1),
    ...["alice", "bob", "carol", "dave"].map(newAccount),
    ...["carol", "alice", "dave --outgoing"].map((user) => boundAccount(`${ONE} --user ${user}`)),
    ...["-Q iqn.2026-01.com.example:host", "-I 10.0.0.0/8", "-I ALL", "-I [fe80::1]"].map(
      (rule) => `--op bind --mode target ${ONE} ${rule}`,
    ),
    `--op bind --mode target ${ONE} -I 10.1.0.0/16 -Q iqn.2026-01.com.example:both`,
    changedTarget("state", "offline"),
    changedTarget("nop_interval", "5"),
    changedTarget("nop_count", "3"),
    ...["bob", "alice", "carol --outgoing"].map((user) => boundAccount(`--user ${user}`)),
  ],
  shows: [
    {
      golden: "accounts",
      words: "--mode account",
      text: showAccounts(["alice", "bob", "carol", "dave"]),
    },
    {
      golden: "accounts-targets",
      words: TARGETS,
      text: showTargets([
        target(1, [], {
          state: "offline",
          nopIntervalSeconds: 5,
          nopCount: 3,
          accounts: { incoming: ["carol", "alice"], outgoing: "dave" },
          addressRules: [
            "10.0.0.0/8",
            "ALL",
            "[fe80::1]",
            // Both options in one call: the rule for the address takes in the text of the other.
            "10.1.0.0/16,initiator-name=iqn.2026-01.com.example:both",
          ],
          nameRules: ["iqn.2026-01.com.example:host", "iqn.2026-01.com.example:both"],
        }),
      ]),
    },
    {
      golden: "accounts-system",
      words: "--mode sys",
      text: showSystem(
        system({ discoveryAccounts: { incoming: ["bob", "alice"], outgoing: "carol" } }),
      ),
    },
  ],
};

const SETTINGS: Scenario = {
  name: "settings of the daemon, and an outgoing account alone",
  steps: [
    newAccount("alice"),
    boundAccount("--user alice --outgoing"),
    changedSystem("debug", "on"),
    changedSystem("iSNSServerIP", "10.0.0.9"),
    changedSystem("iSNSServerPort", "3206"),
    changedSystem("iSNSAccessControl", "On"),
    changedSystem("State", "offline"),
  ],
  shows: [
    {
      golden: "settings-system",
      words: "--mode sys",
      text: showSystem(
        system({
          state: "offline",
          debug: true,
          discoveryAccounts: { incoming: [], outgoing: "alice" },
          isns: {
            enabled: false,
            serverAddress: "10.0.0.9",
            serverPort: 3206,
            accessControl: true,
          },
        }),
      ),
    },
  ],
};

const PORTALS: Scenario = {
  name: "several portals",
  steps: [
    "--op new --mode portal --param portal=127.0.0.2:{port}",
    "--op new --mode portal --param portal=[::1]:{port}",
  ],
  shows: [
    {
      golden: "portals",
      words: "--mode portal",
      text: showPortals(
        ["127.0.0.1", "127.0.0.2", "::1"].map((address) => {
          return { address, port: GOLDEN_PORT, groupTag: 1 };
        }),
      ),
    },
  ],
};

const STOPPED: Scenario = {
  name: "a driver that is stopped",
  steps: ["--lld iscsi --op stop --mode lld"],
  shows: [
    {
      golden: "stopped-drivers",
      words: "--mode lld",
      text: showDrivers([
        { name: "iscsi", state: "stopped", targets: [] },
        { name: "iser", state: "error", targets: [] },
      ]),
    },
  ],
};

const HOST: Login = {
  name: "iqn.1993-08.org.debian:01:abc",
  alias: "host1",
  target: nameOf(1),
  act: async (session) => {
    await preventRemoval(session, 1);
    await protectFromWrites(session, 2);
  },
};
const OTHER: Login = {
  name: "iqn.2026-01.com.example:other",
  target: nameOf(1),
  address: "::1",
};
const NEXUSES = [nexus(1, HOST.name, HOST.alias), nexus(2, OTHER.name, undefined, "::1")];

const CONNECTED: Scenario = {
  name: "two initiators, one with an alias",
  files: { disk: GIB },
  steps: [
    newTarget(1),
    newUnit(1, "-b disk"),
    newUnit(2, "-b disk"),
    changedUnit(1, "removable=1"),
    `--op bind --mode target ${ONE} -I ALL`,
    "--op new --mode portal --param portal=[::1]:{port}",
  ],
  logins: [HOST, OTHER],
  shows: [
    {
      golden: "connected",
      words: TARGETS,
      text: showTargets([
        target(
          1,
          [
            { lun: 1, removable: true, preventRemoval: true },
            { lun: 2, softwareWriteProtect: true },
          ],
          { nexuses: NEXUSES, addressRules: ["ALL"] },
        ),
      ]),
    },
    {
      golden: "connected-connections",
      words: `--mode conn ${ONE}`,
      text: showConnections(NEXUSES),
    },
    {
      golden: "connected-connections",
      words: `--mode conn ${ONE} --sid 2 --cid 0`,
      text: showConnections(NEXUSES),
    },
  ],
};

function parameters(what: Partial<ShownParameters> = {}): string {
  return showParameters({
    nopIntervalSeconds: 0,
    nopCount: 0,
    keys: {},
    redirect: undefined,
    ...what,
  });
}

const CHANGED_KEYS = {
  MaxRecvDataSegmentLength: "16384",
  HeaderDigest: "CRC32C",
  DataDigest: "CRC32C",
  InitialR2T: "No",
  MaxOutstandingR2T: "2",
  ImmediateData: "No",
  FirstBurstLength: "1024",
  MaxBurstLength: "2048",
  ErrorRecoveryLevel: "2",
  IFMarker: "Yes",
  DefaultTime2Wait: "0",
  DefaultTime2Retain: "3",
  MaxConnections: "4",
  RDMAExtensions: "No",
  MaxOutstandingUnexpectedPDUs: "3",
  MaxXmitDataSegmentLength: "65536",
  MaxQueueCmd: "512",
} as const;

const PARAMETERS: Scenario = {
  name: "parameters of targets, and redirections",
  steps: [
    ...[1, 2, 3, 4].map(newTarget),
    changedTarget("nop_interval", "7", 2),
    changedTarget("nop_count", "2", 2),
    ...Object.entries(CHANGED_KEYS).map(([key, value]) => changedTarget(key, value, 2)),
    changedTarget("RedirectAddress", "10.0.0.1", 3),
    changedTarget("RedirectPort", "3261", 4),
    changedTarget("RedirectAddress", "10.0.0.1", 4),
    changedTarget("RedirectReason", "Permanent", 4),
    newTarget(5),
    changedTarget("RedirectCallback", "/usr/bin/true", 5),
    newTarget(6),
    changedTarget("RedirectReason", "Temporary", 6),
    changedTarget("RedirectPort", "0", 6),
    changedTarget("RedirectAddress", "10.0.0.1", 6),
  ],
  shows: [
    { golden: "parameters-default", words: `${TARGETS} --tid 1`, text: parameters() },
    {
      golden: "parameters-changed",
      words: `${TARGETS} --tid 2`,
      text: parameters({ nopIntervalSeconds: 7, nopCount: 2, keys: CHANGED_KEYS }),
    },
    {
      golden: "parameters-redirect-bare",
      words: `${TARGETS} --tid 3`,
      text: parameters({
        redirect: { to: "address", address: "10.0.0.1", port: undefined, reason: undefined },
      }),
    },
    {
      golden: "parameters-redirect",
      words: `${TARGETS} --tid 4`,
      text: parameters({
        redirect: { to: "address", address: "10.0.0.1", port: "3261", reason: "Permanent" },
      }),
    },
    {
      golden: "parameters-callback",
      words: `${TARGETS} --tid 5`,
      text: parameters({ redirect: { to: "callback", program: "/usr/bin/true" } }),
    },
    {
      golden: "parameters-redirect-temporary",
      words: `${TARGETS} --tid 6`,
      text: parameters({
        redirect: { to: "address", address: "10.0.0.1", port: "0", reason: "Temporary" },
      }),
    },
  ],
};

/** All situations in which the real daemon's texts were recorded. */
export const SCENARIOS: readonly Scenario[] = [
  FRESH,
  TYPES,
  SIZES,
  ATTRIBUTES,
  NUMBERS,
  ACCOUNTS,
  SETTINGS,
  PORTALS,
  STOPPED,
  CONNECTED,
  PARAMETERS,
];
