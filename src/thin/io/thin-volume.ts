import type { IoRequest } from "../../util/io-request.ts";
import type { VolumeAttributes } from "../format/records.ts";
import type { VolumeState } from "../map/volume-state.ts";
import type { Engine } from "./engine.ts";
import { Gate } from "./gate.ts";

/** What happens to a volume under its users. */
export type ThinVolumeEvent = "capacity-changed" | "content-replaced" | "space-low" | "gone";

export type ThinVolumeListener = (event: ThinVolumeEvent) => void;

/** A run of extents of equal state. */
export interface ThinExtent {
  readonly offsetBytes: number;
  readonly lengthBytes: number;
  readonly mapped: boolean;
}

/** A volume of a pool, as its users read and write it. `tryRead`, `tryWrite` and `submit` have the contract of `BlockDevice`. */
export class ThinVolume {
  readonly engine: Engine;
  readonly state: VolumeState;
  readonly gate: Gate = new Gate();
  readonly #listeners: Set<ThinVolumeListener> = new Set();

  constructor(engine: Engine, state: VolumeState) {
    this.engine = engine;
    this.state = state;
  }

  get attributes(): VolumeAttributes {
    return this.state.attributes;
  }

  get capacityBytes(): number {
    return this.state.attributes.sizeBytes;
  }

  /** True once the volume is deleted: everything is refused. */
  get isGone(): boolean {
    return false;
  }

  tryRead(
    _buffer: Uint8Array,
    _bufferOffset: number,
    _lengthBytes: number,
    _offsetBytes: number,
  ): boolean {
    return false;
  }

  tryWrite(
    _buffer: Uint8Array,
    _bufferOffset: number,
    _lengthBytes: number,
    _offsetBytes: number,
  ): boolean {
    return false;
  }

  submit(_request: IoRequest): void {
    throw new Error("not there yet");
  }

  /** The runs that cover the range, in order, without gaps, `countMax` at the most. A PARTIAL extent is mapped. */
  extents(_offsetBytes: number, _lengthBytes: number, _countMax: number): Promise<ThinExtent[]> {
    throw new Error("not there yet");
  }

  /** Completes a PARTIAL extent from its base; false where there was none, or somebody else is changing it. Errors as `IoError`. */
  fill(_lext: number): Promise<boolean> {
    throw new Error("not there yet");
  }

  /** The volume was deleted: everything is refused from now on, and the listeners are told. The gate stays as it is. */
  markGone(): void {
    this.emit("gone");
  }

  /** Returns the function that unsubscribes. */
  subscribe(listener: ThinVolumeListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  emit(event: ThinVolumeEvent): void {
    for (const listener of [...this.#listeners]) listener(event);
  }
}
