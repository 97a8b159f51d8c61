import { describe, expect, it } from "vitest";
import { Idempotency, type KeyedRequest } from "../../../src/control/http/idempotency.ts";
import { OperationError } from "../../../src/control/protocol.ts";
import { ManualClock } from "../../support/manual-clock.ts";

const REQUEST: KeyedRequest = {
  caller: "alice",
  key: "6fa459ea",
  operation: "volume/create",
  body: { pool: "tank", volume: "a" },
  payload: new Uint8Array(0),
};

const HOUR_MS = 60 * 60 * 1000;

function counter(): { readonly count: () => number; readonly action: () => Promise<number> } {
  let count = 0;
  return { count: () => count, action: () => Promise.resolve((count += 1)) };
}

describe("requests with a key", () => {
  it("are done once, whatever the order of their arguments", async () => {
    const once = new Idempotency(new ManualClock());
    const { count, action } = counter();
    expect(await once.once(REQUEST, action)).toEqual({ result: 1, isReplay: false });
    const again = { ...REQUEST, body: { volume: "a", pool: "tank" } };
    expect(await once.once(again, action)).toEqual({ result: 1, isReplay: true });
    expect(count()).toBe(1);
  });

  it("are done once where the second comes while the first is being done", async () => {
    const once = new Idempotency(new ManualClock());
    let finish: (value: string) => void = () => undefined;
    const first = once.once(REQUEST, () => new Promise<string>((resolve) => (finish = resolve)));
    const second = once.once(REQUEST, () => Promise.reject(new Error("it is done twice")));
    finish("made");
    expect(await first).toEqual({ result: "made", isReplay: false });
    expect(await second).toEqual({ result: "made", isReplay: true });
  });

  it("may be done again where what they have begun has failed", async () => {
    const once = new Idempotency(new ManualClock());
    let fail: () => void = () => undefined;
    await once.once(REQUEST, (forget) => {
      fail = forget;
      return Promise.resolve("begun");
    });
    const again = (): Promise<string> => Promise.resolve("begun again");
    expect(await once.once(REQUEST, again)).toEqual({ result: "begun", isReplay: true });
    fail();
    expect(await once.once(REQUEST, again)).toEqual({ result: "begun again", isReplay: false });
    fail();
    expect(await once.once(REQUEST, again)).toMatchObject({ isReplay: true });
  });

  it.each([
    ["body", { body: { pool: "tank", volume: "b" } }],
    ["operation", { operation: "volume/delete" }],
    ["payload", { payload: new Uint8Array(1) }],
  ] as const)("are refused where the key came with another %s", async (_name, change) => {
    const once = new Idempotency(new ManualClock());
    const { action, count } = counter();
    await once.once(REQUEST, action);
    await expect(once.once({ ...REQUEST, ...change }, action)).rejects.toMatchObject({
      kind: "invalid",
      status: 422,
    });
    expect(count()).toBe(1);
  });

  it("mean nothing to other callers", async () => {
    const once = new Idempotency(new ManualClock());
    const { action } = counter();
    await once.once(REQUEST, action);
    expect(await once.once({ ...REQUEST, caller: "bob" }, action)).toMatchObject({ result: 2 });
  });

  it("may be tried again where they failed", async () => {
    const once = new Idempotency(new ManualClock());
    const failure = new OperationError("space", "the pool is full");
    await expect(once.once(REQUEST, () => Promise.reject(failure))).rejects.toBe(failure);
    const { action } = counter();
    expect(await once.once(REQUEST, action)).toEqual({ result: 1, isReplay: false });
  });

  it("are forgotten after an hour", async () => {
    const clock = new ManualClock();
    const once = new Idempotency(clock);
    const { action } = counter();
    await once.once(REQUEST, action);
    clock.advance(HOUR_MS - 1);
    expect((await once.once(REQUEST, action)).isReplay).toBe(true);
    clock.advance(1);
    expect((await once.once(REQUEST, action)).isReplay).toBe(false);
  });

  it("are bounded: the oldest that is done goes first, and none that is being done", async () => {
    const once = new Idempotency(new ManualClock(), 2);
    const { action } = counter();
    const keyed = (key: string): KeyedRequest => ({ ...REQUEST, key });
    const stuck = once.once(keyed("a"), () => new Promise<number>(() => undefined));
    void stuck;
    await once.once(keyed("b"), action);
    await once.once(keyed("c"), action);
    expect((await once.once(keyed("b"), action)).isReplay).toBe(false);
    void once.once(keyed("d"), () => new Promise<number>(() => undefined));
    await expect(once.once(keyed("e"), action)).rejects.toMatchObject({ kind: "busy" });
  });

  it.each(["", "a b", "k".repeat(129), "k\u00e9y", "a\n"])(
    "have a key that is no %j",
    async (key) => {
      const once = new Idempotency(new ManualClock());
      const { action, count } = counter();
      await expect(once.once({ ...REQUEST, key }, action)).rejects.toMatchObject({ status: 400 });
      expect(count()).toBe(0);
    },
  );
});
