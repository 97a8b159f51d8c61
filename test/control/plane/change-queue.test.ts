import { beforeEach, describe, expect, it } from "vitest";
import { ChangeQueue } from "../../../src/control/plane/change-queue.ts";
import { ManualClock } from "../../support/manual-clock.ts";

let clock: ManualClock;
let queue: ChangeQueue;
let begun: string[];

beforeEach(() => {
  clock = new ManualClock();
  queue = new ChangeQueue(clock);
  begun = [];
});

/** Something that ends when it is told to. */
function lasting(name: string): { readonly action: () => Promise<string>; end: () => void } {
  let end: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => (end = resolve));
  const action = async (): Promise<string> => {
    begun.push(name);
    await ended;
    return name;
  };
  return { action, end };
}

const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

describe("ChangeQueue", () => {
  it("does one thing after the other, whatever becomes of those before", async () => {
    const [first, second] = [lasting("first"), lasting("second")];
    const one = queue.run("one", async () => {
      await first.action();
      throw new Error("it fails");
    });
    const two = queue.run("two", second.action);
    await settle();
    expect(begun).toEqual(["first"]);
    first.end();
    second.end();
    await expect(one).rejects.toThrow("it fails");
    expect(await two).toBe("second");
  });

  it("refuses what waits for too long, says for what, and does not do it later", async () => {
    const [first, second, third] = [lasting("first"), lasting("second"), lasting("third")];
    const one = queue.run("pool/create of alice", first.action);
    await settle();
    clock.advance(5_000);
    const refused = expect(queue.run("target/map of bob", second.action)).rejects.toMatchObject({
      kind: "busy",
      message: expect.stringContaining("pool/create of alice has been running for 65 s") as string,
    });
    clock.advance(60_000);
    await refused;
    first.end();
    expect(await one).toBe("first");
    third.end();
    // Its turn comes and goes.
    expect(await queue.run("later", third.action)).toBe("third");
    expect(begun).toEqual(["first", "third"]);
  });

  it("has what nobody would ask for again wait as long as it takes", async () => {
    const [first, second] = [lasting("first"), lasting("second")];
    const one = queue.run("one", first.action);
    const two = queue.run("SIGHUP", second.action, { isPatient: true });
    await settle();
    clock.advance(3_600_000);
    first.end();
    second.end();
    expect([await one, await two]).toEqual(["first", "second"]);
  });

  it("takes no more than it may have waiting", async () => {
    const first = lasting("first");
    const all = [queue.run("one", first.action)];
    await settle();
    for (let index = 0; index < 1000; index += 1) {
      all.push(queue.run("more", () => Promise.resolve("more")));
    }
    await expect(queue.run("too many", first.action)).rejects.toThrow("too many changes wait");
    first.end();
    expect(new Set(await Promise.all(all))).toEqual(new Set(["first", "more"]));
  });

  it("begins nothing when it is closed, and lets what runs end", async () => {
    const [first, second] = [lasting("first"), lasting("second")];
    const one = queue.run("one", first.action);
    await settle();
    const refused = expect(queue.run("two", second.action)).rejects.toThrow("is stopping");
    const closing = queue.close();
    first.end();
    await closing;
    await refused;
    expect(await one).toBe("first");
    expect(queue.isClosed).toBe(true);
    expect(begun).toEqual(["first"]);
  });
});
