import { runChild } from "../../native-free/child-process.ts";
import { type Clock, systemClock, type Timer } from "../util/clock.ts";
import type { Log } from "../util/log.ts";

/** `missing`: there is no way to tell it on this host. `failed`: this time. */
export type NoticeOutcome = "told" | "failed" | "missing";

export interface ServiceManagerOptions {
  /** NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID are of interest. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly pid: number;
  readonly clock: Clock;
  readonly log: Log;
  /** CLOCK_MONOTONIC in microseconds, by which systemd tells a reload from the one before. */
  readonly monotonicUs: () => bigint;
  /** Sends the fields of one message (sd_notify(3)). */
  readonly notify: (socketPath: string, fields: readonly string[]) => Promise<NoticeOutcome>;
}

/** Of three pings two may be late: starting a child takes its time on a busy host. */
const PINGS_PER_WATCHDOG = 3;

const US_PER_MS = 1000;

/**
 * Tells systemd how the daemon is (sd_notify(3)): ready, reloading, stopping, and that its event loop turns. Does nothing where
 * NOTIFY_SOCKET is not set. Messages go out one after the other; nobody waits for them, and none that is lost ends the daemon.
 */
export class ServiceManager {
  readonly #options: ServiceManagerOptions;
  #socketPath: string | null;
  readonly #pingMs: number | null;
  #timer: Timer | null = null;
  #last: Promise<void> = Promise.resolve();
  #pingWaits = false;
  #warned = false;
  #stops = false;
  /** What was last told, or is about to be; null before the first time. */
  #status: string | null = null;
  #statusWaits = false;

  constructor(options: ServiceManagerOptions) {
    const { NOTIFY_SOCKET: socketPath = "" } = options.environment;
    this.#options = options;
    this.#socketPath = socketPath === "" ? null : socketPath;
    this.#pingMs = pingIntervalMs(options);
  }

  /** Logins are accepted, or a reload is over. Pings begin. */
  ready(status: string): void {
    // A reload may end after the daemon was told to stop.
    if (this.#stops) return;
    this.#status = status;
    this.#send(["READY=1", statusField(status)]);
    if (this.#timer === null) this.#pingLater();
  }

  /** What there is has changed since. Of many that come while nothing can be told, the last one is told. */
  status(status: string): void {
    if (this.#status === null || this.#stops || status === this.#status) return;
    this.#status = status;
    if (this.#statusWaits) return;
    this.#statusWaits = true;
    this.#last = this.#last.then(() => {
      this.#statusWaits = false;
      return this.#stops ? undefined : this.#tell([statusField(this.#status ?? "")]);
    });
  }

  /** Whoever asked for a reload waits for the `ready` that follows. */
  reloading(): void {
    const now = `MONOTONIC_USEC=${this.#options.monotonicUs()}`;
    this.#send(["RELOADING=1", now, statusField("reading the configuration again")]);
  }

  /** Pings go on: a shutdown that hangs is noticed, too. */
  stopping(): void {
    this.#stops = true;
    this.#send(["STOPPING=1", statusField("logging initiators out, flushing volumes")]);
  }

  /** No more pings. Resolves when what was said has been told. */
  close(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = null;
    return this.#last;
  }

  /** From a timer of the event loop that serves the disks: when that is stuck, nothing pings. */
  #pingLater(): void {
    if (this.#pingMs === null || this.#socketPath === null) return;
    this.#timer = this.#options.clock.after(this.#pingMs, () => {
      this.#pingLater();
      if (this.#pingWaits) return;
      this.#pingWaits = true;
      this.#send(["WATCHDOG=1"], () => (this.#pingWaits = false));
    });
  }

  #send(fields: readonly string[], onDone: () => void = () => undefined): void {
    this.#last = this.#last.then(() => this.#tell(fields)).then(onDone);
  }

  async #tell(fields: readonly string[]): Promise<void> {
    if (this.#socketPath === null) return;
    const outcome = await this.#options.notify(this.#socketPath, fields);
    if (outcome === "told") return;
    if (outcome === "missing") this.#socketPath = null;
    if (this.#warned) return;
    this.#warned = true;
    const why = outcome === "missing" ? "there is no systemd-notify" : "systemd-notify failed";
    this.#options.log.warn({ fields }, `the service manager cannot be told how this is: ${why}`);
  }
}

/** That of this process. */
export function systemServiceManager(log: Log): ServiceManager {
  return new ServiceManager({
    environment: process.env,
    pid: process.pid,
    clock: systemClock,
    log,
    monotonicUs: () => process.hrtime.bigint() / 1000n,
    notify: notifyBySystemdNotify,
  });
}

/** Null: nobody waits for pings, or for those of another process. */
function pingIntervalMs({ environment, pid }: ServiceManagerOptions): number | null {
  const { WATCHDOG_USEC: limit = "", WATCHDOG_PID: watched = String(pid) } = environment;
  if (!/^[1-9]\d{0,14}$/.test(limit) || watched !== String(pid)) return null;
  return Math.max(1, Math.floor(Number(limit) / US_PER_MS / PINGS_PER_WATCHDOG));
}

/** A line feed would begin another field. */
function statusField(text: string): string {
  return `STATUS=${text.replace(/[\n\0]/g, " ")}`;
}

/**
 * Sends a message by systemd-notify(1): Node.js has no unix sockets for datagrams. It waits until systemd has read the message,
 * which could not tell whose it is once the child is gone.
 */
export async function notifyBySystemdNotify(
  socketPath: string,
  fields: readonly string[],
): Promise<NoticeOutcome> {
  const variables = { NOTIFY_SOCKET: socketPath };
  const { outcome, exitCode } = await runChild("systemd-notify", fields, { variables });
  if (outcome === "missing") return "missing";
  return outcome === "exited" && exitCode === 0 ? "told" : "failed";
}
