import type { BlockDevice } from "../../device/block-device.ts";
import { assert } from "../../util/assert.ts";
import type { IoError } from "../../util/io-error.ts";
import { IoKind, IoRequest } from "../../util/io-request.ts";
import { NO_EXTENT } from "../format/geometry.ts";
import { NO_LEAF } from "../map/leaf-store.ts";
import { FREE_OBJECTS_MAX, TURN_BYTES_MAX } from "./limits.ts";

/** Called once for each operation, possibly before `run` returns. */
export interface OperationOwner {
  operationDone(error: IoError | null): void;
}

/** What an operation does to extents: while one is pinned, nothing that gives up a reference to it takes effect (rule Q). */
export interface Pins {
  pin(phys: number): void;
  unpin(phys: number): void;
}

/** The leaf through which an operation found its extents keeps its references, too: who is the last to have it may write in place. */
export interface LeafPins {
  pin(leaf: number): void;
  unpin(leaf: number): void;
}

/**
 * One transfer between buffers and a run of extents. Take one from the {@link OperationPool}, fill in kind, offset and buffers, and run it; it
 * goes back by itself.
 */
export class DeviceOperation extends IoRequest {
  readonly #pool: OperationPool;
  #owner: OperationOwner | null = null;
  #pinFirst = NO_EXTENT;
  #pinEnd = NO_EXTENT;
  /** The leaf that a read of several owners' extents came through; NO_LEAF: none has to be kept. */
  leaf: number = NO_LEAF;

  constructor(pool: OperationPool) {
    super();
    this.#pool = pool;
  }

  take(owner: OperationOwner): void {
    assert(this.#owner === null, "an operation has one owner");
    this.#owner = owner;
  }

  /**
   * Does it within this turn where the device can, otherwise asynchronously with `count` extents from `phys` on pinned. The length is
   * that of the buffers.
   */
  run(device: BlockDevice, phys: number, count: number): void {
    this.#measure();
    if (this.#isDoneNow(device)) this.#end(null);
    else this.#submit(device, phys, count);
  }

  /** The same, where the device was asked already whether it can do it within this turn. */
  runLater(device: BlockDevice, phys: number, count: number): void {
    this.#measure();
    this.#submit(device, phys, count);
  }

  #measure(): void {
    this.lengthBytes = 0;
    for (const buffer of this.buffers) this.lengthBytes += buffer.length;
    assert(this.lengthBytes > 0, "an operation moves something");
  }

  #submit(device: BlockDevice, phys: number, count: number): void {
    const { pins } = this.#pool;
    this.#pinFirst = phys;
    this.#pinEnd = phys + count;
    for (let pinned = phys; pinned < this.#pinEnd; pinned += 1) pins.pin(pinned);
    if (this.leaf !== NO_LEAF) this.#pool.leaves.pin(this.leaf);
    device.submit(this);
  }

  override done(error: IoError | null): void {
    const { pins, leaves } = this.#pool;
    for (let phys = this.#pinFirst; phys < this.#pinEnd; phys += 1) pins.unpin(phys);
    if (this.leaf !== NO_LEAF) leaves.unpin(this.leaf);
    this.#end(error);
  }

  #isDoneNow(device: BlockDevice): boolean {
    if (this.forceUnitAccess || this.lengthBytes > TURN_BYTES_MAX) return false;
    const reads = this.kind === IoKind.read;
    let at = this.offsetBytes;
    for (const buffer of this.buffers) {
      const { length } = buffer;
      const isDone = reads
        ? device.tryRead(buffer, 0, length, at)
        : device.tryWrite(buffer, 0, length, at);
      if (!isDone) return false;
      at += length;
    }
    return true;
  }

  #end(error: IoError | null): void {
    const owner = this.#owner;
    assert(owner !== null, "an operation is done once");
    this.#owner = null;
    this.#pinFirst = NO_EXTENT;
    this.#pinEnd = NO_EXTENT;
    // To set the length to 0 would throw away the array's memory.
    while (this.buffers.length > 0) this.buffers.pop();
    this.forceUnitAccess = false;
    this.leaf = NO_LEAF;
    this.#pool.put(this);
    owner.operationDone(error);
  }
}

/** Operations that are used again. */
export class OperationPool {
  readonly pins: Pins;
  readonly leaves: LeafPins;
  readonly #free: DeviceOperation[] = [];

  constructor(pins: Pins, leaves: LeafPins) {
    this.pins = pins;
    this.leaves = leaves;
  }

  take(owner: OperationOwner): DeviceOperation {
    const operation = this.#free.pop() ?? new DeviceOperation(this);
    operation.take(owner);
    return operation;
  }

  put(operation: DeviceOperation): void {
    if (this.#free.length < FREE_OBJECTS_MAX) this.#free.push(operation);
  }
}
