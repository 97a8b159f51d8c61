import type { LoginAdmission, LoginCandidate, LoginResult } from "./login/login-types.ts";
import { LoginStatus } from "./login/login-status.ts";
import { Session, type SessionConnection } from "./session.ts";

const TSIH_MAX = 0xffff;

/** Which sessions may not be at the same time: RFC 7143 6.3.5, one for each pair of initiator and target port. */
function keyOf(candidate: LoginCandidate, portalGroupTag: number): string {
  const target = candidate.target?.name ?? "";
  return `${target} ${portalGroupTag} ${candidate.initiatorName} ${candidate.isid}`;
}

/** Called when a session has begun or ended. */
export type SessionListener = (change: "opened" | "closed", session: Session) => void;

/** All normal sessions of a server. */
export class SessionRegistry {
  readonly #listeners: Set<SessionListener> = new Set();
  readonly #byKey: Map<string, Session> = new Map();
  readonly #byTsih: Map<number, Session> = new Map();
  #lastTsih = 0;
  #sessionCount = 0;

  get sessions(): Iterable<Session> {
    return this.#byKey.values();
  }

  /** Sessions that have begun so far. */
  get sessionCount(): number {
    return this.#sessionCount;
  }

  get size(): number {
    return this.#byKey.size;
  }

  /** Returns the function that unsubscribes. */
  subscribe(listener: SessionListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** The last question of a login (RFC 7143 6.3.1): which session is it for? */
  admit(candidate: LoginCandidate, portalGroupTag: number): LoginAdmission {
    const { target, tsih } = candidate;
    if (target === null) return { ok: true, tsih: this.#nextTsih() };
    const existing = this.#byKey.get(keyOf(candidate, portalGroupTag));
    if (tsih === 0) {
      if (existing === undefined && this.countOf(target.name) >= target.maxSessions) {
        const reason = `the target has ${target.maxSessions} sessions already`;
        return { ok: false, status: LoginStatus.outOfResources, reason };
      }
      return { ok: true, tsih: this.#nextTsih() };
    }
    if (existing === undefined || existing.tsih !== tsih) {
      const reason = `there is no session with TSIH ${tsih}`;
      return { ok: false, status: LoginStatus.sessionDoesNotExist, reason };
    }
    if (existing.connection !== null && existing.connection.cid !== candidate.cid) {
      const reason = "a session has one connection here";
      return { ok: false, status: LoginStatus.tooManyConnections, reason };
    }
    return { ok: true, tsih };
  }

  /** Normal sessions of one target. */
  countOf(targetName: string): number {
    let count = 0;
    for (const session of this.#byKey.values()) if (session.target.name === targetName) count += 1;
    return count;
  }

  /**
   * Opens the session of a login that was admitted, and calls `ready` with it. A session of the same ports is ended
   * before that (session reinstatement, RFC 7143 6.3.5), as is its connection where that comes back (6.3.4): with one
   * connection and recovery level 0, nothing of either survives, except that the latter keeps its TSIH.
   */
  open(
    login: LoginResult,
    portalGroupTag: number,
    connection: SessionConnection,
    firstCmdSn: number,
    ready: (session: Session) => void,
  ): void {
    const key = keyOf(login, portalGroupTag);
    const existing = this.#byKey.get(key);
    if (existing !== undefined) {
      const next = login.tsih === existing.tsih ? continuing(existing, login) : login;
      existing.close("the initiator logged in anew", () => {
        this.#remove(key, existing);
        this.open(next, portalGroupTag, connection, firstCmdSn, ready);
      });
      return;
    }
    const session = new Session(login, login.tsih, portalGroupTag, connection, firstCmdSn);
    this.#sessionCount += 1;
    session.sid = this.#sessionCount;
    this.#byKey.set(key, session);
    this.#byTsih.set(login.tsih, session);
    for (const listener of this.#listeners) listener("opened", session);
    ready(session);
  }

  /** Ends a session, as `Session.close`, and forgets it. */
  close(session: Session, reason: string, done: () => void = () => undefined): void {
    session.close(reason, () => {
      for (const [key, candidate] of this.#byKey)
        if (candidate === session) this.#remove(key, session);
      done();
    });
  }

  #remove(key: string, session: Session): void {
    if (this.#byTsih.get(session.tsih) === session) this.#byTsih.delete(session.tsih);
    if (this.#byKey.get(key) !== session) return;
    this.#byKey.delete(key);
    for (const listener of this.#listeners) listener("closed", session);
  }

  #nextTsih(): number {
    do {
      this.#lastTsih = (this.#lastTsih % TSIH_MAX) + 1;
    } while (this.#byTsih.has(this.#lastTsih));
    return this.#lastTsih;
  }
}

/** A login that joins a session negotiates what belongs to its connection; the rest was agreed on before. */
function continuing(session: Session, login: LoginResult): LoginResult {
  const { parameters } = login;
  return {
    ...login,
    parameters: {
      ...session.parameters,
      headerDigest: parameters.headerDigest,
      dataDigest: parameters.dataDigest,
      initiatorMaxRecvDataSegmentLengthBytes: parameters.initiatorMaxRecvDataSegmentLengthBytes,
      targetMaxRecvDataSegmentLengthBytes: parameters.targetMaxRecvDataSegmentLengthBytes,
    },
  };
}
