import type { Clock } from "../util/clock.ts";
import type { Log } from "../util/log.ts";
import type { AccountConfig, Config, PortalConfig } from "./config/config.ts";
import { fileSettled } from "./config/settled-file.ts";
import type { Exports } from "./exports.ts";
import { eachInOrder } from "./in-order.ts";
import { changedAccounts, targetsWith, withOtherSecrets } from "./plane/account-copies.ts";
import type { ControlPlane, Edit } from "./plane/control-plane.ts";
import type { PoolStore } from "./pool-store.ts";
import type { PortalStore } from "./portal-store.ts";
import { reload } from "./reload.ts";
import { statusText } from "./running.ts";
import type { ServiceManager } from "./service-manager.ts";
import type { VolumeStore } from "./volume-store.ts";

/** What a configuration that is read again has its effect on. */
export interface ReloaderParts {
  readonly log: Log;
  readonly clock: Clock;
  /** Null: there is no file. */
  readonly configFile: string | null;
  /** Reads the configuration anew; throws what is wrong with it. */
  readonly load: () => Config;
  readonly plane: ControlPlane;
  readonly pools: Pick<PoolStore, "refresh" | "find" | "open">;
  readonly volumes: VolumeStore;
  readonly portals: Pick<PortalStore, "portals" | "tryOpen">;
  readonly exports: Exports;
  readonly service: Pick<ServiceManager, "reloading" | "ready">;
  readonly configureHttp: (http: Config["http"]) => Promise<unknown>;
}

/**
 * Works off SIGHUP, one after the other: two that change the size of a volume at a time could shrink it. One that comes while the daemon
 * starts is worked off then; one that comes while it stops does nothing, and above all it does not end the process.
 */
export class Reloader {
  #parts: ReloaderParts | null = null;
  /** It came before there was anything that could be changed. */
  #isWaiting = false;
  #last: Promise<void> = Promise.resolve();

  readonly onHangUp = (): void => {
    if (this.#parts === null) this.#isWaiting = true;
    else this.#last = this.#last.then(() => this.#run());
  };

  /** Everything is there that can be changed. */
  start(parts: ReloaderParts): void {
    this.#parts = parts;
    if (this.#isWaiting) this.onHangUp();
  }

  /** Nothing is read any more. Resolves when what runs has ended; never rejects. */
  async stop(): Promise<void> {
    this.#parts = null;
    await this.#last;
  }

  /** Whatever is wrong with a reading of the configuration, sessions go on. */
  async #run(): Promise<void> {
    const parts = this.#parts;
    if (parts === null) return;
    const { log, plane, portals, service } = parts;
    service.reloading();
    try {
      const { accounts: before } = plane.view.config;
      await plane.exclusively(() => readAgain(parts));
      await changeCopies(parts, before);
      await configureHttp(parts);
    } catch (error) {
      log.error({ error }, "the configuration could not be read again");
    }
    service.ready(statusText(plane.view.all.targets, portals.portals));
  }
}

async function readAgain(parts: ReloaderParts): Promise<void> {
  const { log, clock, configFile, plane, pools, volumes, exports } = parts;
  let read: Config | null = null;
  const load = (): Config => {
    read = parts.load();
    plane.refuseNumbers(read);
    return read;
  };
  if (configFile !== null) await fileSettled(configFile, clock);
  const { config: running, inventory: made, all } = plane.view;
  await pools.refresh();
  await tryAgain(parts, all.pools, made.portals);
  // Their numbers as they have been given are taken, too.
  const inventory = { ...made, targets: all.targets.slice(running.targets.length) };
  const asked = { log, clock, load, running, inventory, volumes, exports };
  plane.adopt(await reload(asked), read);
}

/** Pools, and portals of commands, that could not be opened before may be there by now. */
async function tryAgain(
  { clock, pools, portals }: ReloaderParts,
  wantedPools: Config["pools"],
  wantedPortals: readonly PortalConfig[],
): Promise<void> {
  const missing = [...wantedPools].filter(([name]) => pools.find(name) === undefined);
  await eachInOrder(clock, missing, ([name, pool]) =>
    pools.open(name, { ...pool, optional: true }),
  );
  await eachInOrder(clock, wantedPortals, (portal) => portals.tryOpen(portal));
}

/** Targets of commands have the secrets of accounts by now, too: who has taken one back has taken it back everywhere. */
async function changeCopies(
  { log, plane }: ReloaderParts,
  before: readonly AccountConfig[],
): Promise<void> {
  const { accounts: after } = plane.view.config;
  const changes = changedAccounts(before, after);
  if (changes.length > 0) {
    const edit: Edit = ({ inventory }) => withOtherSecrets(inventory, changes);
    await plane.change({ name: "SIGHUP" }, "configuration", edit);
  }
  for (const account of before) {
    const targets = targetsWith(plane.view.inventory, account);
    if (targets.length === 0 || after.some(({ user }) => user === account.user)) continue;
    const message = "targets of commands still let in an account that the configuration had";
    log.warn({ user: account.user, targets }, message);
  }
}

async function configureHttp({ log, plane, configureHttp: configure }: ReloaderParts) {
  try {
    await configure(plane.view.config.http);
  } catch (error) {
    log.error({ error }, "HTTP is not served as the configuration says");
  }
}
