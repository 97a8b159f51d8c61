import type { Place } from "./config-general-error.ts";
import type { ConfigNode } from "./config-general-tree.ts";
import { isVisible } from "../../util/visible-text.ts";
import { type AccountBook, type AccountWanted, readAccount } from "./targets-conf-account.ts";
import { SESSION_KEYS, TARGET_KEYS } from "./targets-conf-keys.ts";
import { ConfSection, type TargetsConfReport } from "./targets-conf-report.ts";
import { readLun, readStores, type StoreWanted } from "./targets-conf-store.ts";

/** A target that is wanted. */
export interface TargetWanted {
  readonly place: Place;
  readonly name: string;
  /** Its own, otherwise the default driver. */
  readonly driver: string;
  /** The number that it shall have; null: one more than the target before it, or than the highest there is. */
  readonly tid: number | null;
  /** For all stores, before what their blocks say; null: as they say. */
  readonly lun: number | null;
  /** In the order in which they are made and numbered, see assignLuns. */
  readonly stores: readonly StoreWanted[];
  readonly incoming: readonly AccountWanted[];
  readonly outgoing: AccountWanted | null;
  readonly addresses: readonly string[];
  readonly initiatorNames: readonly string[];
  /**
   * Nobody is kept out by address: so it is when there is no `initiator-address`, also when there are names, which then
   * restrict nothing.
   */
  readonly allowsAllAddresses: boolean;
  /** By the names of SESSION_KEYS, `state` included, in the order in which tgt-admin sets them. */
  readonly parameters: ReadonlyMap<string, string>;
}

/** What the reading of targets shares. */
export interface TargetContext {
  readonly defaultDriver: string;
  readonly accounts: AccountBook;
  readonly report: TargetsConfReport;
}

const TID_MAX = 0xffff_ffff;

/** Reads `<target NAME>`; null where it is no block. */
export function readTarget(
  name: string,
  node: ConfigNode,
  context: TargetContext,
): TargetWanted | null {
  if (node.kind !== "block") {
    context.report.problem(node.place, "the block <target> needs a name: <target NAME>");
    return null;
  }
  const section = new ConfSection(node, `target ${name}`, context.report);
  if (name === "" || /\s/.test(name) || !isVisible(name)) {
    section.problem(node.place, "a name of a target has no blanks and nothing that is invisible");
  }
  warnOfMistakes(section);
  const stores = readStores(section);
  const lun = readLun(section);
  if (lun !== null && stores.length > 1) {
    section.problem(node.place, `all of its ${stores.length} stores would have lun ${lun}`);
  }
  const addresses = section.often("initiator-address").map(({ text }) => text);
  const initiatorNames = section.often("initiator-name").map(({ text }) => text);
  const allowsAllAddresses = section.node("initiator-address") === undefined;
  if (allowsAllAddresses && initiatorNames.length > 0) {
    section.warn(
      node.place,
      'without "initiator-address", all addresses are allowed, whatever "initiator-name" says',
    );
  }
  return {
    place: node.place,
    name,
    driver: section.once("driver")?.text ?? context.defaultDriver,
    tid: readTid(section),
    lun,
    stores,
    incoming: readIncoming(section, context.accounts),
    outgoing: readOutgoing(section, context.accounts),
    addresses,
    initiatorNames,
    allowsAllAddresses,
    parameters: readParameters(section),
  };
}

function warnOfMistakes(section: ConfSection): void {
  section.warnOfUnknown([...TARGET_KEYS, "block-size"]);
  const blockSize = section.node("block-size");
  if (blockSize === undefined) return;
  section.warn(blockSize.place, 'a "block-size" outside of the block of a store is ignored');
}

function readTid(section: ConfSection): number | null {
  const said = section.once("controller_tid");
  if (said === null) return null;
  const tid = Number(said.text);
  if (/^[1-9]\d{0,9}$/.test(said.text) && tid <= TID_MAX) return tid;
  section.problem(said.place, `controller_tid is a number from 1 on, not "${said.text}"`);
  return null;
}

function readIncoming(section: ConfSection, accounts: AccountBook): AccountWanted[] {
  return section.often("incominguser").flatMap((said) => {
    const account = readAccount(section, "incominguser", said);
    return account === null ? [] : [accounts.enter(section, account)];
  });
}

function readOutgoing(section: ConfSection, accounts: AccountBook): AccountWanted | null {
  const said = section.first("outgoinguser");
  const account = said === null ? null : readAccount(section, "outgoinguser", said);
  return account === null ? null : accounts.enter(section, account);
}

function readParameters(section: ConfSection): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>();
  for (const key of [...SESSION_KEYS].sort()) {
    const said = section.first(key);
    if (said !== null) parameters.set(key, said.text);
  }
  return parameters;
}
