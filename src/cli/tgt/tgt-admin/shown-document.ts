import type {
  TgtDocument,
  TgtLunDocument,
  TgtSettingDocument,
  TgtTargetDocument,
} from "../../../control/protocol.ts";
import { isInitiatorName } from "./remove-target.ts";
import type { ShownLun, ShownTarget } from "./shown-target.ts";

/** What tgtd sets of a new target, by the names that targets.conf can set. */
const PARAMETER_DEFAULTS: Readonly<Record<string, string>> = {
  MaxRecvDataSegmentLength: "8192",
  MaxXmitDataSegmentLength: "8192",
  HeaderDigest: "None",
  DataDigest: "None",
  InitialR2T: "Yes",
  MaxOutstandingR2T: "1",
  ImmediateData: "Yes",
  FirstBurstLength: "65536",
  MaxBurstLength: "262144",
  DataPDUInOrder: "Yes",
  DataSequenceInOrder: "Yes",
  ErrorRecoveryLevel: "0",
  IFMarker: "No",
  OFMarker: "No",
  DefaultTime2Wait: "2",
  DefaultTime2Retain: "20",
  MaxConnections: "1",
};

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

/**
 * What a daemon shows, as a document. Not shown, and so not in it: passwords, accounts of discovery, vendor, product and
 * revision of units, their mode pages and the options of backing stores.
 * @param parametersOf what `tgtadm --op show --mode target --tid N` prints, by name
 */
export function shownDocument(
  targets: readonly ShownTarget[],
  parametersOf: ReadonlyMap<string, string>,
  systemText: string,
): TgtDocument {
  const users = targets.flatMap(({ incoming, outgoing }) => [...incoming, outgoing ?? []].flat());
  return {
    targets: targets.map((target) => targetDocument(target, parametersOf.get(target.name) ?? "")),
    accounts: [...new Set(users)].map((user) => ({ user, password: null })),
    discovery: null,
    system: systemSettings(systemText),
  };
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
      const usual = PARAMETER_DEFAULTS[each.name];
      return usual !== undefined && each.value !== usual;
    });
  return {
    name,
    tid: Number(tid),
    incoming,
    outgoing,
    addresses: acl.filter((rule) => !isInitiatorName(rule)),
    initiatorNames: acl.filter(isInitiatorName),
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
  const hex = (number: number): string => number.toString(16).padStart(4, "0");
  say("scsi_id", shown.scsiId, `IET     ${hex(tid)}${hex(lun)}`);
  say("scsi_sn", shown.scsiSn, `beaf${tid}${lun}`);
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
