import { unreachable } from "../../util/assert.ts";
import { IoKind, type IoRequest } from "../../util/io-request.ts";
import type { VolumeAttributes } from "../format/records.ts";
import type { VolumeState } from "../map/volume-state.ts";
import { ChangeJob } from "./change-job.ts";
import type { Engine } from "./engine.ts";
import { reportExtents, type ThinExtent } from "./extent-report.ts";
import { FastPath } from "./fast-path.ts";
import { FirstWritePath } from "./first-write.ts";
import { fillExtent } from "./filler.ts";
import type { Gate } from "./gate.ts";
import { FREE_OBJECTS_MAX } from "./limits.ts";
import { PiecePool } from "./piece-pool.ts";
import { ReadJob } from "./read-job.ts";
import { VolumeCore } from "./volume-core.ts";

export type { ThinExtent } from "./extent-report.ts";

/** What happens to a volume under its users. */
export type ThinVolumeEvent = "capacity-changed" | "content-replaced" | "space-low" | "gone";

export type ThinVolumeListener = (event: ThinVolumeEvent) => void;

/**
 * A volume of a pool, as its users read and write it. `tryRead`, `tryWrite` and `submit` have the contract of `BlockDevice`, to any
 * byte. Discard and writeZeroes free whole extents, and write zeros to what is left at the ends: a discard, as far as that takes no space.
 */
export class ThinVolume {
  readonly #core: VolumeCore;
  readonly #fast: FastPath;
  readonly #first: FirstWritePath;
  readonly #pieces: PiecePool;
  readonly #reads: ReadJob[] = [];
  readonly #changes: ChangeJob[] = [];
  readonly #listeners: Set<ThinVolumeListener> = new Set();

  constructor(engine: Engine, state: VolumeState) {
    this.#core = new VolumeCore(engine, state);
    this.#fast = new FastPath(this.#core);
    this.#pieces = new PiecePool(this.#core);
    this.#first = new FirstWritePath(this.#core, this.#pieces, (request) => this.submit(request));
  }

  get engine(): Engine {
    return this.#core.engine;
  }

  get state(): VolumeState {
    return this.#core.state;
  }

  get gate(): Gate {
    return this.#core.gate;
  }

  get attributes(): VolumeAttributes {
    return this.#core.state.attributes;
  }

  get capacityBytes(): number {
    return this.#core.state.attributes.sizeBytes;
  }

  /** True once the volume is deleted: everything is refused. */
  get isGone(): boolean {
    return this.#core.isGone;
  }

  tryRead(
    buffer: Uint8Array,
    bufferOffset: number,
    lengthBytes: number,
    offsetBytes: number,
  ): boolean {
    return this.#fast.read(buffer, bufferOffset, lengthBytes, offsetBytes);
  }

  tryWrite(
    buffer: Uint8Array,
    bufferOffset: number,
    lengthBytes: number,
    offsetBytes: number,
  ): boolean {
    return this.#fast.write(buffer, bufferOffset, lengthBytes, offsetBytes);
  }

  /** Contract of `Volume.tryBegin`. */
  tryBegin(buffer: Uint8Array, bufferOffset: number, request: IoRequest): boolean {
    return this.#first.begin(buffer, bufferOffset, request);
  }

  submit(request: IoRequest): void {
    switch (request.kind) {
      case IoKind.read:
        (this.#reads.pop() ?? new ReadJob(this.#core, this.#recycleRead)).start(request);
        return;
      case IoKind.write:
      case IoKind.discard:
      case IoKind.writeZeroes:
        (this.#changes.pop() ?? this.#newChange()).start(request);
        return;
      case IoKind.flush:
        this.#flush(request);
        return;
      default:
        unreachable(request.kind);
    }
  }

  /**
   * The runs that cover the range, in order, without gaps, `countMax` at the most. A PARTIAL extent is mapped.
   * @throws {IoError} gone, failed, range, medium
   */
  extents(offsetBytes: number, lengthBytes: number, countMax: number): Promise<ThinExtent[]> {
    return reportExtents(this.#core, offsetBytes, lengthBytes, countMax);
  }

  /**
   * Completes a PARTIAL extent from its base; false where there is none that can be, or somebody is changing it or waiting to snapshot.
   * @throws {IoError} medium, failed
   */
  fill(lext: number): Promise<boolean> {
    return fillExtent(this.#core, lext);
  }

  /** The volume was deleted: everything is refused from now on, and the listeners are told. The gate stays as it is. */
  markGone(): void {
    this.#core.isGone = true;
    this.emit("gone");
  }

  /** Returns the function that unsubscribes. */
  subscribe(listener: ThinVolumeListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  emit(event: ThinVolumeEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  /** What has completed is stable when it is done; what waits at the gate has not. */
  #flush(request: IoRequest): void {
    const refusal = this.#core.refusal(request, 0, 0);
    if (refusal !== null) request.done(refusal);
    else this.#core.engine.barrier.sync(request);
  }

  #newChange(): ChangeJob {
    return new ChangeJob(this.#core, this.#pieces, this.#recycleChange);
  }

  readonly #recycleRead = (job: ReadJob): void => {
    if (this.#reads.length < FREE_OBJECTS_MAX) this.#reads.push(job);
  };

  readonly #recycleChange = (job: ChangeJob): void => {
    if (this.#changes.length < FREE_OBJECTS_MAX) this.#changes.push(job);
  };
}
