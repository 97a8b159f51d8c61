import { IoError, type IoErrorKind } from "../util/io-error.ts";
import { IoKind, type IoRequest } from "../util/io-request.ts";
import type { BlockDevice } from "./block-device.ts";
import { DeviceFilter } from "./device-filter.ts";

/** Which requests fail, and how. What is left out does not restrict. */
export interface ErrorRule {
  readonly error: IoErrorKind;
  readonly kind?: IoKind;
  /** The rule applies to requests that touch [startBytes, endBytes). */
  readonly startBytes?: number;
  readonly endBytes?: number;
  /** So many requests that match pass before the rule strikes. */
  readonly skip?: number;
  /** The rule strikes so many times, and then is spent. */
  readonly times?: number;
}

class ArmedRule {
  readonly rule: ErrorRule;
  #skip: number;
  #times: number;

  constructor(rule: ErrorRule) {
    this.rule = rule;
    this.#skip = rule.skip ?? 0;
    this.#times = rule.times ?? Infinity;
  }

  matches(request: IoRequest): boolean {
    const { kind, startBytes = 0, endBytes = Infinity } = this.rule;
    if (kind !== undefined && kind !== request.kind) return false;
    if (request.kind === IoKind.flush) return kind === IoKind.flush;
    return request.offsetBytes < endBytes && request.offsetBytes + request.lengthBytes > startBytes;
  }

  /** Counts a request that matches; true when it fails. */
  strikes(): boolean {
    if (this.#times <= 0) return false;
    if (this.#skip > 0) {
      this.#skip -= 1;
      return false;
    }
    this.#times -= 1;
    return true;
  }
}

/** Lets requests fail by rule, without their reaching the device below. While it has rules, nothing is synchronous. */
export class ErrorFilter extends DeviceFilter {
  #rules: ArmedRule[] = [];

  constructor(below: BlockDevice, rules: readonly ErrorRule[] = []) {
    super(below, `${below.name} (failing)`);
    this.setRules(rules);
  }

  /** Replaces all rules. */
  setRules(rules: readonly ErrorRule[]): void {
    this.#rules = rules.map((rule) => new ArmedRule(rule));
  }

  override tryRead(
    buffer: Uint8Array,
    bufferOffset: number,
    lengthBytes: number,
    offsetBytes: number,
  ): boolean {
    if (this.#rules.length > 0) return false;
    return this.below.tryRead(buffer, bufferOffset, lengthBytes, offsetBytes);
  }

  override tryWrite(
    buffer: Uint8Array,
    bufferOffset: number,
    lengthBytes: number,
    offsetBytes: number,
  ): boolean {
    if (this.#rules.length > 0) return false;
    return this.below.tryWrite(buffer, bufferOffset, lengthBytes, offsetBytes);
  }

  override submit(request: IoRequest): void {
    for (const armed of this.#rules) {
      if (!armed.matches(request) || !armed.strikes()) continue;
      const context = { object: this.name, offsetBytes: request.offsetBytes };
      request.done(new IoError(armed.rule.error, "an error was asked for", context));
      return;
    }
    this.below.submit(request);
  }
}
