import { getUint32BE } from "../util/bytes.ts";
import { serialAdd, serialLess, serialLessOrEqual } from "../util/serial-number.ts";
import { BasicHeaderOffset } from "../iscsi/pdu/basic-header.ts";
import { InitiatorError } from "./initiator-error.ts";

/** CmdSN, ExpCmdSN, MaxCmdSN and ExpStatSN of a session with one connection (RFC 7143 4.2.2). */
export class SequenceNumbers {
  #cmdSn: number;
  #expCmdSn: number;
  #maxCmdSn: number;
  #expStatSn: number;

  constructor(start: { cmdSn: number; maxCmdSn: number; expStatSn: number }) {
    this.#cmdSn = start.cmdSn;
    this.#expCmdSn = start.cmdSn;
    this.#maxCmdSn = start.maxCmdSn;
    this.#expStatSn = start.expStatSn;
  }

  /** The number of the next command. */
  get cmdSn(): number {
    return this.#cmdSn;
  }

  get expCmdSn(): number {
    return this.#expCmdSn;
  }

  get maxCmdSn(): number {
    return this.#maxCmdSn;
  }

  get expStatSn(): number {
    return this.#expStatSn;
  }

  /** True while the target takes another command. */
  get windowOpen(): boolean {
    return serialLessOrEqual(this.#cmdSn, this.#maxCmdSn);
  }

  /** Gives the number for one command; an immediate one carries the next number without using it up. */
  take(immediate: boolean): number {
    const taken = this.#cmdSn;
    if (!immediate) this.#cmdSn = serialAdd(taken, 1);
    return taken;
  }

  /** Takes ExpCmdSN and MaxCmdSN of a PDU from the target, RFC 7143 4.2.2.1. */
  see(header: Uint8Array): void {
    const expCmdSn = getUint32BE(header, BasicHeaderOffset.expCmdSn);
    const maxCmdSn = getUint32BE(header, BasicHeaderOffset.maxCmdSn);
    if (serialLess(maxCmdSn, serialAdd(expCmdSn, -1))) return;
    if (serialLess(this.#expCmdSn, expCmdSn)) this.#expCmdSn = expCmdSn;
    if (serialLess(this.#maxCmdSn, maxCmdSn)) this.#maxCmdSn = maxCmdSn;
  }

  /** Takes the StatSN of a PDU that carries a status. At error recovery level 0 a gap ends the session. */
  seeStatus(header: Uint8Array): void {
    const statSn = getUint32BE(header, BasicHeaderOffset.statSn);
    if (statSn !== this.#expStatSn) {
      throw new InitiatorError("protocol", `StatSN ${statSn} where ${this.#expStatSn} was due`);
    }
    this.#expStatSn = serialAdd(statSn, 1);
  }
}
