/** A target as `tgtadm --op show --mode target` lists it: as much of it as tgt-setup-lun needs. */
export interface ShownTarget {
  readonly id: number;
  readonly name: string;
  /** In their order. */
  readonly luns: readonly number[];
  /** Addresses and names of initiators that are let in. */
  readonly acl: readonly string[];
}

const TARGET = /^Target ([0-9]+): (.*)$/;
const LUN = /^ {8}LUN: ([0-9]+)$/;
const ACL_TITLE = "    ACL information:";
const ITEM = /^ {8}(\S.*)$/;

/** Reads the list. Lines that it does not know are passed over. */
export function parseShownTargets(text: string): ShownTarget[] {
  const targets: { id: number; name: string; luns: number[]; acl: string[] }[] = [];
  let isInAcl = false;
  for (const line of text.split("\n")) {
    const [, id, name = ""] = TARGET.exec(line) ?? [];
    if (id !== undefined) {
      targets.push({ id: Number(id), name, luns: [], acl: [] });
      isInAcl = false;
    }
    const target = targets.at(-1);
    if (target === undefined) continue;
    if (/^ {4}\S/.test(line)) isInAcl = line === ACL_TITLE;
    const [, item] = isInAcl ? (ITEM.exec(line) ?? []) : [];
    if (item !== undefined) target.acl.push(item);
    const [, lun] = isInAcl ? [] : (LUN.exec(line) ?? []);
    if (lun !== undefined) target.luns.push(Number(lun));
  }
  return targets;
}

/** The first number that is free in a list in ascending order. */
export function firstFree(taken: readonly number[], first: number): number {
  let free = first;
  for (const number of taken) {
    if (number > free) break;
    free = number + 1;
  }
  return free;
}
