import type { Log, LogFields } from "../../util/log.ts";
import type { Config } from "../config/config.ts";
import { type Inventory, merged } from "../config/inventory.ts";
import type { Difference } from "../plane/differences.ts";
import type { ControlPlane, Edit, PlaneView } from "../plane/control-plane.ts";
import { OperationError } from "../protocol.ts";
import { errorMessage } from "../tgt/errors.ts";
import { execute } from "../tgt/execute/execute.ts";
import type { TgtDaemon } from "../tgt/execute/tgt-daemon.ts";
import { TgtSystem } from "../tgt/execute/tgt-system.ts";
import type { NamedRequest } from "./tgt-requests.ts";

/** A log of which only the last reason counts. */
class ReasonLog implements Log {
  reason = "";
  readonly trace = (): void => undefined;
  readonly debug = (): void => undefined;
  readonly warn = (): void => undefined;
  readonly fatal = (): void => undefined;

  readonly info = ({ reason }: LogFields): void => {
    if (typeof reason === "string") this.reason = reason;
  };

  readonly error = ({ error }: LogFields): void => {
    this.reason = error instanceof Error ? error.message : String(error);
  };

  isLevelEnabled(): boolean {
    return false;
  }

  child(): Log {
    return this;
  }
}

/**
 * An inventory on which tgt's commands are tried, one after the other, before anything of the daemon changes. Nobody is logged in
 * here, and nothing is opened.
 */
export class TgtScratch {
  readonly #config: Config;
  /** Of all targets that were there, their numbers. */
  readonly #tids: ReadonlyMap<string, number | null>;
  readonly #log = new ReasonLog();
  readonly #daemon: TgtDaemon;
  inventory: Inventory;

  constructor(view: PlaneView) {
    this.#config = view.config;
    this.#tids = new Map(view.all.targets.map(({ name, tid }) => [name, tid]));
    this.inventory = view.inventory;
    const plane = {
      scratch: this as TgtScratch,
      get view(): PlaneView {
        return this.scratch.view;
      },
      change: (_actor: unknown, _operation: string, edit: Edit): Promise<readonly Difference[]> =>
        Promise.resolve(edit(this.view)).then((inventory) => {
          this.inventory = inventory;
          return [];
        }),
      exclusively: <T>(action: () => Promise<T>): Promise<T> => action(),
    };
    this.#daemon = {
      log: this.#log,
      plane: plane as unknown as ControlPlane,
      server: {
        targets: new Map(),
        sessions: [],
        connections: [],
      } as unknown as TgtDaemon["server"],
      volumes: { volumes: new Map(), refresh: () => Promise.resolve() },
      portals: {} as TgtDaemon["portals"],
      system: new TgtSystem(),
      stop: () => undefined,
    };
  }

  get view(): PlaneView {
    const all = merged(this.#config, this.inventory);
    const targets = all.targets.map((target) => {
      return { ...target, tid: target.tid ?? this.#tids.get(target.name) ?? null };
    });
    return { config: this.#config, inventory: this.inventory, all: { ...all, targets } };
  }

  /** Carries out a request. Errors: invalid: with tgt's words for it, and the reason. */
  async run({ what, request }: NamedRequest): Promise<void> {
    this.#log.reason = "";
    const { error } = await execute(this.#daemon, request);
    if (error === 0) return;
    const reason = this.#log.reason === "" ? "" : ` (${this.#log.reason})`;
    throw new OperationError("invalid", `${what}: ${errorMessage(error)}${reason}`);
  }
}
