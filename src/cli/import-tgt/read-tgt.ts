import { runChild } from "../../../native-free/child-process.ts";
import { OperationError, type TgtDocument } from "../../control/protocol.ts";
import { bytesOf } from "../tgt/byte-words.ts";
import { ConfigGeneralError, describeRemark } from "../tgt/config-general-error.ts";
import { readTargetsConf, type TargetsConf } from "../tgt/targets-conf.ts";
import { inBytes } from "../tgt/tgt-admin/byte-conf.ts";
import { DaemonState } from "../tgt/tgt-admin/daemon-state.ts";
import { TidGiver } from "../tgt/tgt-admin/configure.ts";
import { readDocument } from "../tgt/tgt-admin/dump.ts";
import { AdminEnd, Runner } from "../tgt/tgt-admin/runner.ts";
import { lookAt, SYSTEM_FILES } from "../tgt/tgt-admin/system-world.ts";
import { wantedDocument } from "../tgt/tgt-admin/wanted-document.ts";
import type { AdminWorld } from "../tgt/tgt-admin/world.ts";
import { tgtadm } from "../tgt/tgtadm/tgtadm.ts";

/** What is read of tgt, and remarks about it. */
export interface TgtReading {
  readonly document: TgtDocument;
  readonly notes: readonly string[];
}

/** Speaks to a tgtd as tgtadm does, and prints nothing. */
export function quietWorld(variables: Readonly<Record<string, string | undefined>>): AdminWorld {
  return {
    tgtadm: (words) => tgtadm(words, { calledAs: "tgtadm", variables }),
    files: SYSTEM_FILES,
    print: () => undefined,
    complain: () => undefined,
    lookAt,
    run: (program, words) =>
      runChild(
        program,
        words.map((word) => bytesOf(word).toString("utf8")),
      ),
    applyClient: () => Promise.resolve(null),
  };
}

function runnerFor(world: AdminWorld, controlPort: number): Runner {
  return new Runner(world, `${controlPort}`, {
    pretend: false,
    verbose: false,
    ignoreErrors: false,
  });
}

/** Errors: invalid: it cannot be used, with a line for each thing that is wrong. */
export function readConf(
  path: string,
  world: Pick<AdminWorld, "files">,
): { readonly conf: TargetsConf; readonly notes: readonly string[] } {
  try {
    const { conf, warnings } = readTargetsConf(path, world.files);
    return { conf: inBytes(conf), notes: warnings.map(describeRemark) };
  } catch (error) {
    if (!(error instanceof ConfigGeneralError)) throw error;
    throw new OperationError("invalid", error.message, error);
  }
}

/** All passwords of a configuration, by user. */
export function passwordsOf({
  targets,
  incomingDiscovery,
  outgoingDiscovery,
}: TargetsConf): ReadonlyMap<string, string> {
  const bound = targets.flatMap(({ incoming, outgoing }) => [...incoming, outgoing]);
  const accounts = [incomingDiscovery, outgoingDiscovery, ...bound];
  return new Map(
    accounts.flatMap((account) => (account === null ? [] : [[account.user, account.password]])),
  );
}

/**
 * What a configuration makes. Targets have the numbers that tgtd has given them where it runs, and else those that it would give.
 */
export async function readFromConf(
  conf: TargetsConf,
  world: AdminWorld,
  controlPort: number,
): Promise<TgtReading> {
  const notes: string[] = [];
  const looking = {
    world,
    isForced: true,
    isOwn: () => true,
    note: (line: string) => void notes.push(line.replace(/^# /, "")),
  };
  const document = await wantedDocument(conf, conf.targets, true, looking);
  const state = await DaemonState.read(runnerFor(world, controlPort));
  const fresh = new TidGiver(DaemonState.of([]));
  const natural = new Map(conf.targets.map((target) => [target.name, fresh.next(target)]));
  const targets = document.targets.map((target) => {
    const tid = state.tids.get(target.name) ?? natural.get(target.name) ?? null;
    return { ...target, tid };
  });
  const system = [...conf.isns].map(([name, value]) => ({ name, value }));
  return { document: { ...document, targets, system }, notes };
}

/** What a tgtd that runs has, as far as it tells. Errors: missing: there is none. */
export async function readFromRunning(world: AdminWorld, controlPort: number): Promise<TgtReading> {
  try {
    const document = await readDocument(runnerFor(world, controlPort));
    const notes = [
      "tgtd does not tell everything: vendor, product and revision of units, write caches and options of backing " +
        "stores are taken over from targets.conf only",
    ];
    return { document, notes };
  } catch (error) {
    if (!(error instanceof AdminEnd)) throw error;
    throw new OperationError("missing", `no tgtd answers at control port ${controlPort}`, error);
  }
}
