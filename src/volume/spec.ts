import { FileLockedError } from "../../native-free/file-lock.ts";
import { IoError } from "../util/io-error.ts";
import { VolumeError, type VolumeSpec } from "./volume-driver.ts";

/** Reads the options of one volume and refuses what the driver does not know: a slip must not be taken for consent. */
export class SpecReader {
  readonly #spec: VolumeSpec;

  constructor(spec: VolumeSpec, known: readonly string[]) {
    this.#spec = spec;
    const unknown = Object.keys(spec.options).filter((key) => !known.includes(key));
    if (unknown.length > 0) {
      this.#refuse(`unknown option ${unknown.join(", ")}; known are ${known.join(", ")}`);
    }
  }

  /** The size that the volume is to have, in bytes. */
  requiredSize(): number {
    const { sizeBytes } = this.#spec;
    if (sizeBytes === undefined) this.#refuse("a size is needed to create it");
    if (!Number.isSafeInteger(sizeBytes) || sizeBytes <= 0) {
      this.#refuse(`${sizeBytes} is not a size in bytes`);
    }
    return sizeBytes;
  }

  text(key: string): string {
    const value = this.#spec.options[key];
    if (typeof value !== "string" || value === "") this.#refuse(`the option ${key} must be a text`);
    return value;
  }

  flag(key: string): boolean {
    const value = this.#spec.options[key] ?? false;
    if (typeof value !== "boolean") this.#refuse(`the option ${key} must be true or false`);
    return value;
  }

  naturalNumber(key: string): number {
    const value = this.#spec.options[key] ?? 0;
    if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) {
      this.#refuse(`the option ${key} must be a whole number`);
    }
    return value;
  }

  #refuse(why: string): never {
    throw new VolumeError("invalid", `volume ${this.#spec.name}: ${why}`);
  }
}

/** What a device's error means to whoever wanted the volume. Errors of volumes pass. */
export function volumeErrorFrom(error: unknown, volumeName: string): unknown {
  if (error instanceof FileLockedError) {
    return new VolumeError("busy", `volume ${volumeName}: ${error.message}`, error);
  }
  if (!(error instanceof IoError)) return error;
  return new VolumeError(kindOf(error), `volume ${volumeName}: ${error.message}`, error);
}

function kindOf(error: IoError): VolumeError["kind"] {
  const { cause } = error;
  if (cause instanceof Error && "code" in cause && cause.code === "EEXIST") return "exists";
  if (error.kind === "space" || error.kind === "unsupported") return error.kind;
  return error.kind === "gone" ? "missing" : "io";
}
