import { assert } from "../../util/assert.ts";
import type { IoError } from "../../util/io-error.ts";
import { IoKind, type IoRequest } from "../../util/io-request.ts";
import { LEAF_ENTRIES } from "../format/layout.ts";
import { isPartial, physOf } from "../map/entry.ts";
import { NO_LEAF } from "../map/leaf-store.ts";
import { hasBlockAt, runEnd } from "./block-mask.ts";
import type { OperationOwner } from "./device-operation.ts";
import type { GateEntrant } from "./gate.ts";
import { PIECES_IN_FLIGHT_MAX } from "./limits.ts";
import { addViews, clearRange } from "./request-bytes.ts";
import type { VolumeCore } from "./volume-core.ts";

/** One read request on its way, piece by piece: each looks up the map when it starts and pins what it reads from. */
export class ReadJob implements OperationOwner, GateEntrant {
  readonly #core: VolumeCore;
  readonly #recycle: (job: ReadJob) => void;
  #request: IoRequest | null = null;
  #cursor = 0;
  #end = 0;
  #inFlight = 0;
  #error: IoError | null = null;
  #isLoading = false;
  #isAdvancing = false;

  constructor(core: VolumeCore, recycle: (job: ReadJob) => void) {
    this.#core = core;
    this.#recycle = recycle;
  }

  start(request: IoRequest): void {
    assert(this.#request === null, "a job has one request at a time");
    this.#request = request;
    this.#cursor = request.offsetBytes;
    this.#end = request.offsetBytes + request.lengthBytes;
    this.#error = null;
    this.admitted();
  }

  admitted(): void {
    const { gate } = this.#core;
    const request = this.#request;
    assert(request !== null, "a job that waits has a request");
    if (!gate.tryEnterRead()) {
      gate.wait(this);
      return;
    }
    this.#error = this.#core.refusal(request, request.offsetBytes, request.lengthBytes);
    this.#advance();
  }

  operationDone(error: IoError | null): void {
    this.#inFlight -= 1;
    this.#error ??= error;
    this.#advance();
  }

  #advance(): void {
    if (this.#isAdvancing) return;
    this.#isAdvancing = true;
    while (
      this.#error === null &&
      !this.#isLoading &&
      this.#cursor < this.#end &&
      this.#inFlight < PIECES_IN_FLIGHT_MAX
    ) {
      this.#step();
    }
    this.#isAdvancing = false;
    if (this.#inFlight === 0 && !this.#isLoading) this.#finish();
  }

  #step(): void {
    const { engine, state } = this.#core;
    const { extentBytes } = engine.geometry;
    const { leaves } = engine.state;
    this.#error = engine.health.failure;
    if (this.#error !== null) return;
    const lext = Math.floor(this.#cursor / extentBytes);
    const leaf = state.map.leafAt(lext);
    if (leaf !== NO_LEAF && !leaves.isResident(leaf)) {
      this.#load(leaf, Math.floor(lext / LEAF_ENTRIES));
      return;
    }
    const slot = lext % LEAF_ENTRIES;
    const word = leaf === NO_LEAF ? 0 : leaves.entry(leaf, slot);
    const from = this.#cursor - lext * extentBytes;
    const to = Math.min(extentBytes, from + this.#end - this.#cursor);
    if (word === 0) this.#clear(to - from);
    else if (!isPartial(word)) this.#readRun(leaf, slot, from);
    else this.#readPartial(leaf, slot, { from, to });
  }

  #clear(lengthBytes: number): void {
    const request = this.#request;
    assert(request !== null, "a job that runs has a request");
    clearRange(request.buffers, this.#cursor - request.offsetBytes, lengthBytes);
    this.#cursor += lengthBytes;
  }

  /** Reads physically consecutive plain extents of one leaf, from the byte `from` of the first. */
  #readRun(leaf: number, slot: number, from: number): void {
    const { geometry, state } = this.#core.engine;
    const { leaves, addresses } = state;
    const phys = physOf(leaves.entry(leaf, slot));
    const wanted = Math.ceil((from + this.#end - this.#cursor) / geometry.extentBytes);
    const countMax = Math.min(wanted, LEAF_ENTRIES - slot);
    let count = 1;
    while (
      count < countMax &&
      leaves.entry(leaf, slot + count) === phys + count + 1 &&
      addresses.contiguous(phys, count + 1)
    ) {
      count += 1;
    }
    const lengthBytes = count * geometry.extentBytes - from;
    this.#read(leaf, phys, from, Math.min(lengthBytes, this.#end - this.#cursor));
  }

  /** Reads the next blocks that lie together. */
  #readPartial(
    leaf: number,
    slot: number,
    range: { readonly from: number; readonly to: number },
  ): void {
    const { geometry, state } = this.#core.engine;
    const mask = state.leaves.mask(leaf, slot);
    const { from } = range;
    const lengthBytes = runEnd(geometry, mask, from, range.to) - from;
    const phys = hasBlockAt(geometry, mask, from)
      ? physOf(state.leaves.entry(leaf, slot))
      : state.leaves.base(leaf, slot);
    if (phys < 0) this.#clear(lengthBytes);
    else this.#read(leaf, phys, from, lengthBytes);
  }

  /** The leaf is kept with the extents: given up as a whole, it would leave them to another volume under this read (rule Q). */
  #read(leaf: number, phys: number, from: number, lengthBytes: number): void {
    const { engine, operations } = this.#core;
    const { addresses } = engine.state;
    const request = this.#request;
    assert(request !== null, "a job that runs has a request");
    const operation = operations.take(this);
    operation.kind = IoKind.read;
    operation.leaf = leaf;
    operation.offsetBytes = addresses.offsetOf(phys) + from;
    addViews(request.buffers, this.#cursor - request.offsetBytes, lengthBytes, operation.buffers);
    this.#cursor += lengthBytes;
    this.#inFlight += 1;
    const count = Math.ceil((from + lengthBytes) / engine.geometry.extentBytes);
    operation.run(addresses.deviceOf(phys), phys, count);
  }

  /** Waits for a leaf, and then looks again: another may be in its place by then. */
  #load(leaf: number, leafIndex: number): void {
    const { map } = this.#core.state;
    const { leaves } = this.#core.engine.state;
    this.#isLoading = true;
    map.pinSlot(leafIndex);
    const loaded = (error: IoError | null): void => {
      this.#isLoading = false;
      this.#error ??= error;
      this.#advanceWith(() => map.unpinSlot(leafIndex));
    };
    leaves.load(leaf).then(() => loaded(null), loaded);
  }

  /** Keeps the leaf until the next step has used it. */
  #advanceWith(unpin: () => void): void {
    this.#isAdvancing = true;
    if (this.#error === null) this.#step();
    this.#isAdvancing = false;
    unpin();
    this.#advance();
  }

  #finish(): void {
    const request = this.#request;
    // A device that has lost what it had not flushed shows older data, and says so only when it is flushed.
    const error = this.#error ?? this.#core.engine.health.failure;
    assert(request !== null, "a job ends once");
    this.#request = null;
    this.#core.gate.leaveRead();
    this.#recycle(this);
    request.done(error);
  }
}
