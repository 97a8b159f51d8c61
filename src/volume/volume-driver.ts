import type { Volume } from "./volume.ts";

/** What a kind of storage can do. A driver declares what it lacks; it never fakes it. */
export interface DriverCapabilities {
  readonly create: boolean;
  readonly delete: boolean;
  readonly resize: boolean;
  readonly snapshot: boolean;
  readonly rollback: boolean;
}

/** What a volume is made or found from; each driver documents its options and refuses those that it does not know. */
export interface VolumeSpec {
  readonly name: string;
  /** Chosen by the control plane, kept in its state: the identity of the volume for good. Lower-case UUID. */
  readonly uuid: string;
  /** Bytes; required to create, otherwise taken from the store. */
  readonly sizeBytes?: number;
  readonly readOnly?: boolean;
  /** Driver's own settings, checked by it. */
  readonly options: Readonly<Record<string, unknown>>;
}

/** Why a driver refused. Messages name the object and what to do. */
export class VolumeError extends Error {
  override readonly name = "VolumeError";
  readonly kind:
    "invalid" | "exists" | "missing" | "busy" | "foreign" | "space" | "unsupported" | "io";
  constructor(kind: VolumeError["kind"], message: string, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause });
    this.kind = kind;
  }
}

/** A kind of storage that volumes come from. */
export interface VolumeDriver {
  readonly kind: string;
  readonly capabilities: DriverCapabilities;
  /** Makes the volume, durable when this resolves. Never overwrites what is there. */
  create(spec: VolumeSpec): Promise<void>;
  /** Opens it for exclusive use. */
  open(spec: VolumeSpec): Promise<Volume>;
  /** Bytes; shrinking needs `consentToShrink`. */
  resize(volume: Volume, sizeBytes: number, consentToShrink: boolean): Promise<void>;
  /** Removes a volume that is not open. */
  delete(spec: VolumeSpec): Promise<void>;
}
