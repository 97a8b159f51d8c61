import { getUint32BE } from "../util/bytes.ts";
import { CommandOrder, type CommandWindow } from "./command-window.ts";
import { HELD_BYTES_MAX } from "./limits.ts";
import { BasicHeaderOffset, paddedBytes } from "./pdu/basic-header.ts";
import { ProtocolError } from "./protocol-error.ts";

/** Whoever carries out numbered PDUs when their turn has come. */
export interface SequenceExecutor {
  /** False once nothing more is to be carried out. */
  readonly live: boolean;
  /** The PDU stands at `base`; its memory is valid during the call. */
  execute(bytes: Buffer, base: number, dataOffset: number, dataBytes: number): void;
}

/** A numbered PDU that came before its turn. */
interface HeldPdu {
  readonly bytes: Buffer;
  readonly dataOffset: number;
  readonly dataBytes: number;
}

/** Puts the numbered PDUs of a session into the order of their CmdSN, RFC 7143 4.2.2.1. */
export class CommandSequence {
  readonly #window: CommandWindow;
  readonly #executor: SequenceExecutor;
  readonly #held: Map<number, HeldPdu> = new Map();
  #heldBytes = 0;

  constructor(window: CommandWindow, executor: SequenceExecutor) {
    this.#window = window;
    this.#executor = executor;
  }

  /**
   * Carries a PDU out when its turn is now, with those that waited for it; keeps it when its turn comes later. Throws
   * ProtocolError when too much waits.
   */
  take(bytes: Buffer, base: number, dataOffset: number, dataBytes: number): void {
    const cmdSn = getUint32BE(bytes, base + BasicHeaderOffset.cmdSn);
    const order = this.#window.orderOf(cmdSn);
    if (order === CommandOrder.next) {
      this.#window.advance();
      this.#executor.execute(bytes, base, dataOffset, dataBytes);
      if (this.#held.size !== 0) this.#executeHeld();
    } else if (order === CommandOrder.early && !this.#held.has(cmdSn)) {
      const end = dataOffset + paddedBytes(dataBytes);
      this.#heldBytes += end - base;
      if (this.#heldBytes > HELD_BYTES_MAX) {
        throw new ProtocolError("too much was sent out of order, and the command before it never");
      }
      const copy = Buffer.from(bytes.subarray(base, end));
      this.#held.set(cmdSn, { bytes: copy, dataOffset: dataOffset - base, dataBytes });
    }
  }

  /**
   * Counts a number that was not carried out yet as received, and drops the PDU when it waits here. False: it is none that
   * was still due.
   */
  countAsReceived(cmdSn: number): boolean {
    if (!this.#window.countAsReceived(cmdSn)) return false;
    this.#remove(cmdSn);
    this.#executeHeld();
    return true;
  }

  #executeHeld(): void {
    while (this.#executor.live) {
      const held = this.#remove(this.#window.expCmdSn);
      if (held === undefined) return;
      this.#window.advance();
      this.#executor.execute(held.bytes, 0, held.dataOffset, held.dataBytes);
    }
  }

  #remove(cmdSn: number): HeldPdu | undefined {
    const held = this.#held.get(cmdSn);
    if (held === undefined) return undefined;
    this.#held.delete(cmdSn);
    this.#heldBytes -= held.bytes.length;
    return held;
  }
}
