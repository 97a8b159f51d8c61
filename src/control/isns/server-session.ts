import { isDeepStrictEqual } from "node:util";
import { normalizeIscsiName } from "../../iscsi/login/iscsi-name.ts";
import type { Clock } from "../../util/clock.ts";
import type { Log } from "../../util/log.ts";
import { type Attribute, numberOf, textOf } from "./attribute.ts";
import type { IsnsConnection } from "./connection.ts";
import { IsnsFlag, IsnsFunction, IsnsStatus, IsnsTag } from "./constants.ts";
import {
  REFRESHES_PER_PERIOD,
  REGISTRATION_SECONDS,
  REGISTRATION_SECONDS_MAX,
  REGISTRATION_SECONDS_MIN,
} from "./limits.ts";
import type { IsnsAnswer } from "./message.ts";
import {
  deregisterEntityRequest,
  deregisterTargetsRequest,
  initiatorsRequest,
  noticesRequest,
  registerRequest,
  type Registration,
} from "./registration.ts";

interface ServerAddress {
  readonly serverAddress: string;
  readonly serverPort: number;
}

export interface ServerSessionOptions {
  readonly settings: ServerAddress;
  readonly entity: string;
  readonly eventPort: number;
  readonly connect: () => Promise<IsnsConnection>;
  readonly clock: Clock;
  readonly log: Log;
}

const MS_PER_SECOND = 1000;

/** What one server knows of this host, over however many connections. */
export class IsnsServerSession {
  readonly #options: ServerSessionOptions;
  readonly #initiators = new Map<string, ReadonlySet<string>>();
  #connection: IsnsConnection | null = null;
  /** What the server was told; null: nothing by this process. */
  #told: Registration | null = null;
  #registerAtMs = 0;
  #inquiries = true;

  constructor(options: ServerSessionOptions) {
    this.#options = options;
  }

  get #where(): ServerAddress {
    const { serverAddress, serverPort } = this.#options.settings;
    return { serverAddress, serverPort };
  }

  isWith({ serverAddress, serverPort }: ServerAddress): boolean {
    const { settings } = this.#options;
    return settings.serverAddress === serverAddress && settings.serverPort === serverPort;
  }

  /** Those that the server has named for a target, in normal form. */
  initiatorsOf(target: string): ReadonlySet<string> | undefined {
    return this.#initiators.get(target);
  }

  /** Tells it what is new, and asks who may log in. Returns after how many milliseconds to come again; null: there is nothing to keep alive. */
  async bringUpToDate(wanted: Registration, askForInitiators: boolean): Promise<number | null> {
    const isEmpty = wanted.targets.length === 0 || wanted.portals.length === 0;
    if (isEmpty) {
      await this.leave();
      return null;
    }
    const { clock } = this.#options;
    await this.#removeTargets(wanted);
    // What only asks who may log in must not register: servers tell of that, which is a reason to ask again.
    if (clock.nowMs() >= this.#registerAtMs || !isDeepStrictEqual(this.#told, wanted)) {
      this.#registerAtMs = 0;
      const seconds = await this.#register(wanted);
      await this.#askForNotices(wanted);
      this.#registerAtMs = clock.nowMs() + (seconds * MS_PER_SECOND) / REFRESHES_PER_PERIOD;
    }
    this.#initiators.forEach((_, name) => {
      if (!wanted.targets.some((target) => target.name === name)) this.#initiators.delete(name);
    });
    for (const { name } of askForInitiators ? wanted.targets : []) {
      this.#initiators.set(name, await this.#initiatorsFor(name));
    }
    return Math.max(0, this.#registerAtMs - clock.nowMs());
  }

  /** The server forgets this host, and the connection ends. */
  async leave(): Promise<void> {
    const source = this.#told?.targets[0]?.name;
    this.#told = null;
    this.#initiators.clear();
    try {
      if (source === undefined) return;
      const answer = await this.#ask(
        IsnsFunction.deregister,
        deregisterEntityRequest(source, this.#options.entity),
      );
      this.#check("what was registered was not forgotten", answer, [IsnsStatus.noSuchEntry]);
      this.#options.log.info({ ...this.#where }, "iSNS: no longer registered");
    } finally {
      this.drop();
    }
  }

  /** Ends the connection without a word. What the server said still holds. */
  drop(): void {
    this.#connection?.close();
    this.#connection = null;
  }

  async #ask(functionId: number, attributes: readonly Attribute[], flags = 0): Promise<IsnsAnswer> {
    if (this.#connection?.isOpen !== true) this.#connection = await this.#options.connect();
    return this.#connection.request(functionId, attributes, flags);
  }

  #check(what: string, { status }: IsnsAnswer, accepted: readonly number[] = []): void {
    if (status === IsnsStatus.successful || accepted.includes(status)) return;
    throw new Error(`${what}: the iSNS server answers with status ${status}`);
  }

  async #removeTargets(wanted: Registration): Promise<void> {
    const told = this.#told;
    const names = (told?.targets ?? [])
      .map(({ name }) => name)
      .filter((name) => !wanted.targets.some((target) => target.name === name));
    const [source] = names;
    if (told === null || source === undefined) return;
    const answer = await this.#ask(
      IsnsFunction.deregister,
      deregisterTargetsRequest(source, names),
    );
    const targets = told.targets.filter(({ name }) => !names.includes(name));
    // A server that knows nothing of them any more is told everything from the start.
    this.#told = answer.status === IsnsStatus.successful ? { ...told, targets } : null;
  }

  /** Registers everything, which is also what keeps it registered. Returns for how many seconds. */
  async #register(wanted: Registration): Promise<number> {
    const source = wanted.targets[0]?.name ?? "";
    // Leaves out what an earlier run of the daemon, or portals that are gone, have left with the server. Not otherwise: initiators
    // would be told that targets have gone and come.
    const isSame = isDeepStrictEqual(this.#told?.portals, wanted.portals);
    const flags = isSame ? 0 : IsnsFlag.replace;
    const { entity, eventPort } = this.#options;
    const register = (): Promise<IsnsAnswer> =>
      this.#ask(
        IsnsFunction.register,
        registerRequest(source, { entity, eventPort, inquiries: this.#inquiries }, wanted),
        flags,
      );
    let answer = await register();
    if (answer.status === IsnsStatus.inquiriesUnavailable) {
      this.#inquiries = false;
      answer = await register();
    }
    if (answer.status !== IsnsStatus.successful) this.#told = null;
    this.#check("nothing was registered", answer);
    if (!isDeepStrictEqual(this.#told, wanted)) this.#logRegistration(wanted);
    this.#told = wanted;
    const period = answer.attributes.find(
      ({ tag, value }) => tag === IsnsTag.registrationPeriod && value.length > 0,
    );
    const seconds = period === undefined ? REGISTRATION_SECONDS : numberOf(period);
    return Math.min(Math.max(seconds, REGISTRATION_SECONDS_MIN), REGISTRATION_SECONDS_MAX);
  }

  #logRegistration({ targets, portals }: Registration): void {
    const { log } = this.#options;
    const fields = { ...this.#where, targets: targets.length, portals: portals.length };
    log.info(fields, "iSNS: registered");
  }

  /** With each registration: a server that has lost that has lost this, too. */
  async #askForNotices({ targets }: Registration): Promise<void> {
    for (const { name } of targets) {
      const answer = await this.#ask(IsnsFunction.registerNotices, noticesRequest(name));
      const { status } = answer;
      if (status !== IsnsStatus.successful) {
        this.#options.log.warn({ target: name, status }, "iSNS: changes will not be told");
      }
    }
  }

  async #initiatorsFor(target: string): Promise<ReadonlySet<string>> {
    const answer = await this.#ask(IsnsFunction.query, initiatorsRequest(target));
    this.#check(`initiators of ${target} are not known`, answer, [IsnsStatus.noSuchEntry]);
    // The request is repeated before the delimiter: the type there is no node's.
    const end = answer.attributes.findIndex(({ tag }) => tag === IsnsTag.delimiter);
    const names = answer.attributes
      .slice(end + 1)
      .filter(({ tag, value }) => tag === IsnsTag.node && value.length > 0);
    return new Set(names.map((name) => normalizeIscsiName(textOf(name))));
  }
}
