import type { Remark } from "./config-general-error.ts";
import type { ConfigFiles } from "./config-general-files.ts";
import { compareBytes } from "./config-general-files.ts";
import { parseConfigGeneral } from "./config-general.ts";
import { AccountBook, type AccountWanted, readAccount } from "./targets-conf-account.ts";
import { GLOBAL_KEYS, ISNS_KEYS } from "./targets-conf-keys.ts";
import { ConfSection, TargetsConfReport } from "./targets-conf-report.ts";
import { readTarget, type TargetContext, type TargetWanted } from "./targets-conf-target.ts";

/** What a targets.conf wants. */
export interface TargetsConf {
  readonly defaultDriver: string;
  /** False: nothing is said of it, and it is iscsi. */
  readonly saysDefaultDriver: boolean;
  /** Null where none is said. tgt-admin stops where both the file and its command line have one. */
  readonly controlPort: number | null;
  readonly ignoresErrors: boolean;
  /** `iSNS`, `iSNSServerIP`, `iSNSServerPort`, `iSNSAccessControl`: what is said of them, as it is written. */
  readonly isns: ReadonlyMap<string, string>;
  readonly incomingDiscovery: AccountWanted | null;
  readonly outgoingDiscovery: AccountWanted | null;
  /** In the order of the bytes of their names, in which tgt-admin makes and numbers them. */
  readonly targets: readonly TargetWanted[];
  /**
   * False: the file knows no target at all. tgt-admin then removes none with --execute (it removes those that the file does
   * not have otherwise), but all with `--update ALL`.
   */
  readonly hasTargets: boolean;
}

const CONTROL_PORT_MAX = 0xffff;

/**
 * Reads a targets.conf with all that it includes.
 * What tgt-admin stops at when it comes to it, half of the work done, is refused before anything is done, all of it at once:
 * values that are missing, said twice, or mixed with blocks. What it passes over in silence are warnings: options that it
 * does not know, second passwords of a user. It hands values to a shell, which expands what is in them; nothing is expanded
 * here. It reads the state of the daemon before it looks at `control-port`, that is, of the daemon of another port.
 * Throws ConfigGeneralError.
 */
export function readTargetsConf(
  path: string,
  files: ConfigFiles,
): { readonly conf: TargetsConf; readonly warnings: readonly Remark[] } {
  const { root, warnings } = parseConfigGeneral(path, files);
  const report = new TargetsConfReport();
  const section = new ConfSection(root, "", report);
  section.warnOfUnknown(GLOBAL_KEYS);
  const accounts = new AccountBook();
  // The order counts: the first password of a user does.
  const incomingDiscovery = readDiscoveryUser(section, "incomingdiscoveryuser", accounts);
  const outgoingDiscovery = readDiscoveryUser(section, "outgoingdiscoveryuser", accounts);
  const defaultDriver = section.once("default-driver")?.text ?? "iscsi";
  const conf = {
    defaultDriver,
    saysDefaultDriver: section.node("default-driver") !== undefined,
    controlPort: readControlPort(section),
    ignoresErrors: section.once("ignore-errors")?.text === "yes",
    isns: readIsns(section),
    incomingDiscovery,
    outgoingDiscovery,
    targets: readTargets(section, { defaultDriver, accounts, report }),
    hasTargets: section.node("target") !== undefined,
  };
  report.close();
  return { conf, warnings: [...warnings, ...report.warnings] };
}

function readTargets(section: ConfSection, context: TargetContext): TargetWanted[] {
  const node = section.node("target");
  if (node === undefined) return [];
  if (node.kind !== "block") {
    section.problem(node.place, "a target is a block: <target NAME>");
    return [];
  }
  return [...node.entries]
    .sort(([left], [right]) => compareBytes(left, right))
    .flatMap(([name, inside]) => readTarget(name, inside, context) ?? []);
}

function readDiscoveryUser(
  section: ConfSection,
  key: string,
  accounts: AccountBook,
): AccountWanted | null {
  const said = section.once(key);
  const account = said === null ? null : readAccount(section, key, said);
  return account === null ? null : accounts.enter(section, account);
}

function readControlPort(section: ConfSection): number | null {
  const said = section.once("control-port");
  if (said === null) return null;
  if (/^\d{1,5}$/.test(said.text) && Number(said.text) <= CONTROL_PORT_MAX) {
    return Number(said.text);
  }
  section.problem(
    said.place,
    `control-port is a number up to ${CONTROL_PORT_MAX}, not "${said.text}"`,
  );
  return null;
}

function readIsns(section: ConfSection): ReadonlyMap<string, string> {
  const isns = new Map<string, string>();
  for (const key of ISNS_KEYS) {
    const said = section.once(key);
    if (said !== null) isns.set(key, said.text);
  }
  return isns;
}
