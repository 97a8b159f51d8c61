import type {
  TgtDocument,
  TgtLunDocument,
  TgtSettingDocument,
  TgtTargetDocument,
} from "../../../control/protocol.ts";
import {
  NOP_DEFAULTS,
  SESSION_KEY_DEFAULTS,
  usualScsiId,
  usualScsiSn,
} from "../../../control/tgt/defaults.ts";
import { isInitiatorName } from "./remove-target.ts";
import { OUTGOING, type ShownLun, type ShownTarget } from "./shown-target.ts";

/** What tgtd has of a new target. Of a target that redirects, it shows where to, and nothing else. */
const USUAL: ReadonlyMap<string, string> = new Map(
  Object.entries({
    ...NOP_DEFAULTS,
    ...SESSION_KEY_DEFAULTS,
    RedirectAddress: "",
    RedirectPort: "",
    RedirectReason: "Unknown",
    RedirectCallback: "",
  }),
);

/** tgtadm's words for the types that are shown. */
const DEVICE_TYPES: Readonly<Record<string, string>> = {
  disk: "disk",
  tape: "tape",
  "cd/dvd": "cd",
  changer: "changer",
  osd: "osd",
  passthrough: "pt",
};

/** Types of units whose medium people take out; their blocks have this many bytes until something else is said. */
const CD_BLOCK_BYTES = "2048";
const DISK_BLOCK_BYTES = "512";

/** What a daemon shows, as text but for the targets. */
export interface Shown {
  readonly targets: readonly ShownTarget[];
  /** What `tgtadm --op show --mode target --tid N` prints, by name. */
  readonly parametersOf: ReadonlyMap<string, string>;
  readonly system: string;
  readonly accounts: string;
}

/**
 * What a daemon shows, as a document. Not shown, and so not in it: passwords, the account by which discovery proves itself where nobody
 * has to log in for that, vendor, product and revision of units, their mode pages and the options of backing stores.
 */
export function shownDocument({ targets, parametersOf, system, accounts }: Shown): TgtDocument {
  const discovery = discoveryAccounts(system);
  const bound = [...targets, ...(discovery === null ? [] : [discovery])];
  const users = bound.flatMap(({ incoming, outgoing }) => [...incoming, outgoing ?? []].flat());
  // The newest is shown first.
  const known = [...accounts.matchAll(/^ {4}(.+)$/gm)].map(([, user = ""]) => user).reverse();
  return {
    targets: targets.map((target) => targetDocument(target, parametersOf.get(target.name) ?? "")),
    accounts: [...new Set([...known, ...users])].map((user) => ({ user, password: null })),
    discovery,
    system: systemSettings(system),
  };
}

function discoveryAccounts(text: string): TgtDocument["discovery"] {
  const [, list] = /^ {4}Account information:\n\n((?: {4}.+\n)*)/m.exec(text) ?? [];
  if (list === undefined) return null;
  const users = list.split("\n").flatMap((line) => (line === "" ? [] : [line.trimStart()]));
  const outgoing = users.find((user) => OUTGOING.test(user));
  return {
    incoming: users.filter((user) => !OUTGOING.test(user)),
    outgoing: outgoing?.replace(OUTGOING, "") ?? null,
  };
}

/** What tgt makes of a request with an address and a name: a rule of this spelling beside the rule for the name. */
const SPELLED = /^([^,]+),initiator-name=(.+)$/;

/** The rules that make these again, one request each. */
function rulesOf(acl: readonly string[]): { addresses: string[]; initiatorNames: string[] } {
  const isSpelled = (rule: string): boolean => SPELLED.test(rule);
  const names = acl.filter((rule) => !isSpelled(rule) && isInitiatorName(rule));
  const spelled = new Set<string>();
  const addresses = acl
    .filter((rule) => isSpelled(rule) || !isInitiatorName(rule))
    .map((rule) => {
      const [, address = rule, name] = SPELLED.exec(rule) ?? [];
      // Nobody is to be let in by a name whose own rule was taken away since.
      if (name === undefined || !names.includes(name)) return address;
      spelled.add(name);
      return rule;
    });
  return { addresses, initiatorNames: names.filter((name) => !spelled.has(name)) };
}

/** iSNS is told only where it is on: all else is as without saying. */
function systemSettings(text: string): TgtSettingDocument[] {
  const lines = [...text.matchAll(/^\s+(iSNS\w*)=(.+)$/gm)];
  const settings = lines.map(([, name = "", value = ""]) => ({ name, value }));
  return settings.some(({ name, value }) => name === "iSNS" && value === "On") ? settings : [];
}

function targetDocument(target: ShownTarget, parameters: string): TgtTargetDocument {
  const { name, tid, incoming, outgoing, acl, isOffline } = target;
  const settings = [...parameters.matchAll(/^(\w+)=(.*)$/gm)]
    .map(([, key = "", value = ""]) => ({ name: key, value }))
    .filter((each) => {
      const usual = USUAL.get(each.name);
      return usual !== undefined && each.value !== usual;
    });
  return {
    name,
    tid: Number(tid),
    incoming,
    outgoing,
    ...rulesOf(acl),
    settings: [...settings, ...(isOffline ? [{ name: "state", value: "offline" }] : [])],
    luns: target.luns
      .filter(({ type }) => type !== "controller")
      .map((lun) => lunDocument(lun, Number(tid))),
  };
}

function lunDocument(shown: ShownLun, tid: number): TgtLunDocument {
  const { lun, type, storePath, storeType, storeFlags, blockBytes } = shown;
  const isCd = type === "cd/dvd";
  const params: string[] = [];
  const say = (name: string, value: string, usual: string): void => {
    if (value !== usual) params.push(`${name}=${value}`);
  };
  say("scsi_id", shown.scsiId, usualScsiId(tid, lun));
  say("scsi_sn", shown.scsiSn, usualScsiSn(tid, lun));
  say("removable", shown.isRemovable ? "1" : "0", isCd ? "1" : "0");
  say("online", shown.isOnline ? "1" : "0", "1");
  say("readonly", shown.isReadOnly ? "1" : "0", "0");
  say("thin_provisioning", shown.isThin ? "1" : "0", "0");
  const deviceType = DEVICE_TYPES[type] ?? null;
  return {
    lun,
    path: storePath,
    deviceType: deviceType === "disk" ? null : deviceType,
    bsType: storeType === "rdwr" || (isCd && storeType === "mmc") ? null : storeType,
    bsOptions: null,
    bsOpenFlags: storeFlags === "" ? null : storeFlags,
    blockSize: blockBytes === (isCd ? CD_BLOCK_BYTES : DISK_BLOCK_BYTES) ? null : blockBytes,
    params,
  };
}
