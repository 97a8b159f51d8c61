import { expect, it } from "vitest";
import { SeededRandom, chooseSeed } from "../../../src/util/random.ts";
import { RandomPool } from "./random-pool.ts";

it("does to maps and space under random records what a naive pool does", async () => {
  const seed = chooseSeed(process.env);
  try {
    const pool = new RandomPool(new SeededRandom(seed));
    await pool.start();
    for (let step = 0; step < 3000; step += 1) {
      await pool.step();
      if (step % 25 === 0) await pool.check();
    }
    await pool.unpinAll();
    await pool.check();
    for (const kind of ["map", "partial", "snapshot", "rollback", "resize", "delete", "reopen"]) {
      expect(pool.counts.get(kind) ?? 0, kind).toBeGreaterThan(5);
    }
    expect(pool.media.reads).toBeGreaterThan(100);
  } catch (error) {
    throw new Error(`seed ${seed}`, { cause: error });
  }
});
