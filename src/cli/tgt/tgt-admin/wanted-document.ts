import {
  OperationError,
  type TgtDocument,
  type TgtLunDocument,
  type TgtTargetDocument,
} from "../../../control/protocol.ts";
import { assignLuns } from "../targets-conf-luns.ts";
import type { StoreWanted } from "../targets-conf-store.ts";
import type { TargetWanted } from "../targets-conf-target.ts";
import type { TargetsConf } from "../targets-conf.ts";
import { judgeStore } from "./device-check.ts";
import { likeTheDevice, requireSgInq } from "./direct-store.ts";
import { unitSteps } from "./store-commands.ts";
import type { AdminWorld } from "./world.ts";

/** The one that is built in. */
const DRIVER = "iscsi";

/** How stores are looked at. */
export interface Looking {
  readonly world: AdminWorld;
  readonly isForced: boolean;
  /** Whether the daemon has a path open for a unit of this target already. */
  readonly isOwn: (target: string, path: string) => boolean;
  readonly note: (line: string) => void;
  /** A store that is not there, or not free, and becomes no unit. */
  readonly leftOut?: (target: string, path: string) => void;
}

/**
 * What a configuration wants, as a document: with the stores that are there and free, and the numbers that they get. What is set
 * outside of targets is in it only with `withGlobals`.
 */
export async function wantedDocument(
  conf: TargetsConf,
  targets: readonly TargetWanted[],
  withGlobals: boolean,
  looking: Looking,
): Promise<TgtDocument> {
  const documents: TgtTargetDocument[] = [];
  for (const target of targets) documents.push(await targetDocument(target, looking));
  const { incomingDiscovery, outgoingDiscovery } = conf;
  const global = withGlobals ? [incomingDiscovery, outgoingDiscovery] : [];
  const bound = targets.flatMap(({ incoming, outgoing }) => [...incoming, outgoing]);
  const accounts = [...global, ...bound].filter((account) => account !== null);
  const passwords = new Map(accounts.map(({ user, password }) => [user, password]));
  const saysDiscovery = withGlobals && global.some((account) => account !== null);
  return {
    targets: documents,
    accounts: [...passwords].map(([user, password]) => ({ user, password })),
    discovery: saysDiscovery
      ? {
          incoming: incomingDiscovery === null ? [] : [incomingDiscovery.user],
          outgoing: outgoingDiscovery?.user ?? null,
        }
      : null,
    // That is set by tgtadm: it is no matter of the targets, and gone with the daemon.
    system: [],
  };
}

async function targetDocument(target: TargetWanted, looking: Looking): Promise<TgtTargetDocument> {
  const { name, tid, incoming, outgoing, addresses, initiatorNames, parameters, driver } = target;
  if (driver !== DRIVER) {
    throw new OperationError("invalid", `target ${name}: there is no driver ${driver}`);
  }
  return {
    name,
    tid,
    incoming: incoming.map(({ user }) => user),
    outgoing: outgoing?.user ?? null,
    addresses: target.allowsAllAddresses ? ["ALL"] : addresses,
    initiatorNames,
    settings: [...parameters].map(([key, value]) => ({ name: key, value })),
    luns: await lunDocuments(target, looking),
  };
}

async function lunDocuments(
  target: TargetWanted,
  { world, isForced, isOwn, note, leftOut }: Looking,
): Promise<TgtLunDocument[]> {
  const { name, driver, stores } = target;
  const usable = new Set<StoreWanted>();
  for (const store of stores) {
    const flags = { isForced, isOwn: isOwn(name, store.path) };
    const verdict = await judgeStore(store, world, flags);
    for (const line of verdict.notes) note(line);
    if (verdict.isUsable) usable.add(store);
    else leftOut?.(name, store.path);
  }
  if (stores.some(({ isDirect }) => isDirect)) await requireSgInq(world);
  const documents: TgtLunDocument[] = [];
  for (const { store, lun } of assignLuns(target, (each) => !usable.has(each))) {
    const wanted = store.isDirect ? await likeTheDevice(store, world) : store;
    const steps = unitSteps({ driver, tid: "0", lun }, wanted);
    documents.push({
      lun,
      path: wanted.path,
      deviceType: wanted.deviceType,
      bsType: wanted.bsType,
      bsOptions: wanted.bsOptions,
      bsOpenFlags: wanted.bsOpenFlags,
      blockSize: wanted.blockSize,
      params: steps.flatMap((step) => {
        return step.kind === "command" ? [step.command.words.at(-1) ?? ""] : [];
      }),
    });
  }
  return documents.toSorted((one, other) => one.lun - other.lun);
}
