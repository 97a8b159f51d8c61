const REDACTED = "[redacted]";

/** A secret that does not show in logs, messages or dumps: it has to be asked for, by a name that is easily found. */
export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
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
