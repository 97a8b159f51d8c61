import type { Socket } from "node:net";
import { assert } from "../util/assert.ts";
import { getUint32BE, getUint8 } from "../util/bytes.ts";
import {
  BASIC_HEADER_BYTES,
  BasicHeaderOffset,
  dataSegmentBytesOf,
  opcodeOf,
} from "../iscsi/pdu/basic-header.ts";
import { DataInField, DataInFlag } from "../iscsi/pdu/data-in.ts";
import { Opcode } from "../iscsi/pdu/opcode.ts";
import { decodeReadyToTransfer } from "../iscsi/pdu/ready-to-transfer.ts";
import { InitiatorError } from "./initiator-error.ts";
import { LatencyCounts } from "./latency-counts.ts";
import { LoadAction, type Load } from "./load.ts";
import { LoadFrames, type LoadFrame } from "./load-frames.ts";
import { LoadPlan } from "./load-plan.ts";
import type { LoginResult } from "./login.ts";

export type { Load } from "./load.ts";

const CHECK_CONDITION = 0x02;

/** What was measured since the last `reset`. */
export interface LoadCounts {
  readonly commands: number;
  /** That were read and written. */
  readonly bytes: number;
  readonly elapsedMs: number;
  readonly latencies: LatencyCounts;
  /** Upper end of the bucket that holds this share of the latencies, in microseconds. */
  readonly latencyUs: (share: number) => number;
}

/**
 * Keeps a number of commands in flight over a connection that has just logged in, and counts what completes. It allocates nothing
 * for a read, and looks neither at the data nor at the digests that come: what is measured is the target.
 */
export class LoadGenerator {
  readonly #socket: Socket;
  readonly #load: Load;
  readonly #onFailure: (error: InitiatorError) => void;
  readonly #plan: LoadPlan;
  readonly #pdus: LoadFrames;
  /** By action and place in the queue, used again and again. */
  readonly #frames: (LoadFrame | undefined)[] = [];
  /** By place in the queue. */
  readonly #actions: LoadAction[] = [];
  readonly #startedMs: Float64Array;
  readonly #ready: Int32Array;
  #readyCount = 0;
  /** A header that came in two pieces. */
  readonly #header: Buffer = Buffer.alloc(BASIC_HEADER_BYTES);
  #headerBytes = 0;
  #skipBytes = 0;
  #cmdSn: number;
  #expStatSn: number;
  /** The last command that the target has room for. */
  #maxCmdSn: number;
  #stopping = false;
  /** Commands that may still be sent. */
  #left: number;
  #exhaustedMs: number | null = null;
  #onExhausted: () => void = () => undefined;
  /** Resolves when all places of a scattered load were visited. */
  readonly exhausted: Promise<void> = new Promise((resolve) => {
    this.#onExhausted = resolve;
  });
  #inFlight = 0;
  #onIdle: () => void = () => undefined;
  #bytes = 0;
  #sinceMs = 0;
  readonly #latencies: LatencyCounts = new LatencyCounts();

  /** The caller feeds what arrives on the socket into `receive`. */
  constructor(
    socket: Socket,
    login: LoginResult,
    load: Load,
    onFailure: (error: InitiatorError) => void,
  ) {
    this.#socket = socket;
    this.#load = load;
    this.#plan = new LoadPlan(load);
    this.#pdus = new LoadFrames(load, login.parameters);
    this.#onFailure = onFailure;
    this.#cmdSn = login.cmdSn;
    this.#expStatSn = login.expStatSn;
    this.#maxCmdSn = login.maxCmdSn;
    this.#left = load.scatter?.count ?? Infinity;
    this.#startedMs = new Float64Array(load.queueDepth);
    this.#ready = new Int32Array(load.queueDepth);
    for (const action of this.#plan.actions) {
      for (let slot = 0; slot < load.queueDepth; slot += 1) {
        const frame = this.#pdus.make(slot, action, login.expStatSn);
        this.#frames[action * load.queueDepth + slot] = frame;
      }
    }
  }

  start(): void {
    this.reset();
    for (let slot = 0; slot < this.#load.queueDepth; slot += 1) this.#makeReady(slot);
    this.#send();
  }

  /** Begins counting anew. */
  reset(): void {
    this.#bytes = 0;
    this.#latencies.clear();
    this.#sinceMs = performance.now();
  }

  get counts(): LoadCounts {
    const latencies = this.#latencies.copy();
    return {
      commands: latencies.count,
      bytes: this.#bytes,
      elapsedMs: (this.#exhaustedMs ?? performance.now()) - this.#sinceMs,
      latencies,
      latencyUs: (share) => latencies.quantileUs(share),
    };
  }

  /** What the next command on the connection has: another load may go on with it once this one has stopped. */
  get numbers(): Pick<LoginResult, "cmdSn" | "expStatSn" | "maxCmdSn"> {
    return { cmdSn: this.#cmdSn, expStatSn: this.#expStatSn, maxCmdSn: this.#maxCmdSn };
  }

  /** Sends nothing more; resolves when all that is in flight has been answered. */
  stop(): Promise<void> {
    this.#stopping = true;
    return new Promise((resolve) => {
      this.#onIdle = resolve;
      if (this.#inFlight === 0) resolve();
    });
  }

  /** Takes what arrived. The bytes may be used again when this returns. */
  receive(bytes: Buffer, count: number): void {
    let at = 0;
    while (at < count) {
      if (this.#skipBytes > 0) {
        const skipped = Math.min(this.#skipBytes, count - at);
        this.#skipBytes -= skipped;
        at += skipped;
      } else if (this.#headerBytes === 0 && count - at >= BASIC_HEADER_BYTES) {
        this.#onHeader(bytes, at);
        at += BASIC_HEADER_BYTES;
      } else {
        const part = Math.min(BASIC_HEADER_BYTES - this.#headerBytes, count - at);
        bytes.copy(this.#header, this.#headerBytes, at, at + part);
        this.#headerBytes += part;
        at += part;
        if (this.#headerBytes === BASIC_HEADER_BYTES) {
          this.#headerBytes = 0;
          this.#onHeader(this.#header, 0);
        }
      }
    }
    this.#send();
  }

  #onHeader(bytes: Buffer, base: number): void {
    this.#skipBytes = this.#pdus.bytesAfterHeader(dataSegmentBytesOf(bytes, base));
    const opcode = opcodeOf(bytes, base);
    const maxCmdSn = getUint32BE(bytes, base + BasicHeaderOffset.maxCmdSn);
    // The window never closes again (RFC 7143 4.2.2.1): what is less comes late.
    if (((maxCmdSn - this.#maxCmdSn) | 0) > 0) this.#maxCmdSn = maxCmdSn;
    if (opcode === Opcode.dataIn) {
      if ((getUint8(bytes, base + DataInField.flags[0]) & DataInFlag.status) === 0) return;
      this.#complete(bytes, base);
    } else if (opcode === Opcode.scsiResponse) {
      this.#complete(bytes, base);
    } else if (opcode === Opcode.readyToTransfer) {
      this.#sendSolicited(bytes.subarray(base, base + BASIC_HEADER_BYTES));
    } else if (opcode !== Opcode.nopIn) {
      this.#fail(`a PDU of opcode ${opcode} under load`);
    }
  }

  #complete(bytes: Buffer, base: number): void {
    const status = getUint8(bytes, base + 3);
    const isTolerated = status === CHECK_CONDITION && this.#load.toleratesChecks === true;
    if (status !== 0 && !isTolerated) {
      this.#fail(`a command under load ended with status ${status}`);
      return;
    }
    const slot = getUint32BE(bytes, base + BasicHeaderOffset.initiatorTaskTag);
    this.#expStatSn = (getUint32BE(bytes, base + BasicHeaderOffset.statSn) + 1) >>> 0;
    const startedMs = this.#startedMs[slot];
    if (startedMs === undefined) {
      this.#fail("an answer to no command");
      return;
    }
    this.#latencies.record((performance.now() - startedMs) * 1000);
    if (this.#actions[slot] !== LoadAction.flush && this.#actions[slot] !== LoadAction.unmap) {
      this.#bytes += this.#load.commandBytes;
    }
    this.#inFlight -= 1;
    if (!this.#stopping && this.#left > 0) this.#makeReady(slot);
    else if (this.#inFlight === 0 && (this.#stopping || this.#readyCount === 0)) this.#becomeIdle();
  }

  #becomeIdle(): void {
    if (this.#left === 0) {
      this.#exhaustedMs ??= performance.now();
      this.#onExhausted();
    }
    this.#onIdle();
  }

  #makeReady(slot: number): void {
    if (this.#left === 0) return;
    this.#left -= 1;
    this.#ready[this.#readyCount] = slot;
    this.#readyCount += 1;
  }

  /** Everything that became free, and that the target has room for, is sent together: one system call for each chunk that was received. */
  #send(): void {
    if (this.#readyCount === 0 || this.#stopping) return;
    const room = ((this.#maxCmdSn - this.#cmdSn) | 0) + 1;
    const count = Math.min(this.#readyCount, Math.max(0, room));
    const nowMs = performance.now();
    const batch = count > 1;
    if (batch) this.#socket.cork();
    for (let index = 0; index < count; index += 1) {
      this.#sendCommand(this.#ready[index] ?? 0);
      this.#startedMs[this.#ready[index] ?? 0] = nowMs;
    }
    if (batch) this.#socket.uncork();
    this.#ready.copyWithin(0, count, this.#readyCount);
    this.#readyCount -= count;
  }

  #sendCommand(slot: number): void {
    const action = this.#plan.nextAction(slot);
    const frame = this.#frames[action * this.#load.queueDepth + slot];
    assert(frame !== undefined, "each place has a frame");
    const block = action === LoadAction.flush ? 0 : this.#plan.nextBlock(slot, action);
    this.#pdus.prepare(frame, block, this.#cmdSn, this.#expStatSn);
    this.#cmdSn = (this.#cmdSn + 1) >>> 0;
    this.#actions[slot] = action;
    this.#inFlight += 1;
    this.#socket.write(frame.bytes);
  }

  #sendSolicited(header: Uint8Array): void {
    const request = decodeReadyToTransfer(header, 0);
    const slot = request.initiatorTaskTag;
    const frame = this.#frames[(this.#actions[slot] ?? 0) * this.#load.queueDepth + slot];
    if (frame === undefined) {
      this.#fail("an R2T for no command");
      return;
    }
    this.#socket.cork();
    for (const piece of this.#pdus.answer(frame, request, this.#expStatSn)) {
      this.#socket.write(piece);
    }
    this.#socket.uncork();
  }

  #fail(message: string): void {
    this.#onFailure(new InitiatorError("protocol", message));
  }
}
