import { appendFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { fileSettled } from "../../../src/control/config/settled-file.ts";
import type { Clock, Timer } from "../../../src/util/clock.ts";

let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "thinlun-settled-"));
  path = join(folder, "thinlun.yaml");
});

afterEach(() => rm(folder, { recursive: true }));

/** A clock on which something happens in each wait. */
class BusyClock implements Clock {
  waits = 0;
  readonly #meanwhile: (wait: number) => Promise<void>;

  constructor(meanwhile: (wait: number) => Promise<void>) {
    this.#meanwhile = meanwhile;
  }

  nowMs(): number {
    return 0;
  }

  after(_delayMs: number, callback: () => void): Timer {
    this.waits += 1;
    void this.#meanwhile(this.waits).then(callback);
    return { cancel: () => undefined };
  }
}

it("waits for whoever writes the file piece by piece", async () => {
  await writeFile(path, "targets:\n");
  const clock = new BusyClock((wait) =>
    wait < 5 ? appendFile(path, `- ${wait}\n`) : Promise.resolve(),
  );
  await fileSettled(path, clock);
  expect(clock.waits).toBe(5);
});

it("does not wait for ever, nor for a file that is not there", async () => {
  const writing = new BusyClock(() => appendFile(path, "x"));
  await fileSettled(path, writing);
  expect(writing.waits).toBe(20);
  await rm(path);
  const still = new BusyClock(() => Promise.resolve());
  await fileSettled(path, still);
  expect(still.waits).toBe(1);
});
