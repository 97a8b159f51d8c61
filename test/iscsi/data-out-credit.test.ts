import { describe, expect, it } from "vitest";

import { DataOutCredit, type CreditWaiter } from "../../src/iscsi/data-out-credit.ts";
import { SOLICITED_BYTES_MAX, STAGED_BYTES_MAX } from "../../src/iscsi/limits.ts";

/** Asks for `bytes` until it gets them. */
class Asker implements CreditWaiter {
  readonly #credit: DataOutCredit;
  readonly #bytes: number;
  readonly #granted: Asker[];

  constructor(credit: DataOutCredit, bytes: number, granted: Asker[]) {
    this.#credit = credit;
    this.#bytes = bytes;
    this.#granted = granted;
  }

  creditFreed(): void {
    if (this.#credit.invite(this.#bytes)) this.#granted.push(this);
    else this.#credit.wait(this);
  }
}

describe("DataOutCredit", () => {
  it("grants up to the limit, whatever it was taken for", () => {
    const credit = new DataOutCredit(() => undefined);
    expect(credit.invite(SOLICITED_BYTES_MAX - 10)).toBe(true);
    credit.stage(5);
    expect(credit.invite(6)).toBe(false);
    expect(credit.invite(5)).toBe(true);
    credit.settle(SOLICITED_BYTES_MAX - 5);
    credit.unstage(5);
    expect(credit.stagedBytes).toBe(0);
    expect(() => credit.settle(1)).toThrow("only what was invited");
    expect(() => credit.unstage(1)).toThrow("only what was staged");
  });

  it("grants one write however large, so that none starves", () => {
    const credit = new DataOutCredit(() => undefined);
    expect(credit.invite(SOLICITED_BYTES_MAX * 2)).toBe(true);
    expect(credit.invite(1)).toBe(false);
  });

  it("wakes those who wait in their order, as far as it goes, when half is free", () => {
    const credit = new DataOutCredit(() => undefined);
    const granted: Asker[] = [];
    const half = SOLICITED_BYTES_MAX / 2;
    credit.invite(half);
    credit.invite(half);
    const askers = [half, half, 512].map((bytes) => new Asker(credit, bytes, granted));
    for (const asker of askers) credit.wait(asker);
    credit.settle(1);
    expect(granted).toEqual([]);
    credit.settle(half - 1);
    expect(granted).toEqual([askers[0]]);
    credit.settle(half);
    expect(granted).toEqual([askers[0], askers[1]]);
    credit.settle(half);
    expect(granted).toEqual(askers);
  });

  it("says once when receiving may go on", () => {
    let drained = 0;
    const credit = new DataOutCredit(() => (drained += 1));
    credit.stage(STAGED_BYTES_MAX - 1);
    expect(credit.stagedFull).toBe(false);
    credit.stage(10);
    expect(credit.stagedFull).toBe(true);
    credit.unstage(9);
    expect([credit.stagedFull, drained]).toEqual([true, 0]);
    credit.unstage(1);
    expect([credit.stagedFull, drained]).toEqual([false, 1]);
    credit.unstage(STAGED_BYTES_MAX - 1);
    expect(drained).toBe(1);
  });
});
