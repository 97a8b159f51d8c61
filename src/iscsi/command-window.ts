import { assert } from "../util/assert.ts";
import { serialAdd, serialDistance, serialLess } from "../util/serial-number.ts";

/** What to do with a numbered PDU, by its CmdSN. */
export const CommandOrder = {
  /** It is the next one: go on with it. */
  next: 0,
  /** Others have to come before it: keep it. */
  early: 1,
  /** It was here before, or has no business here: drop it in silence (RFC 7143 4.2.2.1). */
  outside: 2,
} as const;
export type CommandOrder = (typeof CommandOrder)[keyof typeof CommandOrder];

/**
 * The CmdSN window of a session, RFC 7143 4.2.2.1: which commands may come, and in which order they are taken.
 * Its width less the commands that are still at work is what the initiator may send: the bound on tasks per session.
 */
export class CommandWindow {
  readonly #width: number;
  #expCmdSn: number;
  #maxCmdSn: number;
  /** Numbers of this window that were taken out of turn (a task that was aborted before it came). */
  readonly #skipped: Set<number> = new Set();
  #activeCount = 0;

  constructor(firstCmdSn: number, width: number) {
    this.#width = width;
    this.#expCmdSn = firstCmdSn;
    this.#maxCmdSn = serialAdd(firstCmdSn, width - 1);
  }

  get expCmdSn(): number {
    return this.#expCmdSn;
  }

  /** Never goes back, as the RFC demands; so it follows the number of active tasks only upwards. */
  get maxCmdSn(): number {
    const granted = serialAdd(this.#expCmdSn, this.#width - 1 - this.#activeCount);
    if (serialLess(this.#maxCmdSn, granted)) this.#maxCmdSn = granted;
    return this.#maxCmdSn;
  }

  /** Classifies by what the initiator can know: the last MaxCmdSN that was sent. */
  orderOf(cmdSn: number): CommandOrder {
    if (cmdSn === this.#expCmdSn) {
      return serialLess(this.#maxCmdSn, cmdSn) ? CommandOrder.outside : CommandOrder.next;
    }
    const distance = serialDistance(this.#expCmdSn, cmdSn);
    const known = distance < 0 || this.#skipped.has(cmdSn);
    if (known || serialLess(this.#maxCmdSn, cmdSn)) return CommandOrder.outside;
    return CommandOrder.early;
  }

  /** The next number was taken. */
  advance(): void {
    do {
      this.#expCmdSn = serialAdd(this.#expCmdSn, 1);
    } while (this.#skipped.size !== 0 && this.#skipped.delete(this.#expCmdSn));
  }

  /** A number that is not to come any more counts as received. True when it was one that was still due. */
  countAsReceived(cmdSn: number): boolean {
    const order = this.orderOf(cmdSn);
    if (order === CommandOrder.next) this.advance();
    else if (order === CommandOrder.early) this.#skipped.add(cmdSn);
    return order !== CommandOrder.outside;
  }

  /** A command of the window is at work ... */
  taskStarted(): void {
    this.#activeCount += 1;
  }

  /** ... and was answered, or never will be. */
  taskEnded(): void {
    this.#activeCount -= 1;
    assert(this.#activeCount >= 0, "no more tasks end than began");
  }
}
