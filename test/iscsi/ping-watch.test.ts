import { describe, expect, it } from "vitest";
import { pingProblems, type PingSettings, PingWatch } from "../../src/iscsi/ping-watch.ts";

/** When a peer is asked and when it is dropped, in seconds, looked at each second; `speaks` are the seconds in which it says something. */
function story(settings: PingSettings, seconds: number, speaks: readonly number[] = []): string {
  const watch = new PingWatch(settings, 0);
  const told: string[] = [];
  for (let second = 1; second <= seconds; second += 1) {
    if (speaks.includes(second)) watch.heard(second * 1000);
    const step = watch.step(second * 1000);
    if (step !== "wait") told.push(`${step} ${second}`);
    if (step === "drop") break;
  }
  return told.join(", ");
}

describe("a peer that says nothing", () => {
  it("is asked so many times, and dropped an interval later", () => {
    expect(story({ intervalSeconds: 3, count: 2 }, 20)).toBe("ask 3, ask 6, drop 9");
    expect(story({ intervalSeconds: 1, count: 3 }, 20)).toBe("ask 1, ask 2, ask 3, drop 4");
  });

  it("is asked from the beginning when it has said something in between", () => {
    const said = story({ intervalSeconds: 3, count: 2 }, 20, [8]);
    expect(said).toBe("ask 3, ask 6, ask 11, ask 14, drop 17");
  });

  it("is not asked while it speaks, nor where nobody is to be asked", () => {
    expect(story({ intervalSeconds: 3, count: 1 }, 8, [2, 4, 6, 8])).toBe("");
    expect(story({ intervalSeconds: 0, count: 1 }, 1000)).toBe("");
  });

  it("is asked as was agreed on since, and for as long as it has been silent", () => {
    const watch = new PingWatch({ intervalSeconds: 60, count: 1 }, 0);
    watch.configure({ intervalSeconds: 5, count: 1 });
    expect([watch.step(4999), watch.step(5000), watch.step(10_000)]).toEqual([
      "wait",
      "ask",
      "drop",
    ]);
  });
});

it("what cannot be is named", () => {
  expect(pingProblems({})).toEqual([]);
  expect(pingProblems({ intervalSeconds: 0, count: 1 })).toEqual([]);
  const problems = pingProblems({ intervalSeconds: -1, count: 0 });
  expect(problems.map((problem) => problem.split(" ")[0])).toEqual(["intervalSeconds", "count"]);
  expect(pingProblems({ intervalSeconds: 1.5, count: 1001 })).toHaveLength(2);
});
