import type { Clock } from "../util/clock.ts";

/** Whoever has something to send at the end of the turn. */
export interface TurnMember {
  endTurn(): void;
}

/**
 * How long the event loop goes on looking for the next command without sleeping. A wake-up from epoll costs 25 to 40 us
 * on a virtual machine, so a loop that spins for about that long is paid back whenever a command comes within it.
 */
const POLL_MS = 0.05;

/**
 * The end of a turn of the event loop: connections that completed something asynchronously send it then, all together.
 * It also polls: while commands keep coming, the loop does not go to sleep between them.
 */
export class Turn {
  readonly #clock: Clock;
  readonly #polls: boolean;
  #members: TurnMember[] = [];
  #spare: TurnMember[] = [];
  #scheduled = false;
  #pollUntilMs = 0;
  readonly #onImmediate: () => void;

  constructor(clock: Clock, polls: boolean) {
    this.#clock = clock;
    this.#polls = polls;
    this.#onImmediate = () => this.#end();
  }

  /** Calls `endTurn` of the member before the loop waits again; a member asks once for a turn. */
  join(member: TurnMember): void {
    this.#members.push(member);
    this.#schedule();
  }

  /** Commands came at this moment: more may follow at once. */
  active(nowMs: number): void {
    if (!this.#polls) return;
    this.#pollUntilMs = nowMs + POLL_MS;
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(this.#onImmediate);
  }

  #end(): void {
    this.#scheduled = false;
    if (this.#members.length !== 0) {
      const members = this.#members;
      this.#members = this.#spare;
      for (const member of members) member.endTurn();
      members.length = 0;
      this.#spare = members;
    }
    if (this.#pollUntilMs !== 0) {
      if (this.#clock.nowMs() < this.#pollUntilMs) this.#schedule();
      else this.#pollUntilMs = 0;
    }
  }
}
