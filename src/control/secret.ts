import { createHmac, randomBytes } from "node:crypto";

const REDACTED = "[redacted]";

const PROCESS_KEY = randomBytes(32);

/** A secret that does not show in logs, messages or dumps: it has to be asked for, by a name that is easily found. */
export class Secret {
  /** Equal for equal secrets, in this process alone: comparisons work without a look at the text. */
  readonly fingerprint: string;
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
    this.fingerprint = createHmac("sha256", PROCESS_KEY).update(text).digest("hex");
  }

  reveal(): string {
    return this.#text;
  }

  /** The bytes that CHAP computes with (text is UTF-8). */
  revealBytes(): Uint8Array {
    return Buffer.from(this.#text, "utf8");
  }

  toString(): string {
    return REDACTED;
  }

  toJSON(): string {
    return REDACTED;
  }
}
