import { INITIATORS_COUNTED_MAX } from "./limits.ts";
import { NexusStatistics } from "./nexus-statistics.ts";
import { UnitStatistics } from "./unit-statistics.ts";

/** Stands for all initiators beyond the limit. No iSCSI name is like it. */
export const OTHER_INITIATORS = "other";

/** What one initiator did on one logical unit, over all its sessions so far. */
export interface InitiatorTotals {
  readonly lun: number;
  /** Its name, or {@link OTHER_INITIATORS}. */
  readonly initiator: string;
  readonly statistics: UnitStatistics;
}

/** The sessions of one initiator: those that are over, added up, and those that are there. */
interface Account {
  readonly past: NexusStatistics;
  readonly present: Set<NexusStatistics>;
}

/**
 * What came to a target, by initiator and logical unit. Sessions come and go, and no total ever goes down with them; only
 * a logical unit that is taken away takes its counters with it.
 */
export class TargetStatistics {
  readonly #accounts: Map<string, Account> = new Map();

  /** A session of the initiator begins. */
  open(initiator: string): NexusStatistics {
    const statistics = new NexusStatistics();
    this.#accountOf(initiator).present.add(statistics);
    return statistics;
  }

  #accountOf(initiator: string): Account {
    // Once in its own account or in the common one, an initiator stays there: no count moves from one to the other.
    const isCounted = this.#accounts.has(initiator);
    const name =
      isCounted || this.#accounts.size < INITIATORS_COUNTED_MAX ? initiator : OTHER_INITIATORS;
    let account = this.#accounts.get(name);
    if (account === undefined) {
      account = { past: new NexusStatistics(), present: new Set() };
      this.#accounts.set(name, account);
    }
    return account;
  }

  /** No command of the session is at work any more. */
  close(statistics: NexusStatistics): void {
    for (const { past, present } of this.#accounts.values()) {
      if (!present.delete(statistics)) continue;
      for (const [lun, counted] of statistics.entries()) past.of(lun).add(counted);
    }
  }

  /** The unit under the LUN was taken away. */
  drop(lun: number): void {
    for (const { past, present } of this.#accounts.values()) {
      past.drop(lun);
      for (const statistics of present) statistics.drop(lun);
    }
  }

  /** Every logical unit that had commands of an initiator, with copies of what was counted. */
  totals(): InitiatorTotals[] {
    return [...this.each()];
  }

  /** The same, found one after the other, for whoever does not want all of them in one turn. */
  *each(): Generator<InitiatorTotals> {
    for (const [initiator, { past, present }] of this.#accounts) {
      const sum = new NexusStatistics();
      for (const part of [past, ...present]) {
        for (const [lun, counted] of part.entries()) sum.of(lun).add(counted);
      }
      for (const [lun, statistics] of sum.entries()) yield { lun, initiator, statistics };
    }
  }

  /** What one logical unit did for all initiators. */
  ofUnit(lun: number): UnitStatistics {
    const sum = new UnitStatistics();
    for (const { past, present } of this.#accounts.values()) {
      for (const part of [past, ...present]) {
        const counted = part.peek(lun);
        if (counted !== null) sum.add(counted);
      }
    }
    return sum;
  }
}
