import type { TargetDevice } from "../scsi/target-device.ts";
import { AccessList } from "./auth/access-list.ts";
import { AuthenticationPolicy } from "./auth/authentication-policy.ts";
import { parseIscsiName } from "./login/iscsi-name.ts";
import { DEFAULT_OFFERS, offerProblems, type ParameterOffers } from "./parameters.ts";
import { type PingSettings, pingProblems } from "./ping-watch.ts";
import { SIMPLE_VALUE_BYTES_MAX } from "./login/limits.ts";

/** Where initiators are sent instead (RFC 7143 11.13.5, status class 1). */
export interface Redirect {
  /** Host name or address; an IPv6 address without brackets. */
  readonly address: string;
  readonly port: number;
  readonly permanent: boolean;
}

/** `offline` refuses logins with "service unavailable", upon which initiators come back later. */
export type TargetState = "ready" | "offline";

/** Sessions of one target where nothing else is said: an initiator on each of many hosts, two paths each. */
export const TARGET_SESSIONS_MAX_DEFAULT = 128;

/** What can be set on a target while it runs. Every change is for logins to come; sessions go on as they are. */
export interface IscsiTargetSettings {
  readonly alias: string | null;
  readonly access: AccessList;
  readonly authentication: AuthenticationPolicy;
  /** The portal groups through which the target is reached; empty for all. */
  readonly portalGroupTags: readonly number[];
  readonly redirect: Redirect | null;
  readonly state: TargetState;
  readonly offers: ParameterOffers;
  /** What is not there is as the server has it. */
  readonly pings: Partial<PingSettings>;
  readonly maxSessions: number;
}

export function defaultTargetSettings(): IscsiTargetSettings {
  return {
    alias: null,
    access: new AccessList(),
    authentication: new AuthenticationPolicy(),
    portalGroupTags: [],
    redirect: null,
    state: "ready",
    offers: DEFAULT_OFFERS,
    pings: {},
    maxSessions: TARGET_SESSIONS_MAX_DEFAULT,
  };
}

const CONTROL_CHARACTER = /\p{Cc}/u;

/** What is wrong with settings, a sentence each; empty when {@link IscsiTarget} takes them. */
export function targetProblems(settings: IscsiTargetSettings): readonly string[] {
  const problems = [...offerProblems(settings.offers), ...pingProblems(settings.pings)];
  const { alias, redirect } = settings;
  if (alias !== null) {
    if (Buffer.byteLength(alias) > SIMPLE_VALUE_BYTES_MAX || CONTROL_CHARACTER.test(alias)) {
      problems.push(
        `an alias has at most ${SIMPLE_VALUE_BYTES_MAX} bytes and no control characters`,
      );
    }
  }
  for (const tag of settings.portalGroupTags) {
    if (!Number.isInteger(tag) || tag < 0 || tag > 0xffff) {
      problems.push(`a portal group tag is a number from 0 to 65535, not ${tag}`);
    }
  }
  if (redirect !== null) {
    if (!Number.isInteger(redirect.port) || redirect.port < 1 || redirect.port > 0xffff) {
      problems.push(`a redirect needs a port from 1 to 65535, not ${redirect.port}`);
    }
    if (redirect.address === "" || redirect.address.length > SIMPLE_VALUE_BYTES_MAX) {
      problems.push("a redirect needs an address");
    } else if (CONTROL_CHARACTER.test(redirect.address)) {
      problems.push("the address of a redirect has a control character");
    }
  }
  if (!Number.isSafeInteger(settings.maxSessions) || settings.maxSessions < 1) {
    problems.push(`maxSessions must be a whole number from 1 on, not ${settings.maxSessions}`);
  }
  return problems;
}

/** A target as iSCSI sees it: the SCSI device behind a name, and who gets in on which terms. */
export class IscsiTarget {
  /** In normal form. */
  readonly name: string;
  readonly device: TargetDevice;
  #settings: IscsiTargetSettings;

  /** Throws a TypeError on a name or settings that the checks object to: the edge has run them. */
  constructor(
    name: string,
    device: TargetDevice,
    settings: IscsiTargetSettings = defaultTargetSettings(),
  ) {
    const parsed = parseIscsiName(name);
    if (!parsed.ok) throw new TypeError(parsed.message);
    this.name = parsed.name;
    this.device = device;
    this.#settings = defaultTargetSettings();
    this.configure(settings);
  }

  get settings(): IscsiTargetSettings {
    return this.#settings;
  }

  get alias(): string | null {
    return this.#settings.alias;
  }

  get access(): AccessList {
    return this.#settings.access;
  }

  get authentication(): AuthenticationPolicy {
    return this.#settings.authentication;
  }

  get redirect(): Redirect | null {
    return this.#settings.redirect;
  }

  get state(): TargetState {
    return this.#settings.state;
  }

  get offers(): ParameterOffers {
    return this.#settings.offers;
  }

  get pings(): Partial<PingSettings> {
    return this.#settings.pings;
  }

  get maxSessions(): number {
    return this.#settings.maxSessions;
  }

  /** Changes some settings, for the logins to come; all of them or, with a TypeError, none. */
  configure(changes: Partial<IscsiTargetSettings>): void {
    const settings = { ...this.#settings, ...changes };
    const problem = targetProblems(settings)[0];
    if (problem !== undefined) throw new TypeError(problem);
    this.#settings = settings;
  }

  /** Whether the target is reached through the portals of this group. */
  isInPortalGroup(portalGroupTag: number): boolean {
    const tags = this.#settings.portalGroupTags;
    return tags.length === 0 || tags.includes(portalGroupTag);
  }
}
