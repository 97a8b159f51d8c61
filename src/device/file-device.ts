import { performance } from "node:perf_hooks";
import { AlignedBufferPool } from "../../native-free/aligned-buffer.ts";
import { RangeCleaner } from "../../native-free/hole-punch.ts";
import { assert, unreachable } from "../util/assert.ts";
import { IoError } from "../util/io-error.ts";
import { changesMedium, IoKind, IoRequest } from "../util/io-request.ts";
import type { BlockDevice, DeviceTraits } from "./block-device.ts";
import { DirectTransfer, isUnaligned } from "./direct-transfer.ts";
import {
  closeOpened,
  findTraits,
  measureCapacity,
  openFileOrDevice,
  type FileOpenOptions,
  type OpenedFile,
} from "./file-open.ts";
import { nodeFileSystem, type FileSystemCalls } from "./file-system-calls.ts";
import { type FlushFailureListener, GroupFlush } from "./group-flush.ts";
import {
  BOUNCE_BUFFER_BYTES,
  COLD_READ_MS_PER_64K,
  CONCURRENT_TRANSFERS_MAX,
  DIRTY_BYTES_MAX,
  SLOW_WRITE_MS,
  SYNCHRONOUS_BYTES_MAX,
  URGENT_TRANSFERS,
  WRITES_ASYNCHRONOUS_AFTER_SLOW,
} from "./limits.ts";
import { watchWrites } from "./late-errors.ts";
import { RangeWork } from "./range-work.ts";
import { GRANULE_BYTES, ResidencyMap } from "./residency.ts";
import { TransferQueue } from "./transfer-queue.ts";
import { BufferedTransfer, type Transfer, type TransferEnd } from "./transfer.ts";
import { WriteStop } from "./write-stop.ts";

export interface FileDeviceOptions extends FileOpenOptions {
  /** For messages; the path unless told otherwise. */
  readonly name?: string;
  readonly calls?: FileSystemCalls;
  /** A clock in milliseconds, with fractions. */
  readonly now?: () => number;
  /** Replaces the search path for fallocate and blkdiscard. */
  readonly toolPath?: string;
}

const BYTES_PER_64K = 65_536;

/**
 * See `RangeHost`. Through the page cache, the kernel reads the page around a write that does not fill it. For a file it
 * has the tool wait meanwhile; a block device knows no such lock.
 */
function modifiedBlockBytes({ directAlignmentBytes, isBlockDevice }: OpenedFile): number {
  if (directAlignmentBytes !== 0) return directAlignmentBytes;
  return isBlockDevice ? GRANULE_BYTES : 0;
}

/** A flush of this device's own. */
class FlushThen extends IoRequest {
  readonly #callback: (error: IoError | null) => void;

  constructor(callback: (error: IoError | null) => void) {
    super();
    this.kind = IoKind.flush;
    this.#callback = callback;
  }

  override done(error: IoError | null): void {
    this.#callback(error);
  }
}

/** An image file or a raw block device. */
export class FileDevice implements BlockDevice {
  readonly name: string;
  readonly traits: DeviceTraits;
  readonly isBlockDevice: boolean;
  readonly #opened: OpenedFile;
  readonly #fd: number;
  readonly #calls: FileSystemCalls;
  readonly #now: () => number;
  readonly #residency: ResidencyMap;
  readonly #transfers: TransferQueue;
  readonly #flushes: GroupFlush;
  readonly #ranges: RangeWork;
  readonly #cleaner: RangeCleaner;
  readonly #stop = new WriteStop();
  #capacityBytes: number;
  #dirtyBytes = 0;
  /** How many writes still go through the thread pool because one was slow. */
  #writesToDefer = 0;
  /** False for direct I/O and once the device is closed or its writes are refused. */
  #readsSynchronously: boolean;
  #writesSynchronously: boolean;
  #closed: Promise<void> | null = null;

  /** Opens a regular file or a block device; errors as {@link openFileOrDevice} has them. */
  static async open(path: string, options: FileDeviceOptions = {}): Promise<FileDevice> {
    const opened = await openFileOrDevice(path, options);
    const cleaner = new RangeCleaner(opened.fd, options.toolPath);
    try {
      const traits = await findTraits(opened, cleaner);
      return new FileDevice(opened, cleaner, traits, options);
    } catch (error) {
      await cleaner.close();
      await closeOpened(opened);
      throw error;
    }
  }

  private constructor(
    opened: OpenedFile,
    cleaner: RangeCleaner,
    traits: DeviceTraits,
    options: FileDeviceOptions,
  ) {
    this.name = options.name ?? opened.path;
    this.traits = traits;
    this.isBlockDevice = opened.isBlockDevice;
    this.#opened = opened;
    this.#fd = opened.fd;
    this.#residency = new ResidencyMap(opened.inMemory);
    const calls = options.calls ?? nodeFileSystem;
    this.#calls = opened.reportsLate
      ? watchWrites(calls, (error) => this.#flushes.fail(error))
      : calls;
    this.#now = options.now ?? (() => performance.now());
    this.#capacityBytes = opened.capacityBytes;
    this.#readsSynchronously = opened.directAlignmentBytes === 0;
    this.#writesSynchronously = this.#readsSynchronously && !traits.readOnly;
    this.#cleaner = cleaner;
    this.#flushes = new GroupFlush(this.name, (done) => {
      this.#dirtyBytes = 0;
      this.#calls.fdatasync(this.#fd, done);
    });
    this.#transfers = new TransferQueue(
      {
        name: this.name,
        descriptorFor: (request) => this.#descriptorFor(request),
        runsAlone: (request) => this.#runsAlone(request),
        refusal: ({ kind }) => (changesMedium(kind) ? this.#stop.error : null),
        transferred: (request, error) => this.#transferred(request, error),
      },
      (end) => this.#makeTransfers(end),
      URGENT_TRANSFERS,
    );
    this.#ranges = new RangeWork(
      {
        name: this.name,
        isBlockDevice: opened.isBlockDevice,
        modifiedBlockBytes: modifiedBlockBytes(opened),
        refusal: () => this.#stop.error,
        submitZeroes: (request) => this.#submitZeroes(request),
        flushThen: (callback) => this.#flushes.add(new FlushThen(callback)),
        cleared: (request, error) => this.#cleared(request, error),
      },
      cleaner,
    );
  }

  get capacityBytes(): number {
    return this.#capacityBytes;
  }

  /**
   * Reads what is expected in the page cache, where a read is a copy of some microseconds. A read that had to wait for
   * the disk after all has stopped everybody: it is measured, and the expectation given up.
   */
  tryRead(
    buffer: Uint8Array,
    bufferOffset: number,
    lengthBytes: number,
    offsetBytes: number,
  ): boolean {
    if (
      !this.#readsSynchronously ||
      lengthBytes > SYNCHRONOUS_BYTES_MAX ||
      !this.#holds(offsetBytes, lengthBytes) ||
      !this.#residency.covers(offsetBytes, lengthBytes)
    ) {
      return false;
    }
    const started = this.#now();
    let count: number;
    try {
      count = this.#calls.readSync(this.#fd, buffer, bufferOffset, lengthBytes, offsetBytes);
    } catch {
      // The asynchronous path meets the same error and tells it.
      return false;
    }
    const allowed = COLD_READ_MS_PER_64K * Math.max(1, lengthBytes / BYTES_PER_64K);
    if (this.#now() - started > allowed) this.#residency.foundCold(offsetBytes, lengthBytes);
    else this.#residency.foundResident();
    return count === lengthBytes;
  }

  /**
   * Writes into the page cache. Whole pages never wait for the disk; of a page that is written in part the kernel has
   * to read the rest first, so that page has to be resident. And the kernel makes a writer wait when too much is dirty
   * or the page is just being written back: after one slow write the next ones go another way.
   */
  tryWrite(
    buffer: Uint8Array,
    bufferOffset: number,
    lengthBytes: number,
    offsetBytes: number,
  ): boolean {
    if (
      !this.#writesSynchronously ||
      this.#flushes.failure !== null ||
      lengthBytes > SYNCHRONOUS_BYTES_MAX ||
      lengthBytes === 0 ||
      !this.#holds(offsetBytes, lengthBytes)
    ) {
      return false;
    }
    if (this.#writesToDefer > 0) {
      this.#writesToDefer -= 1;
      return false;
    }
    const wholePages = (offsetBytes % GRANULE_BYTES) + (lengthBytes % GRANULE_BYTES) === 0;
    if (!wholePages && !this.#residency.covers(offsetBytes, lengthBytes)) return false;
    const started = this.#now();
    let count: number;
    try {
      count = this.#calls.writeSync(this.#fd, buffer, bufferOffset, lengthBytes, offsetBytes);
    } catch {
      // Nothing is promised: the asynchronous path writes it again and tells the error.
      return false;
    }
    if (this.#now() - started > SLOW_WRITE_MS) {
      this.#writesToDefer = WRITES_ASYNCHRONOUS_AFTER_SLOW;
    }
    if (count !== lengthBytes) return false;
    this.#written(offsetBytes, lengthBytes);
    return true;
  }

  submit(request: IoRequest): void {
    const refusal = this.#refusal(request);
    if (refusal !== null) {
      request.done(refusal);
      return;
    }
    switch (request.kind) {
      case IoKind.flush:
        if (this.traits.readOnly) request.done(null);
        else this.#flushes.add(request);
        return;
      case IoKind.discard:
      case IoKind.writeZeroes:
        if (request.lengthBytes === 0) request.done(null);
        else this.#ranges.submit(request);
        return;
      case IoKind.read:
      case IoKind.write:
        if (request.lengthBytes === 0) request.done(null);
        else this.#transfers.submit(request);
        return;
      default:
        unreachable(request.kind);
    }
  }

  refuseWrites(error: IoError): void {
    this.#stop.set(error);
    this.#writesSynchronously = false;
    this.#cleaner.stop();
  }

  onFlushFailure(listener: FlushFailureListener): () => void {
    return this.#flushes.onFailure(listener);
  }

  async refreshCapacity(): Promise<number> {
    if (this.#closed === null) {
      this.#capacityBytes = await measureCapacity(this.#fd, this.#opened.rdev);
    }
    return this.#capacityBytes;
  }

  close(): Promise<void> {
    this.#closed ??= this.#shutDown();
    return this.#closed;
  }

  async #shutDown(): Promise<void> {
    this.#readsSynchronously = false;
    this.#writesSynchronously = false;
    // In this order: range work may still write zeros, and both may end in a flush.
    await new Promise<void>((resolve) => this.#ranges.whenIdle(resolve));
    await new Promise<void>((resolve) => this.#transfers.whenIdle(resolve));
    await new Promise<void>((resolve) => this.#flushes.whenIdle(resolve));
    await this.#cleaner.close();
    await closeOpened(this.#opened);
  }

  /** Also false for what is no number: the system would take that for "where the last read ended". */
  #holds(offsetBytes: number, lengthBytes: number): boolean {
    return offsetBytes >= 0 && lengthBytes >= 0 && offsetBytes + lengthBytes <= this.#capacityBytes;
  }

  /** Why a request cannot even begin; null when it can. */
  #refusal(request: IoRequest): IoError | null {
    const { kind, offsetBytes, lengthBytes } = request;
    const context = { object: this.name, offsetBytes };
    if (this.#closed !== null) {
      return new IoError("gone", "it is closed", context);
    }
    if (kind !== IoKind.read && this.#flushes.failure !== null) return this.#flushes.failure;
    if (kind === IoKind.flush) return null;
    if (kind !== IoKind.read && this.#stop.error !== null) return this.#stop.error;
    assert(offsetBytes >= 0 && lengthBytes >= 0, "a request has a range");
    if (kind !== IoKind.read && this.traits.readOnly) {
      return new IoError("read-only", "it cannot be written", context);
    }
    if (kind === IoKind.discard && this.traits.discardGranularityBytes === 0) {
      return new IoError("unsupported", "discard is not supported", context);
    }
    if (!this.#holds(offsetBytes, lengthBytes)) {
      return new IoError("range", "the range lies past the end", context);
    }
    return null;
  }

  /** A part of a request that was let in already, which goes on while the device is being closed. */
  #submitZeroes(request: IoRequest): void {
    const error = this.#flushes.failure ?? this.#stop.error;
    if (error === null) this.#transfers.submit(request);
    else request.done(error);
  }

  #makeTransfers(end: TransferEnd): Transfer[] {
    const alignmentBytes = this.#opened.directAlignmentBytes;
    const count = CONCURRENT_TRANSFERS_MAX + URGENT_TRANSFERS;
    const indexes = Array.from({ length: count }, (_, index) => index);
    if (alignmentBytes === 0) {
      return indexes.map(() => new BufferedTransfer(this.name, this.#calls, end, this.#stop));
    }
    const pool = new AlignedBufferPool(BOUNCE_BUFFER_BYTES, count);
    return indexes.map(() => {
      const bounce = pool.lease();
      assert(bounce !== null, "there is a bounce buffer for each transfer");
      const memory = { bounce, alignmentBytes };
      return new DirectTransfer(this.name, this.#calls, end, this.#stop, memory);
    });
  }

  #descriptorFor(request: IoRequest): number {
    const synced = request.forceUnitAccess && request.kind === IoKind.write;
    return synced && this.#opened.syncFd !== -1 ? this.#opened.syncFd : this.#fd;
  }

  #runsAlone(request: IoRequest): boolean {
    const alignmentBytes = this.#opened.directAlignmentBytes;
    return (
      alignmentBytes !== 0 && request.kind === IoKind.write && isUnaligned(request, alignmentBytes)
    );
  }

  #written(offsetBytes: number, lengthBytes: number): void {
    this.#residency.add(offsetBytes, lengthBytes);
    this.#dirtyBytes += lengthBytes;
    if (this.#dirtyBytes >= DIRTY_BYTES_MAX && !this.#flushes.isRunning) this.#flushes.begin();
  }

  #transferred(request: IoRequest, error: IoError | null): void {
    const { kind, offsetBytes, lengthBytes } = request;
    if (error !== null) {
      if (error.kind === "range") this.#noticeShrinking();
      // Also where it says that there is no room: after a failed flush nobody is to wait for some.
      request.done(kind === IoKind.read ? error : (this.#flushes.failure ?? error));
      return;
    }
    if (kind === IoKind.read) {
      this.#residency.add(offsetBytes, lengthBytes);
      request.done(null);
      return;
    }
    this.#written(offsetBytes, lengthBytes);
    this.#finishWrite(request, this.#opened.syncFd !== -1);
  }

  #cleared(request: IoRequest, error: IoError | null): void {
    this.#residency.remove(request.offsetBytes, request.lengthBytes);
    if (error === null) this.#finishWrite(request, false);
    else request.done(error);
  }

  #finishWrite(request: IoRequest, isStable: boolean): void {
    if (request.forceUnitAccess && !isStable) this.#flushes.add(request);
    else request.done(null);
  }

  /** A file became shorter under us: from now on the rest is refused at once. */
  #noticeShrinking(): void {
    if (this.isBlockDevice || this.#closed !== null) return;
    this.#calls.fileSize(this.#fd, (error, sizeBytes) => {
      if (error === null && sizeBytes < this.#capacityBytes) this.#capacityBytes = sizeBytes;
    });
  }
}
