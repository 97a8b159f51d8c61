import type {
  TgtDocument,
  TgtLunDocument,
  TgtSettingDocument,
  TgtTargetDocument,
} from "../../control/protocol.ts";
import { usualScsiId, usualScsiSn } from "../../control/tgt/defaults.ts";

/** What a document of tgt becomes for a daemon that takes its place. */
export interface TakeOver {
  readonly wanted: TgtDocument;
  /** Lines for people: what is different from what tgt has, and what is left to do. */
  readonly notes: readonly string[];
}

export interface TakeOverOptions {
  /** Passwords by user, as far as they are known. */
  readonly passwords: ReadonlyMap<string, string>;
  /** What the daemon has already. */
  readonly own: TgtDocument;
  /** Whether a file or device is open elsewhere: by the tgtd that is to go, say. */
  readonly isOpen: (path: string) => boolean;
  /** Units whose disks others have open are served all the same. */
  readonly isForced: boolean;
  /** A password that nobody knows. */
  readonly makePassword: () => string;
}

/**
 * Keeps what initiators know targets by: numbers, and of units the identities that follow from them, which are written out, so that
 * they stay where a number cannot. What nobody knows is closed, and not open: an account whose password tgtd does not tell gets one
 * that nobody has, and a target whose disks others have open is offline.
 */
export function takeOver(document: TgtDocument, options: TakeOverOptions): TakeOver {
  const notes: string[] = [];
  const targets = document.targets.map((target) => {
    const named = keepIdentity(target, options.own, notes);
    return options.isForced ? named : closeWhatIsOpen(named, options, notes);
  });
  const accounts = document.accounts.map(({ user, password }) => {
    return { user, password: password ?? passwordOf(user, options, notes) };
  });
  if (document.system.length > 0) {
    notes.push(
      "iSNS is not taken over: set it with tgtadm --mode sys --op update, or in targets.conf",
    );
  }
  return { wanted: { ...document, targets, accounts, system: [] }, notes };
}

function passwordOf(
  user: string,
  { passwords, own, makePassword }: TakeOverOptions,
  notes: string[],
): string | null {
  const known = passwords.get(user);
  if (known !== undefined) return known;
  if (own.accounts.some((account) => account.user === user)) return null;
  notes.push(
    `the password of account ${user} is not known, as tgtd tells it nobody: nobody can log in with it ` +
      `until it is set (thinlun account set ${user}), or give --conf with the file that has it`,
  );
  return makePassword();
}

function keepIdentity(
  target: TgtTargetDocument,
  own: TgtDocument,
  notes: string[],
): TgtTargetDocument {
  const { name, tid } = target;
  if (tid === null) return target;
  const luns = target.luns.map((lun) => withIdentity(lun, tid));
  const taken = own.targets.find((one) => one.tid === tid && one.name !== name);
  if (taken === undefined) return { ...target, luns };
  const number = own.targets.find((one) => one.name === name)?.tid ?? null;
  notes.push(
    `target ${name} gets another number than ${tid}, which target ${taken.name} has; ` +
      "its units keep their identities",
  );
  return { ...target, tid: number, luns };
}

/** SCSI identifier and serial number follow from the number of the target where nobody has set them. */
function withIdentity(unit: TgtLunDocument, tid: number): TgtLunDocument {
  const { lun, params } = unit;
  const says = (key: string): boolean =>
    params.some((param) => param.split(",").some((part) => part.startsWith(`${key}=`)));
  const missing = [
    ...(says("scsi_id") ? [] : [`scsi_id=${usualScsiId(tid, lun)}`]),
    ...(says("scsi_sn") ? [] : [`scsi_sn=${usualScsiSn(tid, lun)}`]),
  ];
  return { ...unit, params: [...missing, ...params] };
}

function closeWhatIsOpen(
  target: TgtTargetDocument,
  { isOpen, own }: TakeOverOptions,
  notes: string[],
): TgtTargetDocument {
  const { name, luns, settings } = target;
  const before = own.targets.find((one) => one.name === name);
  const mine = before?.luns.map(({ path }) => path) ?? [];
  const wasOffline = before?.settings.some(isOffline) === true;
  const open = luns.flatMap((lun) => {
    const path = fileOf(lun);
    if (path === null || !isOpen(path)) return [];
    // The daemon has it open itself: who else has cannot be told.
    return mine.includes(path) && !wasOffline ? [] : [path];
  });
  const [first] = open;
  if (first === undefined) return target;
  notes.push(
    `target ${name} is offline, as others may have ${first} open: two that write to one disk destroy it; ` +
      `stop them, and then let initiators in (thinlun target set ${name} --ready)`,
  );
  const others = settings.filter((setting) => setting.name !== "state");
  return { ...target, settings: [...others, OFFLINE] };
}

/** Types of backing stores whose paths are those of no file. */
const PATHLESS: readonly (string | null)[] = ["null", "thin"];

/** The file or device of a unit, or null. */
export function fileOf({ path, bsType }: TgtLunDocument): string | null {
  return PATHLESS.includes(bsType) ? null : path;
}

const OFFLINE: TgtSettingDocument = { name: "state", value: "offline" };

function isOffline({ name, value }: TgtSettingDocument): boolean {
  return name === OFFLINE.name && value === OFFLINE.value;
}
