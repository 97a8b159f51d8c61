import { expect, test } from "vitest";
import { OperationQueue } from "../../../src/thin/pool/operation-queue.ts";

const refusal = (): Error => new Error("closed");

test("operations run one after another, also after one that failed", async () => {
  const queue = new OperationQueue();
  const log: string[] = [];
  const operation = (name: string, fails: boolean) => async (): Promise<string> => {
    log.push(`${name} begins`);
    await Promise.resolve();
    await Promise.resolve();
    log.push(`${name} ends`);
    if (fails) throw new Error(name);
    return name;
  };
  const results = [
    queue.run(operation("a", true), refusal),
    queue.run(operation("b", false), refusal),
  ];
  await expect(results[0]).rejects.toThrow("a");
  await expect(results[1]).resolves.toBe("b");
  expect(log).toEqual(["a begins", "a ends", "b begins", "b ends"]);
});

test("a closed queue ends what it has taken and takes nothing more", async () => {
  const queue = new OperationQueue();
  let isDone = false;
  const running = queue.run(async () => {
    await Promise.resolve();
    isDone = true;
  }, refusal);
  await queue.close();
  expect(isDone).toBe(true);
  await running;
  await expect(queue.run(() => Promise.resolve(), refusal)).rejects.toThrow("closed");
});
