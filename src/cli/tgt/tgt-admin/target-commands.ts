import type { AccountWanted } from "../targets-conf-account.ts";
import { assignLuns } from "../targets-conf-luns.ts";
import type { StoreWanted } from "../targets-conf-store.ts";
import type { TargetWanted } from "../targets-conf-target.ts";
import { judgeStore } from "./device-check.ts";
import { likeTheDevice, requireSgInq } from "./direct-store.ts";
import { plain, type Runner } from "./runner.ts";
import { newUnit, unitSteps } from "./store-commands.ts";
import type { AdminWorld } from "./world.ts";

/** Makes targets, one command after the other. */
export class TargetMaker {
  readonly #world: AdminWorld;
  readonly #runner: Runner;
  /** Users that the daemon has. An account that is there is not made again, whatever its password. */
  readonly #accounts: Set<string>;
  readonly #isForced: boolean;

  constructor(world: AdminWorld, runner: Runner, accounts: ReadonlySet<string>, isForced: boolean) {
    this.#world = world;
    this.#runner = runner;
    this.#accounts = new Set(accounts);
    this.#isForced = isForced;
  }

  async make(target: TargetWanted, tid: string): Promise<void> {
    const { driver, name } = target;
    const runner = this.#runner;
    const run = (...words: readonly string[]): Promise<void> =>
      runner.execute(plain("--lld", driver, ...words));
    runner.note(`# Adding target: ${name}`);
    await run("--op", "new", "--mode", "target", "--tid", tid, "-T", name);
    const parameters = [...target.parameters];
    const update = (parameter: string, value: string): Promise<void> => {
      const words = ["--mode", "target", "--op", "update", "--tid", tid];
      return run(...words, "--name", parameter, "--value", value);
    };
    for (const [key, value] of parameters) if (key !== "state") await update(key, value);
    await this.#makeUnits(target, tid);
    for (const account of target.incoming) await this.bindAccount(account, { driver, tid });
    const bind = ["--op", "bind", "--mode", "target", "--tid", tid];
    for (const address of target.addresses) await run(...bind, "-I", address);
    for (const initiator of target.initiatorNames) await run(...bind, "-Q", initiator);
    if (target.outgoing !== null) {
      await this.bindAccount(target.outgoing, { driver, tid }, "--outgoing");
    }
    const state = target.parameters.get("state");
    if (state !== undefined) await update("state", state);
    if (target.allowsAllAddresses) await run(...bind, "-I", "ALL");
  }

  /** Makes an account where there is none of its name, and binds it to a target. */
  async bindAccount(
    { user, password }: AccountWanted,
    { driver, tid }: { readonly driver: string; readonly tid: string },
    ...direction: readonly string[]
  ): Promise<void> {
    const start = ["--lld", driver, "--mode", "account"];
    await this.newAccount(start, user, password);
    await this.#runner.execute(
      plain(...start, "--op", "bind", `--tid=${tid}`, `--user=${user}`, ...direction),
    );
  }

  /** @param start what stands before `--op new` */
  async newAccount(start: readonly string[], user: string, password: string): Promise<void> {
    if (this.#accounts.has(user)) return;
    const words = [...start, "--op", "new", `--user=${user}`, `--password=${password}`];
    await this.#runner.execute(plain(...words));
    this.#accounts.add(user);
  }

  async #makeUnits(target: TargetWanted, tid: string): Promise<void> {
    const { driver, stores } = target;
    const flags = { isForced: this.#isForced, isOwn: false };
    const verdicts = new Map<StoreWanted, Awaited<ReturnType<typeof judgeStore>>>();
    for (const store of stores) verdicts.set(store, await judgeStore(store, this.#world, flags));
    const numbered = assignLuns(target, (store) => verdicts.get(store)?.isUsable !== true);
    const lunOf = new Map(numbered.map(({ store, lun }) => [store, lun]));
    if (stores.some(({ isDirect }) => isDirect)) await requireSgInq(this.#world);
    for (const store of stores) {
      for (const note of verdicts.get(store)?.notes ?? []) this.#runner.note(note);
      const lun = lunOf.get(store);
      if (lun === undefined) continue;
      const place = { driver, tid, lun };
      const wanted = store.isDirect ? await likeTheDevice(store, this.#world) : store;
      await this.#runner.execute(newUnit(place, wanted));
      for (const step of unitSteps(place, wanted)) {
        if (step.kind === "note") this.#runner.note(step.line);
        else await this.#runner.execute(step.command);
      }
    }
  }
}
