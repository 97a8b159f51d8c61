import { describe, expect, it } from "vitest";
import { Turns } from "./turns.ts";

/** Asks for turns on volumes; `!` marks those that are changed. Returns them, and which have begun, by their words. */
function asked(...wishes: readonly string[]): { begun: string[]; end(wish: string): void } {
  const turns = new Turns();
  const begun: string[] = [];
  const byWish = new Map(
    wishes.map((wish) => {
      const volumes = wish.split(" ");
      const changed = volumes.filter((word) => word.endsWith("!")).map((word) => parseInt(word));
      const read = volumes.filter((word) => !word.endsWith("!")).map(Number);
      return [wish, turns.ask(changed, read, () => void begun.push(wish))];
    }),
  );
  return { begun, end: (wish) => turns.end(byWish.get(wish)!) };
}

describe("turns of operations", () => {
  it("come at once where they have no volume in common, or only read it", () => {
    expect(asked("1!", "2! 3", "3 4", "5!").begun).toEqual(["1!", "2! 3", "3 4", "5!"]);
  });

  it("come in the order in which they were asked for", () => {
    const turns = asked("1!", "1! 2", "2!", "1");
    expect(turns.begun).toEqual(["1!"]);
    turns.end("1!");
    expect(turns.begun).toEqual(["1!", "1! 2"]);
    turns.end("1! 2");
    expect(turns.begun).toEqual(["1!", "1! 2", "2!", "1"]);
  });

  it("are not overtaken by one that could begin but for another that waits", () => {
    const turns = asked("1", "1!", "1 2");
    expect(turns.begun).toEqual(["1"]);
    turns.end("1");
    expect(turns.begun).toEqual(["1", "1!"]);
  });
});
