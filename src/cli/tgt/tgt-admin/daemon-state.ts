import { parseShownTargets, type ShownTarget } from "./shown-target.ts";
import type { Runner } from "./runner.ts";

/** What the daemon has, as far as its answers tell; a daemon that does not answer has nothing. */
export class DaemonState {
  readonly targets: ReadonlyMap<string, ShownTarget>;
  /** The numbers of targets, those included that this command has given. */
  readonly tids: Map<string, number>;

  private constructor(targets: readonly ShownTarget[]) {
    this.targets = new Map(targets.map((target) => [target.name, target]));
    this.tids = new Map(targets.map(({ name, tid }) => [name, Number(tid)]));
  }

  static async read(runner: Runner): Promise<DaemonState> {
    return new DaemonState(parseShownTargets(await runner.show("target")));
  }

  static of(targets: readonly ShownTarget[]): DaemonState {
    return new DaemonState(targets);
  }

  get highestTid(): number {
    return Math.max(0, ...this.tids.values());
  }

  withTid(tid: string): ShownTarget | undefined {
    return [...this.targets.values()].find((target) => target.tid === tid);
  }
}

/** The users that the daemon has. */
export async function readAccounts(runner: Runner): Promise<ReadonlySet<string>> {
  const lines = (await runner.show("account")).split("\n");
  return new Set(lines.flatMap((line) => /^\s+(.*)$/.exec(line)?.[1] ?? []));
}

/** Whether the daemon tells an iSNS server of its targets. */
export async function readIsIsnsOn(runner: Runner): Promise<boolean> {
  return /iSNS=On/.test(await runner.show("sys"));
}
