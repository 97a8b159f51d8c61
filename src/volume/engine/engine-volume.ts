import type { ThinVolume } from "../../thin/io/thin-volume.ts";
import type { Pool } from "../../thin/pool/pool.ts";
import { BLOCK_BYTES } from "../../thin/format/geometry.ts";
import { IoError } from "../../util/io-error.ts";
import { flush, IoKind, type IoRequest } from "../../util/io-request.ts";
import type { Volume, VolumeCapabilities, VolumeEvent, VolumeExtent } from "../volume.ts";

/** What an {@link EngineVolume} is made from. */
export interface EngineVolumeOptions {
  readonly pool: Pool;
  readonly thin: ThinVolume;
  readonly readOnly: boolean;
  /** Whether a device of the pool is. */
  readonly rotational: boolean;
  /** Called once, when the volume has been let go. */
  readonly onClosed: () => void;
}

function capabilitiesOf(options: EngineVolumeOptions): VolumeCapabilities {
  const { pool, thin, readOnly, rotational } = options;
  const writable = !readOnly && !thin.attributes.readOnly;
  return {
    writable,
    thin: true,
    discardGranularityBytes: writable ? pool.extentBytes : 0,
    discardZeroes: true,
    extents: true,
    resizable: true,
    persistent: true,
    physicalBlockBytes: BLOCK_BYTES,
    optimalIoBytes: pool.extentBytes,
    rotational,
  };
}

/** A volume of a pool, in the hands of one user. The pool is its owner's to close, after the volume. */
export class EngineVolume implements Volume {
  readonly uuid: string;
  readonly capabilities: VolumeCapabilities;
  readonly thin: ThinVolume;
  readonly pool: Pool;
  readonly #isWritable: boolean;
  readonly #release: () => void;
  readonly #onClosed: () => void;
  readonly #unsubscribes = new Set<() => void>();
  #isOpen = true;
  #closed: Promise<void> | null = null;

  constructor(options: EngineVolumeOptions) {
    const { pool, thin } = options;
    this.pool = pool;
    this.thin = thin;
    this.uuid = thin.attributes.uuid;
    this.capabilities = capabilitiesOf(options);
    this.#isWritable = this.capabilities.writable;
    this.#release = pool.use(thin);
    this.#onClosed = options.onClosed;
  }

  /** It can change while it is open: whoever uses it knows it by its UUID. */
  get name(): string {
    return this.thin.attributes.name;
  }

  get capacityBytes(): number {
    return this.thin.capacityBytes;
  }

  tryRead(
    buffer: Uint8Array,
    bufferOffset: number,
    lengthBytes: number,
    offsetBytes: number,
  ): boolean {
    return this.#isOpen && this.thin.tryRead(buffer, bufferOffset, lengthBytes, offsetBytes);
  }

  tryWrite(
    buffer: Uint8Array,
    bufferOffset: number,
    lengthBytes: number,
    offsetBytes: number,
  ): boolean {
    return (
      this.#isOpen &&
      this.#isWritable &&
      this.thin.tryWrite(buffer, bufferOffset, lengthBytes, offsetBytes)
    );
  }

  tryBegin(buffer: Uint8Array, bufferOffset: number, request: IoRequest): boolean {
    return this.#isOpen && this.#isWritable && this.thin.tryBegin(buffer, bufferOffset, request);
  }

  submit(request: IoRequest): void {
    if (!this.#isOpen) {
      request.done(new IoError("gone", "the volume is closed", { object: this.name }));
    } else if (this.#isWritable || request.kind === IoKind.read || request.kind === IoKind.flush) {
      this.thin.submit(request);
    } else {
      request.done(new IoError("read-only", "it is open read-only", { object: this.name }));
    }
  }

  extents(offsetBytes: number, lengthBytes: number, countMax: number): Promise<VolumeExtent[]> {
    return this.thin.extents(offsetBytes, lengthBytes, countMax);
  }

  /** The pool knows the size, and tells when it changes it: there is nothing to ask. */
  refresh(): Promise<void> {
    return Promise.resolve();
  }

  subscribe(listener: (event: VolumeEvent) => void): () => void {
    const unsubscribe = this.thin.subscribe(listener);
    this.#unsubscribes.add(unsubscribe);
    return () => {
      this.#unsubscribes.delete(unsubscribe);
      unsubscribe();
    };
  }

  close(): Promise<void> {
    this.#closed ??= this.#shutDown();
    return this.#closed;
  }

  async #shutDown(): Promise<void> {
    this.#isOpen = false;
    for (const unsubscribe of this.#unsubscribes) unsubscribe();
    this.#unsubscribes.clear();
    try {
      await this.#drain();
      if (this.#isWritable && !this.thin.isGone) await flush(this.thin);
    } finally {
      this.#release();
      this.#onClosed();
    }
  }

  /** Waits for what is running: whatever was submitted passes the gate before it closes, or waits before it and goes on. */
  async #drain(): Promise<void> {
    const { gate } = this.thin;
    await gate.close({ reads: true });
    gate.open();
  }
}
