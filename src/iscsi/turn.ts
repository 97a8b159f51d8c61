import type { Clock } from "../util/clock.ts";

/** Whoever has something to send at the end of the turn. */
export interface TurnMember {
  endTurn(): void;
}

/**
 * How long the event loop goes on looking for the next command without sleeping, from the last answer on. A wake-up from epoll costs 25
 * to 40 us on a virtual machine, so a loop that spins for about that long is paid back whenever a command comes within it.
 */
const POLL_MS = 0.05;

/**
 * After so many polls in a row that no command ended, polling does not pay: the initiator is slower than that, or waits for the CPU that
 * polls.
 */
const MISSES_MAX = 16;

/** Then only one in so many turns polls, to find out whether it pays again. */
const TURNS_FOR_PROBE = 32;

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
  /** Answers went out since the last end. */
  #hasAnswered = false;
  /** 0: it does not poll. */
  #pollUntilMs = 0;
  #misses = 0;
  #turnsToProbe = 0;
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

  /** Commands came: what is looked for was found. What they wait for may take long, and ends by an event. */
  heard(): void {
    if (this.#pollUntilMs === 0) return;
    this.#misses = 0;
    this.#pollUntilMs = 0;
  }

  /** Answers went out: the next command may follow at once. */
  answered(): void {
    if (!this.#polls) return;
    this.#hasAnswered = true;
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
    if (this.#hasAnswered) {
      this.#hasAnswered = false;
      this.#beginPoll();
    } else if (this.#pollUntilMs !== 0) this.#goOnPolling();
  }

  #beginPoll(): void {
    if (this.#misses >= MISSES_MAX) {
      this.#pollUntilMs = 0;
      this.#turnsToProbe -= 1;
      if (this.#turnsToProbe > 0) return;
      this.#turnsToProbe = TURNS_FOR_PROBE;
    }
    this.#pollUntilMs = this.#clock.nowMs() + POLL_MS;
    this.#schedule();
  }

  #goOnPolling(): void {
    if (this.#clock.nowMs() < this.#pollUntilMs) {
      this.#schedule();
      return;
    }
    this.#pollUntilMs = 0;
    if (this.#misses < MISSES_MAX) this.#misses += 1;
  }
}
