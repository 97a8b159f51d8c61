import type { Socket } from "node:net";
import { assert } from "../util/assert.ts";
import { getUint32BE, getUint8, setUint32BE, setUint64BE } from "../util/bytes.ts";
import {
  BASIC_HEADER_BYTES,
  BasicHeaderOffset,
  dataSegmentBytesOf,
  opcodeOf,
  paddedBytes,
} from "../iscsi/pdu/basic-header.ts";
import { DataInField, DataInFlag } from "../iscsi/pdu/data-in.ts";
import { encodeDataOut } from "../iscsi/pdu/data-out.ts";
import { Opcode } from "../iscsi/pdu/opcode.ts";
import { decodeReadyToTransfer } from "../iscsi/pdu/ready-to-transfer.ts";
import { encodeScsiCommand, ScsiCommandField, ScsiCommandFlag } from "../iscsi/pdu/scsi-command.ts";
import { encodeLun } from "./command.ts";
import { immediateBytesOf, unsolicitedBytesOf } from "./data-out-sender.ts";
import { InitiatorError } from "./initiator-error.ts";
import type { LoginResult } from "./login.ts";

/** What is measured: one kind of command, so many at a time. */
export interface Load {
  readonly kind: "read" | "write";
  /** "scattered" visits each place of `scatter` once, in no order. */
  readonly pattern: "random" | "sequential" | "scattered";
  readonly lun: number;
  readonly commandBytes: number;
  readonly queueDepth: number;
  readonly blockBytes: number;
  readonly capacityBlocks: number;
  readonly scatter?: Scatter;
  /** Commands that end with CHECK CONDITION count as others do: the disk is being changed meanwhile. */
  readonly toleratesChecks?: boolean;
}

/** Places at the same distance, each of which is visited once: for what happens only the first time. */
export interface Scatter {
  /** From one place to the next. */
  readonly strideBlocks: number;
  /** A power of two. */
  readonly places: number;
  /** The first of the visits that are made, and how many: what one load leaves out is for another. */
  readonly first: number;
  readonly count: number;
}

/** Odd, so that multiples of it modulo a power of two are all of the places; its bits lead far from each place to the next. */
const SCATTER_STEP = 40_503;

const CHECK_CONDITION = 0x02;

/** Latencies are counted in buckets of a twentieth of an octave, from 1 us on: 5 % is close enough. */
const BUCKETS_PER_OCTAVE = 20;
const BUCKETS = 32 * BUCKETS_PER_OCTAVE;

/** What was measured since the last `reset`. */
export interface LoadCounts {
  readonly commands: number;
  readonly elapsedMs: number;
  /** Upper end of the bucket that holds this share of the latencies, in microseconds. */
  readonly latencyUs: (share: number) => number;
}

/**
 * Keeps a number of commands in flight over a connection that has just logged in, without digests, and counts what
 * completes. It allocates nothing for a read and does not look at the data: what is measured is the target.
 */
export class LoadGenerator {
  readonly #socket: Socket;
  readonly #load: Load;
  readonly #login: LoginResult;
  readonly #onFailure: (error: InitiatorError) => void;
  /** One command PDU for each place in the queue, with its immediate data, used again and again. */
  readonly #frames: Buffer[] = [];
  readonly #startedMs: Float64Array;
  readonly #ready: Int32Array;
  #readyCount = 0;
  /** A header that came in two pieces. */
  readonly #header: Buffer = Buffer.alloc(BASIC_HEADER_BYTES);
  #headerBytes = 0;
  #skipBytes = 0;
  #cmdSn: number;
  #expStatSn: number;
  #nextBlock = 0;
  #randomState = 0x2545_f491;
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
  #commands = 0;
  #sinceMs = 0;
  readonly #histogram: Uint32Array = new Uint32Array(BUCKETS);

  /** The caller feeds what arrives on the socket into `receive`. */
  constructor(
    socket: Socket,
    login: LoginResult,
    load: Load,
    onFailure: (error: InitiatorError) => void,
  ) {
    assert(load.commandBytes % load.blockBytes === 0, "commands move whole blocks");
    const places = load.scatter?.places ?? 1;
    assert(
      (places & (places - 1)) === 0,
      "scattered places are a power of two: else some are visited twice",
    );
    this.#socket = socket;
    this.#load = load;
    this.#login = login;
    this.#onFailure = onFailure;
    this.#cmdSn = login.cmdSn;
    this.#expStatSn = login.expStatSn;
    this.#left = load.scatter?.count ?? Infinity;
    this.#startedMs = new Float64Array(load.queueDepth);
    this.#ready = new Int32Array(load.queueDepth);
    for (let slot = 0; slot < load.queueDepth; slot += 1) this.#frames.push(this.#newFrame(slot));
  }

  start(): void {
    this.reset();
    for (let slot = 0; slot < this.#load.queueDepth; slot += 1) this.#makeReady(slot);
    this.#send();
  }

  /** Begins counting anew. */
  reset(): void {
    this.#commands = 0;
    this.#histogram.fill(0);
    this.#sinceMs = performance.now();
  }

  get counts(): LoadCounts {
    const histogram = this.#histogram.slice();
    const commands = this.#commands;
    return {
      commands,
      elapsedMs: (this.#exhaustedMs ?? performance.now()) - this.#sinceMs,
      latencyUs: (share) => {
        let left = commands * share;
        const bucket = histogram.findIndex((count) => (left -= count) <= 0);
        return 2 ** ((bucket + 1) / BUCKETS_PER_OCTAVE);
      },
    };
  }

  /** What the next command on the connection has: another load may go on with it once this one has stopped. */
  get numbers(): { readonly cmdSn: number; readonly expStatSn: number } {
    return { cmdSn: this.#cmdSn, expStatSn: this.#expStatSn };
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
    this.#skipBytes = paddedBytes(dataSegmentBytesOf(bytes, base));
    const opcode = opcodeOf(bytes, base);
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
    const latencyUs = Math.max(1, (performance.now() - startedMs) * 1000);
    const bucket = Math.min(BUCKETS - 1, Math.floor(Math.log2(latencyUs) * BUCKETS_PER_OCTAVE));
    this.#histogram[bucket] = (this.#histogram[bucket] ?? 0) + 1;
    this.#commands += 1;
    this.#inFlight -= 1;
    if (!this.#stopping && this.#left > 0) this.#makeReady(slot);
    else if (this.#inFlight === 0 && this.#readyCount === 0) this.#becomeIdle();
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

  /** Everything that became free is sent together: one system call for each chunk that was received. */
  #send(): void {
    if (this.#readyCount === 0) return;
    const nowMs = performance.now();
    const batch = this.#readyCount > 1;
    if (batch) this.#socket.cork();
    for (let index = 0; index < this.#readyCount; index += 1) {
      const slot = this.#ready[index] ?? 0;
      const frame = this.#frames[slot];
      assert(frame !== undefined, "each place has a frame");
      setUint64BE(frame, ScsiCommandField.cdb[0] + 2, this.#takeBlock());
      setUint32BE(frame, ScsiCommandField.cmdSn[0], this.#cmdSn);
      setUint32BE(frame, ScsiCommandField.expStatSn[0], this.#expStatSn);
      this.#cmdSn = (this.#cmdSn + 1) >>> 0;
      this.#startedMs[slot] = nowMs;
      this.#inFlight += 1;
      this.#socket.write(frame);
    }
    this.#readyCount = 0;
    if (batch) this.#socket.uncork();
  }

  /** The first block of the next command. */
  #takeBlock(): number {
    const { commandBytes, blockBytes, capacityBlocks, pattern, scatter } = this.#load;
    if (scatter !== undefined) {
      const visit = scatter.first + this.#nextBlock;
      this.#nextBlock += 1;
      return ((visit * SCATTER_STEP) % scatter.places) * scatter.strideBlocks;
    }
    const blocks = commandBytes / blockBytes;
    const places = Math.floor(capacityBlocks / blocks);
    if (pattern === "sequential") {
      this.#nextBlock = (this.#nextBlock + 1) % places;
      return this.#nextBlock * blocks;
    }
    // xorshift32: repeatable, and cheap beside a command.
    let state = this.#randomState;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#randomState = state;
    return ((state >>> 0) % places) * blocks;
  }

  #newFrame(slot: number): Buffer {
    const { kind, lun, commandBytes, blockBytes } = this.#load;
    const { parameters } = this.#login;
    const writes = kind === "write";
    const immediateBytes = writes ? immediateBytesOf(parameters, commandBytes) : 0;
    const unsolicitedBytes = writes ? unsolicitedBytesOf(parameters, commandBytes) : 0;
    const cdb = new Uint8Array(16);
    cdb[0] = writes ? 0x8a : 0x88;
    setUint32BE(cdb, 10, commandBytes / blockBytes);
    const header = Buffer.alloc(BASIC_HEADER_BYTES);
    encodeScsiCommand(header, 0, {
      immediate: false,
      flags:
        (unsolicitedBytes > immediateBytes ? 0 : ScsiCommandFlag.final) |
        (writes ? ScsiCommandFlag.write : ScsiCommandFlag.read) |
        1,
      lun: encodeLun(lun),
      initiatorTaskTag: slot,
      expectedDataTransferBytes: commandBytes,
      cmdSn: 0,
      expStatSn: 0,
      cdb,
      totalAdditionalHeaderWords: 0,
      dataSegmentBytes: immediateBytes,
    });
    const immediate = Buffer.alloc(immediateBytes, slot + 1);
    const unsolicited = this.#dataOut(slot, 0xffff_ffff, immediateBytes, unsolicitedBytes);
    return Buffer.concat([header, immediate, ...unsolicited]);
  }

  #dataOut(slot: number, targetTransferTag: number, start: number, end: number): Buffer[] {
    const pieceBytesMax = this.#login.parameters.targetMaxRecvDataSegmentLength;
    const pdus: Buffer[] = [];
    for (let at = start; at < end; at += pieceBytesMax) {
      const dataSegmentBytes = Math.min(pieceBytesMax, end - at);
      const pdu = Buffer.alloc(BASIC_HEADER_BYTES + dataSegmentBytes, slot + 1);
      encodeDataOut(pdu, 0, {
        final: at + dataSegmentBytes === end,
        lun: encodeLun(this.#load.lun),
        initiatorTaskTag: slot,
        targetTransferTag,
        expStatSn: this.#expStatSn,
        dataSn: pdus.length,
        bufferOffset: at,
        dataSegmentBytes,
      });
      pdus.push(pdu);
    }
    return pdus;
  }

  #sendSolicited(header: Uint8Array): void {
    const r2t = decodeReadyToTransfer(header, 0);
    const { initiatorTaskTag, targetTransferTag, bufferOffset } = r2t;
    const end = bufferOffset + r2t.desiredDataTransferBytes;
    const pdus = this.#dataOut(initiatorTaskTag, targetTransferTag, bufferOffset, end);
    this.#socket.cork();
    for (const pdu of pdus) this.#socket.write(pdu);
    this.#socket.uncork();
  }

  #fail(message: string): void {
    this.#onFailure(new InitiatorError("protocol", message));
  }
}
