import type { IoError } from "../../../src/util/io-error.ts";
import { IoKind, IoRequest } from "../../../src/util/io-request.ts";
import type { LogicalUnit } from "../../../src/scsi/logical-unit.ts";
import { decodeSense, type SenseData } from "../../../src/scsi/sense.ts";
import { Task, type DataSink, type TaskStep } from "../../../src/scsi/task.ts";
import type { Volume } from "../../../src/volume/volume.ts";

/** One operation of the transport's, with the continuation that a test can follow. */
class TransportIo extends IoRequest {
  readonly #then: (error: IoError | null) => void;
  constructor(then: (error: IoError | null) => void) {
    super();
    this.#then = then;
  }
  override done(error: IoError | null): void {
    this.#then(error);
  }
}

/** A task whose initiator sits in the test: it offers data-out, and keeps what came in and how the task ended. */
export class FakeTask extends Task {
  /** What the initiator sends. */
  dataOut: Uint8Array = new Uint8Array(0);
  /** What arrived at the initiator; null where the command returned no data. */
  dataIn: Buffer | null = null;
  /** Data-out is asked for and held back until `deliver`. */
  holdDataOut = false;
  solicitedBytes = 0;
  responses = 0;
  forgotten = 0;
  /** How often the memory of a task came back that had ended before its I/O. */
  released = 0;
  /** The volume that data-in came from, for tests of the hot path. */
  forcedUnitAccess = false;
  #deliver: (() => void) | null = null;

  /** Responses and retirements: exactly one in the life of a command. */
  get ends(): number {
    return this.responses + this.forgotten;
  }

  /** Sense data of the response; null where it has none. */
  get senseData(): SenseData | null {
    return decodeSense(this.sense, this.senseBytes);
  }

  /** Sense key, ASC and ASCQ of the response; -1 where it has none. */
  get senseCode(): number {
    return this.senseData?.code ?? -1;
  }

  override returnData(data: Uint8Array, lengthBytes: number): void {
    if (lengthBytes > data.length) throw new Error("more is returned than there is");
    this.dataIn = Buffer.from(data.subarray(0, lengthBytes));
    this.complete(0);
  }

  override transferIn(volume: Volume, offsetBytes: number, lengthBytes: number): void {
    const buffer = Buffer.alloc(lengthBytes);
    if (volume.tryRead(buffer, 0, lengthBytes, offsetBytes)) {
      this.dataIn = buffer;
      this.complete(0);
      return;
    }
    this.#submit(volume, IoKind.read, offsetBytes, buffer, () => {
      this.dataIn = buffer;
    });
  }

  override transferOut(
    sink: DataSink,
    offsetBytes: number,
    lengthBytes: number,
    forceUnitAccess: boolean,
  ): void {
    this.solicitedBytes = lengthBytes;
    this.forcedUnitAccess = forceUnitAccess;
    const move = (): void => {
      const data = Buffer.from(this.dataOut.subarray(0, lengthBytes));
      if (!forceUnitAccess && sink.tryWrite(data, 0, data.length, offsetBytes)) this.complete(0);
      else this.#submit(sink, IoKind.write, offsetBytes, data, () => undefined);
    };
    this.#afterDataOut(move);
  }

  override collect(lengthBytes: number, step: TaskStep): void {
    this.solicitedBytes = lengthBytes;
    this.#afterDataOut(() => {
      this.parameter = Buffer.from(this.dataOut.subarray(0, lengthBytes));
      this.parameterBytes = this.parameter.length;
      step(this.#unit(), this);
    });
  }

  #unit(): LogicalUnit {
    if (this.unit === null) throw new Error("no unit");
    return this.unit;
  }

  #afterDataOut(move: () => void): void {
    if (this.holdDataOut) this.#deliver = move;
    else move();
  }

  /** The data-out that was held back arrives. */
  deliver(): void {
    const move = this.#deliver;
    this.#deliver = null;
    if (move !== null && !this.ended) move();
  }

  #submit(
    to: DataSink,
    kind: typeof IoKind.read | typeof IoKind.write,
    offsetBytes: number,
    buffer: Buffer,
    then: () => void,
  ): void {
    const io = new TransportIo((error) => {
      this.ioRunning = false;
      if (this.cancelled) {
        this.cancelledIoDone();
        return;
      }
      if (error !== null) {
        this.failIo(error);
        return;
      }
      then();
      this.complete(0);
    });
    io.kind = kind;
    io.offsetBytes = offsetBytes;
    io.lengthBytes = buffer.length;
    io.buffers = [buffer];
    this.ioRunning = true;
    to.submit(io);
  }

  protected override respond(): void {
    this.responses += 1;
  }

  protected override forget(): void {
    this.forgotten += 1;
  }

  protected override halt(): void {
    this.#deliver = null;
  }

  protected override release(): void {
    this.released += 1;
  }

  override stop(): void {
    if (!this.ioRunning) this.retire();
  }
}
