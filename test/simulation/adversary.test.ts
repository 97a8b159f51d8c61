import { beforeAll, describe, expect, it } from "vitest";
import { SeededRandom } from "../../src/util/random.ts";
import type { Target, Verdict } from "./adversary.ts";
import { Adversary } from "./adversary.ts";
import { PAGE_BYTES } from "./media.ts";

/** How many bytes of each page are tried: every one takes the opening of a pool. */
const FLIPS = Number(process.env["THINLUN_FLIPS"] ?? 4);
const SEED = 5;

const PARTS = ["superblock", "journal", "tree"] as const;

let adversary: Adversary;

beforeAll(async () => {
  adversary = await Adversary.make(SEED);
});

/** How many verdicts of each kind there were. */
type Counts = Record<Verdict, number>;

async function tried(
  targets: readonly Target[],
  tamper: (content: Buffer, index: number, target: Target) => void,
  times: number,
): Promise<Counts> {
  const counts: Counts = { exact: 0, refused: 0, unreadable: 0, earlier: 0 };
  for (const target of targets) {
    for (let index = 0; index < times; index += 1) {
      const media = adversary.copy();
      media[target.device]!.corrupt(target.page, (content) => tamper(content, index, target));
      counts[await adversary.judge(media)] += 1;
    }
  }
  return counts;
}

describe("a pool that was tampered with", () => {
  it("is exactly what it was where nothing was", async () => {
    expect(await adversary.judge(adversary.copy())).toBe("exact");
    expect(new Set(adversary.targets.map(({ part }) => part))).toEqual(new Set(PARTS));
  });

  it.each(PARTS)("shows nothing foreign when a byte of the %s is changed", async (part) => {
    const random = new SeededRandom(SEED);
    const targets = adversary.targets.filter((target) => target.part === part);
    const counts = await tried(
      targets,
      (content, index) => {
        const at = FLIPS >= PAGE_BYTES ? index : random.below(index % 2 === 0 ? 128 : PAGE_BYTES);
        content[at] = (content[at] ?? 0) ^ (1 << random.below(8));
      },
      Math.min(FLIPS, PAGE_BYTES),
    );
    if (part === "superblock") expect(counts.earlier, JSON.stringify(counts)).toBe(0);
    if (part === "tree") expect(counts.earlier, JSON.stringify(counts)).toBe(0);
    expect(counts.exact).toBeGreaterThan(0);
  });

  it("shows nothing foreign when a page is zeros", async () => {
    await tried(adversary.targets, (content) => content.fill(0), 1);
  });

  it("shows nothing foreign when the end of a page is cut off", async () => {
    await tried(adversary.targets, (content) => content.fill(0, 512), 1);
  });

  it("shows nothing foreign when a page is another one", async () => {
    const random = new SeededRandom(SEED);
    const media = adversary.copy();
    const swap = (content: Buffer): void => {
      const other = random.pick(adversary.targets);
      media[other.device]!.page(other.page).copy(content);
    };
    await tried(adversary.targets, swap, Math.ceil(FLIPS / 4));
  });

  it("shows nothing foreign when a page is what it was earlier", async () => {
    const restore = (content: Buffer, _index: number, { device, page }: Target): void => {
      adversary.earlier[device]!.page(page).copy(content);
    };
    await tried(adversary.targets, restore, 1);
  });
});
