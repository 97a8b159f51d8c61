import { describe, expect, it } from "vitest";
import { Pins } from "../../../src/thin/space/pins.ts";
import { chooseSeed, SeededRandom } from "../../../src/util/random.ts";

/** Much more than it begins with, and so many that lists of places wrap round its end. */
const KEYS_MAX = 3000;
const STEPS = 60_000;

/** An assertion for each step would take longer than all the steps. */
function mustBe(shown: unknown, expected: unknown, what: string): void {
  if (shown !== expected) expect(shown, what).toBe(expected);
}

describe("Pins", () => {
  it.each([1, 64, 4096, 700_001])("count as a map does, keys %i from one another", (distance) => {
    const seed = chooseSeed(process.env);
    const random = new SeededRandom(seed);
    const pins = new Pins();
    const counts = new Map<number, number>();
    for (let step = 0; step < STEPS; step += 1) {
      // It fills, and empties, and fills again.
      const isFilling = Math.floor(step / (STEPS / 6)) % 2 === 0;
      const key = (random.uint32() % KEYS_MAX) * distance;
      const count = counts.get(key) ?? 0;
      const roll = random.uint32() % 10;
      if (count === 0 || roll < (isFilling ? 6 : 2)) {
        pins.add(key);
        counts.set(key, count + 1);
      } else if (roll === 9) {
        mustBe(pins.take(key), count, `seed ${seed}`);
        counts.delete(key);
      } else {
        mustBe(pins.drop(key), count - 1, `seed ${seed}`);
        if (count === 1) counts.delete(key);
        else counts.set(key, count - 1);
      }
      if (step % 5000 !== 0) continue;
      expect(pins.size).toBe(counts.size);
      for (let index = 0; index < KEYS_MAX; index += 1) {
        const asked = index * distance;
        mustBe(pins.count(asked), counts.get(asked) ?? 0, `seed ${seed}`);
        mustBe(pins.has(asked), counts.has(asked), `seed ${seed}`);
      }
    }
    expect([...pins.keys()].toSorted((a, b) => a - b)).toEqual(
      [...counts.keys()].toSorted((a, b) => a - b),
    );
  });

  it("are dropped by those who have some", () => {
    const pins = new Pins();
    pins.add(0);
    expect(pins.drop(0)).toBe(0);
    expect(() => pins.drop(0)).toThrow("was pinned");
    expect([pins.take(0), pins.count(0), pins.has(0), pins.size]).toEqual([0, 0, false, 0]);
  });
});
