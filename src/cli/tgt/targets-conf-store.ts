import { describePlace, type Place } from "./config-general-error.ts";
import { compareBytes } from "./config-general-files.ts";
import type { ConfigNode } from "./config-general-tree.ts";
import { LUN_ATTRIBUTES, STORE_KEYS } from "./targets-conf-keys.ts";
import { ConfSection, type Said } from "./targets-conf-report.ts";

/** A logical unit that is wanted: what its block says, and where that is silent what is said for all of the target. */
export interface StoreWanted {
  readonly place: Place;
  /** A file or device; what the backing-store type makes of it otherwise. */
  readonly path: string;
  /**
   * The path is that of a file or device, and the store is left out when there is none. tgt-admin sees the backing-store type
   * here only when it is set for all of the target.
   */
  readonly isFile: boolean;
  /** Of `direct-store`: what is not said about its identity and sizes is what the device says of itself (INQUIRY, VPD B0h, READ CAPACITY). */
  readonly isDirect: boolean;
  /** What its own block says; null: the next free number. */
  readonly lun: number | null;
  readonly deviceType: string | null;
  readonly bsType: string | null;
  readonly bsOptions: string | null;
  readonly bsOpenFlags: string | null;
  /** In bytes, as it is written. */
  readonly blockSize: string | null;
  readonly isWriteCacheOn: boolean;
  /** By the names of LUN_ATTRIBUTES, in their order. */
  readonly attributes: ReadonlyMap<string, string>;
  /** Set before everything else, those of the block first. */
  readonly modePages: readonly string[];
  /** Further `--params`, those of the block first. */
  readonly params: readonly string[];
  /** It is used though others have it open. */
  readonly isAllowedInUse: boolean;
}

/** The highest number of a logical unit in flat space addressing (SAM-5, 4.7.7.3). */
const LUN_MAX = 0x3fff;

/** Types whose paths are names of their own; tgt-admin takes every type with these letters in it for one. */
const PATHLESS_TYPE = /rbd|glfs|^thin$/;

/**
 * The stores of a target in the order in which tgt-admin makes them: `backing-store` before `direct-store`, by the bytes of
 * their paths, not as they are written.
 * tgt-admin stops at paths with "HASH" in them, which it takes for its own mistake; they are paths here. A path that is said
 * twice is one store there and here. It has a `block-size` in the store's block only.
 */
export function readStores(target: ConfSection): StoreWanted[] {
  const stores = ["backing-store", "direct-store"].flatMap((key) => storesOf(target, key));
  const placeOfPath = new Map<string, Place>();
  const placeOfLun = new Map<number, Place>();
  for (const { place, path, lun } of stores) {
    const samePath = placeOfPath.get(path);
    if (samePath !== undefined) {
      const other = `the backing-store at ${describePlace(samePath)}`;
      target.problem(place, `the direct-store "${path}" would have the lun of ${other}`);
    }
    placeOfPath.set(path, place);
    if (lun === null) continue;
    const sameLun = placeOfLun.get(lun);
    if (sameLun !== undefined) {
      target.problem(place, `lun ${lun} is that of the store at ${describePlace(sameLun)}`);
    }
    placeOfLun.set(lun, place);
  }
  return stores;
}

/** What the section says of the number of a logical unit; null where it says nothing that can be used. */
export function readLun(section: ConfSection): number | null {
  const said = section.once("lun");
  if (said === null) return null;
  // With a zero in front, tgtadm reads an octal number.
  if (/^[1-9]\d{0,4}$/.test(said.text) && Number(said.text) <= LUN_MAX) return Number(said.text);
  const why = said.text === "0" ? "0 is the controller's" : `"${said.text}" is none of them`;
  section.problem(said.place, `lun is a number from 1 to ${LUN_MAX}: ${why}`);
  return null;
}

function storesOf(target: ConfSection, key: string): StoreWanted[] {
  const node = target.node(key);
  if (node === undefined) return [];
  const stores =
    node.kind === "block"
      ? [...node.entries].map(([path, inside]) => blockStore(target, key, path, inside))
      : plainStores(target, key);
  return stores
    .filter((store) => store !== null)
    .sort((left, right) => compareBytes(left.path, right.path));
}

function plainStores(target: ConfSection, key: string): StoreWanted[] {
  const node = target.node(key);
  if (node?.kind === "list" && node.items.some((item) => item.kind === "block")) {
    target.problem(node.place, `"${key}" with and without a block cannot be mixed in a target`);
    return [];
  }
  const placeOf = new Map<string, Place>();
  for (const { text, place } of target.often(key)) {
    const before = placeOf.get(text);
    if (before === undefined) placeOf.set(text, place);
    else target.warn(place, `"${text}" is a store at ${describePlace(before)} already`);
  }
  return [...placeOf].map(([path, place]) => storeWanted(target, null, key, { text: path, place }));
}

function blockStore(
  target: ConfSection,
  key: string,
  path: string,
  inside: ConfigNode,
): StoreWanted | null {
  if (inside.kind !== "block" || path === "") {
    target.problem(inside.place, `the block <${key}> needs a path: <${key} PATH>`);
    return null;
  }
  const block = new ConfSection(inside, `${target.name}: ${key} ${path}`, target.report);
  block.warnOfUnknown(STORE_KEYS);
  return storeWanted(target, block, key, { text: path, place: inside.place });
}

function storeWanted(
  target: ConfSection,
  block: ConfSection | null,
  key: string,
  { text: path, place }: Said,
): StoreWanted {
  const text = (option: string): string | null => {
    return (block?.once(option) ?? target.once(option))?.text ?? null;
  };
  const all = (option: string): string[] => {
    const said = [...(block?.often(option) ?? []), ...target.often(option)];
    return said.map((each) => each.text);
  };
  const attributes = new Map<string, string>();
  for (const name of LUN_ATTRIBUTES) {
    const value = text(name);
    if (value !== null) attributes.set(name, value);
  }
  return {
    place,
    path,
    isFile: !PATHLESS_TYPE.test(text("bs-type") ?? ""),
    isDirect: key === "direct-store",
    lun: block === null ? null : readLun(block),
    deviceType: text("device-type"),
    bsType: text("bs-type"),
    bsOptions: text("bsopts"),
    bsOpenFlags: text("bsoflags"),
    blockSize: block?.once("block-size")?.text ?? null,
    isWriteCacheOn: isWriteCacheOn(target, block),
    attributes,
    modePages: all("mode_page"),
    params: all("params"),
    isAllowedInUse: [block, target].some((each) => each?.once("allow-in-use")?.text === "yes"),
  };
}

/** It is on when nothing is said, and also when what is said is neither "on" nor "off": tgt-admin only warns. */
function isWriteCacheOn(target: ConfSection, block: ConfSection | null): boolean {
  const section = block?.node("write-cache") === undefined ? target : block;
  const said = section.once("write-cache");
  if (said !== null && said.text !== "on" && said.text !== "off") {
    section.warn(
      said.place,
      `unknown value "${said.text}" of "write-cache", which is "on" or "off": it is left on`,
    );
  }
  return said?.text !== "off";
}
