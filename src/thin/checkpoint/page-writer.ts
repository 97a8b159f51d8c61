import { AlignedBufferPool } from "../../../native-free/aligned-buffer.ts";
import type { BlockDevice } from "../../device/block-device.ts";
import { assert } from "../../util/assert.ts";
import type { IoError } from "../../util/io-error.ts";
import { IoKind, IoRequest } from "../../util/io-request.ts";
import { BLOCK_BYTES } from "../format/geometry.ts";
import { type PageHeader, sealPage } from "../format/page.ts";
import type { PagePointer } from "../format/pointer.ts";
import { isOutOfRoom, type Storage, type StorageWaiter } from "../log/storage.ts";
import { RUN_BYTES_MAX, RUNS_IN_FLIGHT_MAX } from "./limits.ts";
import type { PagePlaces } from "./page-place.ts";

/** Where new pages go. */
export interface PageAllocator {
  /** A metadata block that nothing refers to. @throws {PoolError} space */
  takeMetadataBlock(): number;
}

/** What a page says of itself apart from where it is and which checkpoint wrote it. */
export type PageName = Pick<PageHeader, "kind" | "level" | "volume" | "index">;

export interface PageWriterOptions {
  readonly places: PagePlaces;
  readonly allocator: PageAllocator;
  readonly poolUuid: string;
  readonly generation: number;
  readonly buffers: AlignedBufferPool;
  /** What has stopped the pool: what is not on its way by then stays away from devices that may be another host's. */
  readonly failure?: () => IoError | null;
  /** Where runs wait for which it has no room. Without it they fail. */
  readonly storage?: Storage;
}

/** What becomes of a run that the device has answered. */
interface RunOwner {
  sent(run: RunWrite, error: IoError | null): void;
  ended(run: RunWrite, error: IoError | null): void;
  submit(run: RunWrite): void;
}

/** A run of pages on their way to a device. */
class RunWrite extends IoRequest implements StorageWaiter {
  readonly memory: Buffer;
  readonly device: BlockDevice;
  hasWaited = false;
  readonly #owner: RunOwner;

  constructor(memory: Buffer, device: BlockDevice, offsetBytes: number, owner: RunOwner) {
    super();
    this.kind = IoKind.write;
    this.memory = memory;
    this.device = device;
    this.offsetBytes = offsetBytes;
    this.#owner = owner;
  }

  /** Where the next page goes: behind the others. */
  take(): Uint8Array {
    const page = this.memory.subarray(this.lengthBytes, this.lengthBytes + BLOCK_BYTES);
    this.lengthBytes += BLOCK_BYTES;
    return page;
  }

  override done(error: IoError | null): void {
    this.#owner.sent(this, error);
  }

  /** The same pages to the same places: nothing refers to them yet. */
  retry(): void {
    this.#owner.submit(this);
  }

  giveUp(error: IoError): void {
    this.#owner.ended(this, error);
  }
}

/** The memory of a writer: one buffer more than can be under way. */
export function newRunBuffers(): AlignedBufferPool {
  return new AlignedBufferPool(RUN_BYTES_MAX, RUNS_IN_FLIGHT_MAX + 1);
}

/**
 * Writes the pages of one checkpoint to new places, gathered into long writes of which a few are under way at a time. A page is
 * copied when it is added: the original may change at once.
 */
export class PageWriter {
  /** The blocks that the checkpoint has taken, in their order. */
  readonly blocks: number[] = [];
  readonly #options: PageWriterOptions;
  readonly #owner: RunOwner = {
    sent: (run, error) => this.#sent(run, error),
    ended: (run, error) => this.#ended(run, error),
    submit: (run) => this.#submit(run),
  };
  #run: RunWrite | null = null;
  #inFlight = 0;
  #error: IoError | null = null;
  #wake: (() => void) | null = null;

  constructor(options: PageWriterOptions) {
    this.#options = options;
  }

  /** Whether {@link add} may be called; otherwise wait for {@link room}. */
  get hasRoom(): boolean {
    return this.#error === null && this.#inFlight < RUNS_IN_FLIGHT_MAX;
  }

  /** Resolves when {@link hasRoom}. @throws {IoError} a write failed */
  async room(): Promise<void> {
    while (this.#error === null && this.#inFlight >= RUNS_IN_FLIGHT_MAX) await this.#change();
    if (this.#error !== null) throw this.#error;
  }

  /** Gives the page its place and checksum, which its parent needs. @throws {PoolError} space: the reserve is used up */
  add(page: Uint8Array, name: PageName): PagePointer {
    return this.addAt(this.#options.allocator.takeMetadataBlock(), page, name);
  }

  /** The same for a page that has its place. */
  addAt(block: number, page: Uint8Array, name: PageName): PagePointer {
    assert(this.hasRoom, "a page is added when there is room");
    const { places, poolUuid, generation } = this.#options;
    assert(places.has(block), "metadata lies in the pool");
    this.blocks.push(block);
    const target = this.#placeFor(places.deviceOf(block), places.offsetOf(block));
    target.set(page);
    return { block, crc: sealPage(target, poolUuid, { ...name, block, generation }) };
  }

  /** Sends what is gathered and waits for all of it. @throws {IoError} a write failed */
  async finish(): Promise<void> {
    this.#send();
    while (this.#inFlight > 0) await this.#change();
    if (this.#error !== null) throw this.#error;
  }

  #placeFor(device: BlockDevice, offsetBytes: number): Uint8Array {
    const run = this.#run;
    const continues =
      run !== null &&
      run.device === device &&
      run.offsetBytes + run.lengthBytes === offsetBytes &&
      run.lengthBytes < run.memory.length;
    if (continues) return run.take();
    this.#send();
    const memory = this.#options.buffers.lease();
    assert(memory !== null, "there are buffers for all runs");
    this.#run = new RunWrite(memory, device, offsetBytes, this.#owner);
    return this.#run.take();
  }

  #send(): void {
    const run = this.#run;
    if (run === null) return;
    this.#run = null;
    this.#inFlight += 1;
    run.buffers = [run.memory.subarray(0, run.lengthBytes)];
    this.#submit(run);
  }

  #submit(run: RunWrite): void {
    const failure = this.#options.failure?.() ?? null;
    if (failure === null) run.device.submit(run);
    else this.#ended(run, failure);
  }

  /** A run that waits for room keeps its buffer, and the checkpoint from going on. */
  #sent(run: RunWrite, error: IoError | null): void {
    const { storage } = this.#options;
    if (storage !== undefined && isOutOfRoom(error)) {
      run.hasWaited = true;
      storage.wait(run);
      return;
    }
    this.#ended(run, error);
    if (error === null && run.hasWaited) storage?.passed();
  }

  #ended(run: RunWrite, error: IoError | null): void {
    this.#options.buffers.release(run.memory);
    this.#inFlight -= 1;
    this.#error ??= error;
    const wake = this.#wake;
    this.#wake = null;
    wake?.();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}
