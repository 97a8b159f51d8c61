import type { SeededRandom } from "../../../../src/util/random.ts";

const NAMES = ["a", "b", "c", "d"].map((letter) => `iqn.2026-01.com.example:${letter}`);
const FILES = ["one.img", "two.img", "three.img", "none.img"];
const USERS = ["alice", "bob", "carol"];

/** Session keys with values, the last of each one that tgtd refuses; null: it takes any. */
const PARAMETERS: readonly (readonly [key: string, good: string, bad: string | null])[] = [
  ["MaxRecvDataSegmentLength", "65536", "1"],
  ["MaxXmitDataSegmentLength", "65536", "1"],
  ["HeaderDigest", "None,CRC32C", "MD5"],
  ["DataDigest", "CRC32C", "MD5"],
  ["InitialR2T", "No", "Maybe"],
  ["ImmediateData", "No", "1"],
  ["FirstBurstLength", "32768", "5"],
  ["MaxBurstLength", "131072", "5"],
  ["MaxOutstandingR2T", "4", "0"],
  ["DefaultTime2Wait", "5", "9999"],
  ["DefaultTime2Retain", "30", "9999"],
  ["ErrorRecoveryLevel", "0", "3"],
  ["MaxConnections", "1", null],
  ["state", "offline", "broken"],
];

const UNIT_SETTINGS = [
  "scsi_id an-id",
  "scsi_sn a-serial",
  'vendor_id "My Ven"',
  "product_id MINE",
  "product_rev 2.0",
  "removable 1",
  "readonly 1",
  "sense_format 1",
  "lbppbe 3",
  "la_lba 1",
  "optimal_xfer_gran 8",
  "optimal_xfer_len 128",
  "write-cache off",
  "write-cache on",
  "bs-type aio",
  "bsoflags direct",
  "params thin_provisioning=1",
  "mode_page 10:0:10:2:0:0:0:0:0:0:0:2:0",
];

/** A second time, tgtd refuses to bind them. */
const DISCOVERY = [
  "incomingdiscoveryuser disco a-password-1",
  "outgoingdiscoveryuser back a-password-2",
];

export interface ConfOptions {
  /** Where the backing files are. */
  readonly folder: string;
  /** With things that tgtd refuses. */
  readonly withFaults: boolean;
  readonly withDiscovery?: boolean;
}

function some<T>(random: SeededRandom, all: readonly T[], probability: number): T[] {
  return all.filter(() => random.chance(probability));
}

/** A targets.conf with any of the directives that there are. */
export function randomConf(random: SeededRandom, options: ConfOptions): string {
  const globals = some(
    random,
    [
      "default-driver iscsi",
      "# a remark",
      "iSNSServerIP 127.0.0.1",
      ...(options.withDiscovery === false ? [] : DISCOVERY),
    ],
    0.2,
  );
  const targets = some(random, NAMES, 0.6).map((name) => randomTarget(random, name, options));
  return `${[...globals, ...targets].join("\n")}\n`;
}

function randomTarget(random: SeededRandom, name: string, options: ConfOptions): string {
  const lines = randomStores(random, options);
  for (const user of some(random, USERS, 0.2)) lines.push(`incominguser ${user} password-${user}`);
  if (random.chance(0.2)) lines.push("outgoinguser out password-of-out");
  for (const address of some(random, ["10.0.0.0/8", "ALL", "fe80::1", "127.0.0.1"], 0.2)) {
    lines.push(`initiator-address ${address}`);
  }
  if (random.chance(0.2)) lines.push("initiator-name iqn.2026-01.com.example:host");
  for (const [key, good, bad] of some(random, PARAMETERS, 0.1)) {
    const isWrong = options.withFaults && bad !== null && random.chance(0.15);
    lines.push(`${key} ${isWrong ? bad : good}`);
  }
  if (random.chance(0.1)) lines.push(`controller_tid ${random.between(1, 9)}`);
  const body = lines.map((line) => `  ${line}`).join(random.chance(0.3) ? "\n\n" : "\n");
  return `<target ${name}>\n${body}\n</target>`;
}

/** Each key once, as the script stops at a second one when it comes to it; what tgtd refuses of a unit only as a fault. */
function randomSettings(
  random: SeededRandom,
  { withFaults }: ConfOptions,
  probability: number,
): string[] {
  const keyOf = (line: string): string => line.split(" ", 1)[0] ?? "";
  return some(random, UNIT_SETTINGS, probability)
    .filter((line, index, all) => {
      return all.findIndex((other) => keyOf(other) === keyOf(line)) === index;
    })
    .filter((line) => withFaults || keyOf(line) !== "bsoflags");
}

function randomStores(random: SeededRandom, options: ConfOptions): string[] {
  const { folder } = options;
  const paths = some(random, FILES, 0.4).map((name) => `${folder}/${name}`);
  const settings = randomSettings(random, options, 0.08);
  if (random.chance(0.5)) return [...paths.map((path) => `backing-store ${path}`), ...settings];
  const taken = new Set<number>();
  const blocks = paths.flatMap((path) => {
    const lines = randomSettings(random, options, 0.15);
    const lun = random.between(1, 12);
    if (random.chance(0.3) && !taken.has(lun)) lines.push(`lun ${lun}`);
    taken.add(lun);
    if (random.chance(0.1)) lines.push("block-size 4096");
    return [`<backing-store ${path}>`, ...lines.map((line) => `  ${line}`), "</backing-store>"];
  });
  return [...blocks, ...settings.filter((line) => !line.startsWith("write-cache")).slice(0, 1)];
}

/** A command line of tgt-admin, without the control port and the configuration. */
export function randomAction(random: SeededRandom): string[] {
  const name = NAMES[random.below(NAMES.length)] ?? "";
  const which = ["ALL", `tid=${random.between(1, 5)}`, name][random.below(3)] ?? "";
  const force = random.chance(0.9) ? ["-f"] : [];
  switch (random.below(6)) {
    case 0:
    case 1:
      return ["-e", ...force];
    case 2:
      return ["--update", "ALL", ...force];
    case 3:
      return ["--update", which, ...force];
    case 4:
      return ["--delete", which, ...force];
    default:
      return [random.chance(0.5) ? "--offline" : "--ready", which];
  }
}
