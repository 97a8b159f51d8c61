import { expect, test } from "vitest";
import { BackgroundJob } from "../../../src/thin/pool/background-job.ts";

test("one runs at a time, and failures are told", async () => {
  let calls = 0;
  const errors: unknown[] = [];
  const job = new BackgroundJob(
    async () => {
      calls += 1;
      await Promise.resolve();
      if (calls === 2) throw new Error("second");
    },
    (error) => errors.push(error),
  );
  job.start();
  job.start();
  expect(job.isRunning).toBe(true);
  await job.settled();
  expect(calls).toBe(1);
  expect(job.isRunning).toBe(false);
  job.start();
  await job.settled();
  expect(errors).toEqual([new Error("second")]);
  await job.settled();
});

test("what is wanted while it runs makes it run once more", async () => {
  let calls = 0;
  const job = new BackgroundJob(
    () => {
      calls += 1;
      return Promise.resolve();
    },
    () => undefined,
  );
  job.startAgain();
  await Promise.resolve();
  expect(calls).toBe(1);
  job.startAgain();
  job.startAgain();
  await job.settled();
  expect(calls).toBe(2);
});
