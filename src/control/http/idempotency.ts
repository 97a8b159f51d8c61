import { createHash } from "node:crypto";
import type { Clock } from "../../util/clock.ts";
import { OperationError } from "../protocol.ts";
import { RefusedRequest } from "./problem.ts";

/** Who tries again does so within minutes; this leaves room for a queue that stood still over a lunch break. */
const KEPT_MS = 60 * 60 * 1000;

/** Answers that are kept; the oldest go first. */
const ENTRIES_MAX = 1000;

/** A UUID has 36 characters. */
const KEY = /^[\x21-\x7e]{1,128}$/;

interface Entry {
  readonly fingerprint: string;
  readonly result: Promise<unknown>;
  readonly sinceMs: number;
  isSettled: boolean;
}

/** What was done, and whether it was done for an earlier request. */
export interface Once<T> {
  readonly result: T;
  readonly isReplay: boolean;
}

/** A request as it is told from others with the same key. */
export interface KeyedRequest {
  /** Keys of one caller mean nothing to another one. */
  readonly caller: string;
  readonly key: string;
  readonly operation: string;
  readonly body: unknown;
  readonly payload: Uint8Array;
}

/**
 * Does what has the same key once. It is kept in memory, for an hour and a bounded number of requests: after a restart of the daemon a key
 * is new, and whoever tries again is told that the thing exists. What has failed has changed nothing, so it is not kept: it may be tried again,
 * also where that shows later only.
 */
export class Idempotency {
  readonly #clock: Clock;
  readonly #entriesMax: number;
  readonly #entries = new Map<string, Entry>();

  constructor(clock: Clock, entriesMax: number = ENTRIES_MAX) {
    this.#clock = clock;
    this.#entriesMax = entriesMax;
  }

  /**
   * Errors: invalid: the key makes no sense, or belongs to another request; busy; and those of the action.
   *
   * @param action is given what to call where that which it has only begun has failed
   */
  async once<T>(
    request: KeyedRequest,
    action: (forget: () => void) => Promise<T>,
  ): Promise<Once<T>> {
    if (!KEY.test(request.key)) {
      throw new RefusedRequest(
        400,
        "invalid",
        "an Idempotency-Key has 1 to 128 characters of ASCII without spaces",
      );
    }
    const name = JSON.stringify([request.caller, request.key]);
    const fingerprint = fingerprintOf(request);
    this.#forgetOld();
    const earlier = this.#entries.get(name);
    if (earlier !== undefined) {
      if (earlier.fingerprint !== fingerprint) {
        throw new RefusedRequest(
          422,
          "invalid",
          "this Idempotency-Key came with another request before: each request needs its own",
        );
      }
      return { result: (await earlier.result) as T, isReplay: true };
    }
    this.#makeRoom();
    const forget = (): void => {
      if (this.#entries.get(name) === entry) this.#entries.delete(name);
    };
    const result = action(forget);
    const entry: Entry = { fingerprint, result, sinceMs: this.#clock.nowMs(), isSettled: false };
    this.#entries.set(name, entry);
    try {
      return { result: await result, isReplay: false };
    } catch (error) {
      forget();
      throw error;
    } finally {
      entry.isSettled = true;
    }
  }

  /** The oldest come first. */
  #forgetOld(): void {
    const oldestMs = this.#clock.nowMs() - KEPT_MS;
    for (const [name, { sinceMs, isSettled }] of this.#entries) {
      if (sinceMs > oldestMs) return;
      if (isSettled) this.#entries.delete(name);
    }
  }

  #makeRoom(): void {
    if (this.#entries.size < this.#entriesMax) return;
    for (const [name, { isSettled }] of this.#entries) {
      if (!isSettled) continue;
      this.#entries.delete(name);
      return;
    }
    throw new OperationError("busy", "too many requests with an Idempotency-Key are being done");
  }
}

function fingerprintOf({ operation, body, payload }: KeyedRequest): string {
  const hash = createHash("sha256");
  hash.update(JSON.stringify([operation, inOrder(body)]));
  return hash.update("\0").update(payload).digest("hex");
}

/** The same arguments are the same request, whatever their order. */
function inOrder(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.entries(value).toSorted(([left], [right]) => (left < right ? -1 : 1));
}
