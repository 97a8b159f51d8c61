import { normalizeIscsiName } from "../../iscsi/login/iscsi-name.ts";
import type { Clock, Timer } from "../../util/clock.ts";
import type { Log } from "../../util/log.ts";
import { endsWithin } from "../within.ts";
import { IsnsConnection } from "./connection.ts";
import { EventServer } from "./event-server.ts";
import { FAREWELL_MS_MAX, NOTICE_MS_MIN, RETRY_MS_MAX, RETRY_MS_MIN } from "./limits.ts";
import type { IsnsNetwork } from "./network.ts";
import type { Registration } from "./registration.ts";
import { IsnsServerSession } from "./server-session.ts";

/** As tgt's `sys update` has them: iSNS, iSNSServerIP, iSNSServerPort, iSNSAccessControl. */
export interface IsnsSettings {
  readonly enabled: boolean;
  /** Empty: none is known, and nothing is done. */
  readonly serverAddress: string;
  readonly serverPort: number;
  /** Only initiators that the server has in a common discovery domain with a target may log in to it. */
  readonly accessControl: boolean;
}

export interface IsnsClientOptions {
  readonly network: IsnsNetwork;
  readonly clock: Clock;
  readonly log: Log;
  /** Who this host is to the server. */
  readonly entity: string;
}

const NOBODY: ReadonlySet<string> = new Set();

/** Keeps an iSNS server (RFC 4171) informed of what is here, and asks it who may log in. */
export class IsnsClient {
  readonly #options: IsnsClientOptions;
  #settings: IsnsSettings | null = null;
  #registration: Registration = { targets: [], portals: [] };
  #session: IsnsServerSession | null = null;
  #events: EventServer | null = null;
  #timer: Timer | null = null;
  #retryMs = RETRY_MS_MIN;
  #isWorking = false;
  #again = false;
  /** The server has told something that was not asked for yet. */
  #isNoticed = false;
  /** A step has failed, and is tried again by the timer. */
  #isBackingOff = false;
  #noticeAtMs = 0;
  #noticeTimer: Timer | null = null;
  #isClosed = false;
  #work: Promise<void> = Promise.resolve();

  constructor(options: IsnsClientOptions) {
    this.#options = options;
  }

  /** Takes up settings; what they change happens by and by. */
  configure(settings: IsnsSettings): void {
    this.#settings = settings;
    this.#wake();
  }

  /** What is here now. */
  register(registration: Registration): void {
    this.#registration = registration;
    this.#wake();
  }

  /**
   * Whether an initiator may log in as far as the server has a say in it. Without access control everybody may; with it, nobody whom the
   * server has not named. While it cannot be reached, what it said last holds.
   */
  allows(target: string, initiator: string): boolean {
    const settings = this.#settings;
    if (settings === null || !isOn(settings) || !settings.accessControl) return true;
    const known = this.#session?.initiatorsOf(target) ?? NOBODY;
    return known.has(normalizeIscsiName(initiator));
  }

  /** The server forgets what was here, if it does so soon. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#noticeTimer?.cancel();
    const { clock } = this.#options;
    const session = this.#session;
    const left = this.#work.then(() => this.#leave());
    await endsWithin(clock, FAREWELL_MS_MAX, left).catch(() => undefined);
    session?.drop();
    this.#events?.close();
  }

  #wake(): void {
    if (this.#isClosed) return;
    this.#again = true;
    this.#work = this.#isWorking ? this.#work : this.#run();
  }

  /** Anybody may tell: it is acted upon once in a while, and what has failed is not tried before its time for it. */
  #notice(): void {
    if (this.#isClosed || this.#isBackingOff || this.#noticeTimer !== null) return;
    const { clock } = this.#options;
    const nowMs = clock.nowMs();
    if (nowMs < this.#noticeAtMs) {
      this.#noticeTimer = clock.after(this.#noticeAtMs - nowMs, () => {
        this.#noticeTimer = null;
        this.#notice();
      });
      return;
    }
    this.#noticeAtMs = nowMs + NOTICE_MS_MIN;
    this.#isNoticed = true;
    this.#work = this.#isWorking ? this.#work : this.#run();
  }

  /** Until nothing has changed meanwhile. */
  async #run(): Promise<void> {
    this.#isWorking = true;
    while ((this.#again || this.#isNoticed) && !this.#isClosed) {
      this.#again = false;
      this.#isNoticed = false;
      this.#isBackingOff = false;
      this.#timer?.cancel();
      this.#timer = null;
      let nextMs: number | null;
      try {
        nextMs = await this.#step();
        this.#retryMs = RETRY_MS_MIN;
      } catch (error) {
        nextMs = this.#retryMs;
        this.#retryMs = Math.min(2 * this.#retryMs, RETRY_MS_MAX);
        const { serverAddress, serverPort } = this.#settings ?? {};
        const fields = { error, serverAddress, serverPort, nextTryMs: nextMs };
        this.#options.log.warn(fields, "iSNS: the server does not know what is here");
        this.#session?.drop();
        // The next try asks for everything.
        this.#isNoticed = false;
        this.#isBackingOff = true;
      }
      if (nextMs === null || this.#isClosed) continue;
      this.#timer = this.#options.clock.after(nextMs, () => this.#wake());
    }
    // At once, and not when somebody hears of it: what changes in between would wake nobody.
    this.#isWorking = false;
  }

  /** Brings the server up to date. Returns when that has to be done again, in milliseconds; null: not before something changes. */
  async #step(): Promise<number | null> {
    const settings = this.#settings;
    if (
      this.#session !== null &&
      (settings === null || !isOn(settings) || !this.#session.isWith(settings))
    ) {
      await this.#leave().catch(() => undefined);
    }
    if (settings === null || !isOn(settings)) {
      this.#events?.close();
      this.#events = null;
      return null;
    }
    const { network, clock, log, entity } = this.#options;
    const onChange = (target: string): void => {
      log.debug({ target }, "iSNS: something has changed");
      this.#notice();
    };
    this.#events ??= await EventServer.open({ network, clock, log, onChange });
    const eventPort = this.#events.port;
    const connect = async (): Promise<IsnsConnection> => {
      const stream = await network.connect(settings.serverAddress, settings.serverPort);
      if (this.#isClosed) stream.destroy();
      return new IsnsConnection({ stream, clock, onChange });
    };
    this.#session ??= new IsnsServerSession({ settings, entity, eventPort, connect, clock, log });
    return this.#session.bringUpToDate(this.#registration, settings.accessControl);
  }

  async #leave(): Promise<void> {
    const session = this.#session;
    this.#session = null;
    await session?.leave();
  }
}

function isOn({ enabled, serverAddress }: IsnsSettings): boolean {
  return enabled && serverAddress !== "";
}
