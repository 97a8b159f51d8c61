import type { ShownIsns } from "../show/shown.ts";
import type { TgtSetting } from "../tgt-command-update.ts";
import { TgtRefused } from "./tgt-refused.ts";

/** What `--mode sys --op update` sets. It is as long as the daemon runs: tgt-admin says it anew after each start. */
export interface SystemSettings {
  readonly state: "ready" | "offline";
  readonly debug: boolean;
  readonly isns: ShownIsns;
}

const DEFAULTS: SystemSettings = {
  state: "ready",
  debug: false,
  isns: { enabled: false, serverAddress: "", serverPort: 3205, accessControl: false },
};

/** State of tgt's daemon as a whole, and whoever wants to know of it: the name service's client, the server that takes logins. */
export class TgtSystem {
  readonly #hosts = new Set<number>();
  readonly #listeners = new Set<(settings: SystemSettings) => void>();
  #settings: SystemSettings;
  #driver: "ready" | "stopped" = "ready";

  /** @param debug whether the daemon was started with it */
  constructor(debug: boolean = false) {
    this.#settings = { ...DEFAULTS, debug };
  }

  get settings(): SystemSettings {
    return this.#settings;
  }

  /** Of iscsi, the one driver that there is. */
  get driver(): "ready" | "stopped" {
    return this.#driver;
  }

  /** Whether initiators may connect. */
  get isReady(): boolean {
    return this.#settings.state === "ready" && this.#driver === "ready";
  }

  /** Called after each change. Returns how to end that. */
  subscribe(listener: (settings: SystemSettings) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /**
   * Of a host of this machine, for drivers of parallel busses: iSCSI has nothing to do with it. It is bound to one target, tgtd does not
   * mind from which it is unbound. Refused: binding-exists.
   */
  bindHost(host: number): void {
    if (this.#hosts.has(host)) throw new TgtRefused("binding-exists");
    this.#hosts.add(host);
  }

  /** Refused: no-binding. */
  unbindHost(host: number): void {
    if (!this.#hosts.delete(host)) throw new TgtRefused("no-binding");
  }

  /** Settings that were checked, in order. */
  update(settings: readonly TgtSetting[]): void {
    for (const setting of settings) this.#settings = withSetting(this.#settings, setting);
    this.#tell();
  }

  setDriver(state: "ready" | "stopped"): void {
    this.#driver = state;
    this.#tell();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener(this.#settings);
  }
}

function withSetting(settings: SystemSettings, { key, value }: TgtSetting): SystemSettings {
  const withIsns = (change: Partial<ShownIsns>): SystemSettings => {
    return { ...settings, isns: { ...settings.isns, ...change } };
  };
  switch (key) {
    case "State":
      return { ...settings, state: value === "offline" ? "offline" : "ready" };
    case "debug":
      return { ...settings, debug: value === "on" };
    case "iSNS":
      return withIsns({ enabled: value === "On" });
    case "iSNSServerIP":
      return withIsns({ serverAddress: value });
    case "iSNSServerPort":
      return withIsns({ serverPort: Number(value) });
    case "iSNSAccessControl":
      return withIsns({ accessControl: value === "On" });
    default:
      return settings;
  }
}
