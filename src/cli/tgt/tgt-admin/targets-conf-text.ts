import type {
  TgtDocument,
  TgtLunDocument,
  TgtSettingDocument,
  TgtTargetDocument,
} from "../../../control/protocol.ts";
import { compareBytes } from "../config-general-files.ts";
import { LUN_ATTRIBUTES, SESSION_KEYS } from "../targets-conf-keys.ts";
import { WRITE_CACHE_OFF } from "./store-commands.ts";

/** What stands where a password is not told. */
const NO_PASSWORD = "PLEASE_CORRECT_THE_PASSWORD";

/** An address that no initiator has: where nobody is let in, a configuration without any address would let everybody in. */
const NOBODY = "255.255.255.255";

/**
 * Writes a document as targets.conf, plainly where that says everything. What targets.conf cannot say stands there as a comment.
 * Texts have one character a byte.
 */
export function targetsConfText(document: TgtDocument): string {
  const { targets, discovery, system, accounts } = document;
  const passwords = new Map(accounts.map(({ user, password }) => [user, password]));
  const account = (key: string, user: string): string =>
    directive(key, `${user} ${passwords.get(user) ?? NO_PASSWORD}`);
  const globals: string[] = [];
  if (targets.length > 0) globals.push("default-driver iscsi");
  for (const { name, value } of system) globals.push(directive(name, value));
  for (const user of discovery?.incoming ?? []) {
    globals.push(account("incomingdiscoveryuser", user));
  }
  if (typeof discovery?.outgoing === "string") {
    globals.push(account("outgoingdiscoveryuser", discovery.outgoing));
  }
  const natural = naturalTids(targets);
  const blocks = targets.map((target) => {
    const lines = targetLines(target, natural.get(target.name), account);
    return [`<target ${target.name}>`, ...lines.map((line) => `\t${line}`), "</target>"];
  });
  return [globals, ...blocks]
    .filter((lines) => lines.length > 0)
    .map((lines) => `${lines.join("\n")}\n\n`)
    .join("");
}

/** The numbers that targets get by themselves where there is none before them; those that are written shift what follows. */
function naturalTids(targets: readonly TgtTargetDocument[]): ReadonlyMap<string, number> {
  const natural = new Map<string, number>();
  let last = 0;
  for (const { name, tid } of targets.toSorted((one, other) =>
    compareBytes(one.name, other.name),
  )) {
    natural.set(name, last + 1);
    last = tid ?? last + 1;
  }
  return natural;
}

function targetLines(
  target: TgtTargetDocument,
  naturalTid: number | undefined,
  account: (key: string, user: string) => string,
): string[] {
  const { tid, addresses, initiatorNames, incoming, outgoing } = target;
  const lines = storeLines(target.luns);
  if (tid !== null && tid !== naturalTid) lines.unshift(directive("controller_tid", `${tid}`));
  for (const user of incoming) lines.push(account("incominguser", user));
  if (outgoing !== null) lines.push(account("outgoinguser", outgoing));
  if (addresses.length === 0) {
    lines.push("# Nobody is let in, which takes an address that nobody has.");
    lines.push(directive("initiator-address", NOBODY));
  } else if (addresses.length > 1 || addresses[0] !== "ALL") {
    for (const address of addresses) lines.push(directive("initiator-address", address));
  }
  for (const name of initiatorNames) lines.push(directive("initiator-name", name));
  return [...lines, ...target.settings.map(settingLine)];
}

function settingLine({ name, value }: TgtSettingDocument): string {
  const line = directive(name, value);
  return SESSION_KEYS.includes(name) ? line : `# There is no way to say it here: ${line}`;
}

/** What tgt-admin would number units from, by the order of their paths. */
function isPlain(luns: readonly TgtLunDocument[]): boolean {
  return luns
    .toSorted((one, other) => compareBytes(one.path ?? "", other.path ?? ""))
    .every((lun, index) => lun.lun === index + 1 && unitLines(lun).length === 0);
}

function storeLines(all: readonly TgtLunDocument[]): string[] {
  const lines: string[] = [];
  const paths = new Set<string>();
  const luns = all.filter((lun) => {
    const { path } = lun;
    const fault = path === null ? "has no path" : faultOf(path, paths);
    if (path !== null) paths.add(path);
    if (fault !== null) lines.push(`# LUN ${lun.lun} is not here: it ${fault}.`);
    return fault === null;
  });
  if (isPlain(luns)) {
    return [...luns.map(({ path }) => directive("backing-store", path ?? "")), ...lines];
  }
  for (const lun of luns) {
    lines.push(`<backing-store ${lun.path}>`);
    lines.push(...[`lun ${lun.lun}`, ...unitLines(lun)].map((line) => `\t${line}`));
    lines.push("</backing-store>");
  }
  return lines;
}

/** Why a path cannot be that of a block, in words, or null. */
function faultOf(path: string, before: ReadonlySet<string>): string | null {
  if (before.has(path)) return "is the second one with its path, and a target has a path once";
  if (/[^\x20-\x7e\x80-\xff]/.test(path))
    return "has a path with characters that cannot be written";
  return /^\s|\s$|[<>#"\\]/.test(path) ? "has a path that cannot be written" : null;
}

function unitLines(lun: TgtLunDocument): string[] {
  const { deviceType, bsType, bsOptions, bsOpenFlags, blockSize, params } = lun;
  const options: readonly (readonly [key: string, value: string | null])[] = [
    ["device-type", deviceType],
    ["bs-type", bsType],
    ["bsopts", bsOptions],
    ["bsoflags", bsOpenFlags],
    ["block-size", blockSize],
  ];
  const given = options.flatMap(([key, value]) => (value === null ? [] : [directive(key, value)]));
  return [...given, ...params.map(paramLine)];
}

function paramLine(param: string): string {
  if (param === WRITE_CACHE_OFF) return "write-cache off";
  const [, name = "", value = ""] = /^([^=]+)=(.*)$/s.exec(param) ?? [];
  const isKnown = LUN_ATTRIBUTES.includes(name) || name === "mode_page";
  return isKnown && value !== "" && !value.includes(",")
    ? directive(name, value)
    : directive("params", param);
}

/** A key and its value as Config::General reads them back. */
function directive(key: string, value: string): string {
  const escaped = value.replace(/[$\\"#]/g, "\\$&");
  const needsQuotes = /^\s|\s$/.test(value) || value === "";
  return `${key} ${needsQuotes ? `"${escaped}"` : escaped}`;
}
