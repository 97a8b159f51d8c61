import { expect, it } from "vitest";
import { DepartedInitiators } from "../../src/scsi/departed-initiators.ts";
import { DEPARTED_INITIATORS_MAX, DEPARTED_MS_MAX } from "../../src/scsi/limits.ts";
import { ManualClock } from "../support/manual-clock.ts";

it("remembers what an initiator has met until it is back", () => {
  const departed = new DepartedInitiators(new ManualClock());
  departed.remember("a", new Map([[0, "disk"]]));
  expect(departed.all).toMatchObject([{ port: "a", sinceMs: 1000 }]);
  expect([...departed.takeBack("b")]).toEqual([]);
  expect([...departed.takeBack("a")]).toEqual([[0, "disk"]]);
  expect([...departed.takeBack("a")]).toEqual([]);
  // Who has met nothing mistakes nothing for something else.
  departed.remember("c", new Map());
  expect(departed.all).toEqual([]);
});

it("takes what is known now, not what becomes of it", () => {
  const departed = new DepartedInitiators(new ManualClock());
  const met = new Map([[0, "disk"]]);
  departed.remember("a", met);
  met.set(0, "another");
  expect([...departed.takeBack("a")]).toEqual([[0, "disk"]]);
});

it("does not expect for ever that it comes back", () => {
  const clock = new ManualClock();
  const departed = new DepartedInitiators(clock);
  departed.remember("a", new Map([[0, "disk"]]));
  clock.advance(DEPARTED_MS_MAX);
  expect(departed.all).toHaveLength(1);
  clock.advance(1);
  expect([...departed.takeBack("a")]).toEqual([]);
  expect(departed.all).toEqual([]);
});

it("forgets who has gone first where there are too many", () => {
  const departed = new DepartedInitiators(new ManualClock());
  for (let index = 0; index <= DEPARTED_INITIATORS_MAX; index += 1) {
    departed.remember(`${index}`, new Map([[0, "disk"]]));
  }
  expect(departed.all).toHaveLength(DEPARTED_INITIATORS_MAX);
  expect(departed.all[0]?.port).toBe("1");
});
