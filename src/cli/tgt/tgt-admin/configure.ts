import type { TargetsConf } from "../targets-conf.ts";
import type { TargetWanted } from "../targets-conf-target.ts";
import { type DaemonState, readIsIsnsOn } from "./daemon-state.ts";
import { plain, type Runner } from "./runner.ts";
import type { TargetMaker } from "./target-commands.ts";

const ISNS = "iSNS";

/** In the order of bytes. */
const ISNS_DETAILS = ["iSNSAccessControl", "iSNSServerIP", "iSNSServerPort"] as const;

/** Does what a configuration says of iSNS, the switch last. */
export async function configureIsns(conf: TargetsConf, runner: Runner): Promise<void> {
  if (conf.isns.size === 0) return;
  const isOn = await readIsIsnsOn(runner);
  for (const name of ISNS_DETAILS) if (!isOn) await setSystem(conf, runner, name);
  if (isOn) runner.note("# iSNS already enabled");
  else await setSystem(conf, runner, ISNS);
}

async function setSystem({ isns }: TargetsConf, runner: Runner, name: string): Promise<void> {
  const value = isns.get(name);
  if (value === undefined) return;
  await runner.execute(plain("--op", "update", "--mode", "sys", "--name", name, "-v", value));
}

/** Does what a configuration says outside of targets. */
export async function configureGlobals(
  conf: TargetsConf,
  runner: Runner,
  maker: TargetMaker,
): Promise<void> {
  const isIsnsOn = await readIsIsnsOn(runner);
  for (const name of ISNS_DETAILS) if (!isIsnsOn) await setSystem(conf, runner, name);
  if (conf.ignoresErrors) runner.ignoresErrors = true;
  await bindForDiscovery(conf, runner, maker);
  if (!conf.isns.has(ISNS)) return;
  if (isIsnsOn) runner.note("# iSNS already enabled");
  else await setSystem(conf, runner, ISNS);
}

async function bindForDiscovery(
  { incomingDiscovery, outgoingDiscovery }: TargetsConf,
  runner: Runner,
  maker: TargetMaker,
): Promise<void> {
  for (const account of [incomingDiscovery, outgoingDiscovery]) {
    if (account === null) continue;
    const { user, password } = account;
    const start = ["--mode", "account"];
    await maker.newAccount(start, user, password);
    const words = [...start, "--op", "bind", `--user=${user}`];
    const isOutgoing = account === outgoingDiscovery;
    const direction = isOutgoing ? ["--outgoing"] : [];
    await runner.execute({
      shown: `${words.join(" ")} ${isOutgoing ? " --outgoing" : ""}`,
      words: [...words, ...direction],
    });
  }
}

/** The numbers that new targets get. */
export class TidGiver {
  readonly #state: DaemonState;
  #last: number;

  constructor(state: DaemonState) {
    this.#state = state;
    this.#last = state.highestTid;
  }

  /** For a target that comes after those before it: the configuration's number, or one more than the last. */
  next({ tid }: TargetWanted): number {
    this.#last = tid ?? this.#last + 1;
    return this.#last;
  }

  /** For a target that takes the place of one of its name, or else comes after all that are there. */
  replacing({ tid, name }: TargetWanted, isPretending: boolean): number {
    const own = this.#state.tids.get(name);
    const free = isPretending ? this.#last + 1 : this.#state.highestTid + 1;
    this.#last = tid ?? own ?? free;
    this.#state.tids.set(name, this.#last);
    return this.#last;
  }
}
