import { OperationError } from "../protocol.ts";

/** The longest list that an operation takes: a group of snapshots is smaller, and so is what is wiped at a time. */
const LIST_ENTRIES_MAX = 256;

/** Reads the arguments of one operation, which came from outside. All errors are OperationErrors "invalid" that name the argument. */
export class Arguments {
  readonly #values: Readonly<Record<string, unknown>>;
  readonly #prefix: string;

  /** `known`: all that there may be; a slip must not be taken for consent. */
  constructor(value: unknown, known: readonly string[], prefix = "") {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw invalid(`${prefix === "" ? "the arguments" : prefix} must be an object`);
    }
    this.#values = value as Readonly<Record<string, unknown>>;
    this.#prefix = prefix === "" ? "" : `${prefix}.`;
    const unknown = Object.keys(value).find((key) => !known.includes(key));
    if (unknown === undefined) return;
    const shown = JSON.stringify(unknown.slice(0, 64));
    throw invalid(`${this.#prefix}${shown} is no argument; there are ${known.join(", ")}`);
  }

  has(key: string): boolean {
    return this.#values[key] !== undefined;
  }

  text(key: string): string {
    const value = this.#values[key];
    if (typeof value !== "string" || value === "") throw this.#refuse(key, "a text");
    return value;
  }

  optionalText(key: string): string | undefined {
    return this.has(key) ? this.text(key) : undefined;
  }

  flag(key: string): boolean {
    const value = this.#values[key] ?? false;
    if (typeof value !== "boolean") throw this.#refuse(key, "true or false");
    return value;
  }

  optionalFlag(key: string): boolean | undefined {
    return this.has(key) ? this.flag(key) : undefined;
  }

  /** A natural number up to 2^53. */
  bytes(key: string): number {
    const value = this.#values[key];
    if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
    throw this.#refuse(key, "a whole number of bytes");
  }

  optionalBytes(key: string): number | undefined {
    return this.has(key) ? this.bytes(key) : undefined;
  }

  /** A number that is not negative. */
  optionalNumber(key: string): number | undefined {
    if (!this.has(key)) return undefined;
    const value = this.#values[key];
    if (typeof value === "number" && Number.isFinite(value) && value >= 0) return value;
    throw this.#refuse(key, "a number from 0 on");
  }

  texts(key: string): string[] {
    return this.#list(key).map((entry) => {
      if (typeof entry === "string") return entry;
      throw this.#refuse(key, "a list of texts");
    });
  }

  optionalNumbers(key: string): number[] | undefined {
    if (!this.has(key)) return undefined;
    return this.#list(key).map((entry) => {
      if (typeof entry === "number" && Number.isFinite(entry)) return entry;
      throw this.#refuse(key, "a list of numbers");
    });
  }

  /** A list of objects with these arguments each. */
  objects(key: string, known: readonly string[]): Arguments[] {
    return this.#list(key).map((entry, index) => {
      const prefix = `${this.#prefix}${key}[${index}]`;
      return new Arguments(entry, known, prefix);
    });
  }

  #list(key: string): unknown[] {
    const value = this.#values[key] ?? [];
    if (!Array.isArray(value) || value.length > LIST_ENTRIES_MAX) {
      throw this.#refuse(key, `a list of up to ${LIST_ENTRIES_MAX}`);
    }
    return value;
  }

  #refuse(key: string, what: string): OperationError {
    return invalid(`${this.#prefix}${key} must be ${what}`);
  }
}

function invalid(message: string): OperationError {
  return new OperationError("invalid", message);
}
