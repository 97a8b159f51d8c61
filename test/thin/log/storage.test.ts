import { expect, test } from "vitest";
import { isOutOfRoom, type StorageWaiter, withRoom } from "../../../src/thin/log/storage.ts";
import { PoolError } from "../../../src/thin/pool-error.ts";
import { IoError, type IoErrorKind } from "../../../src/util/io-error.ts";

function errorOf(kind: IoErrorKind): IoError {
  return new IoError(kind, "made up", { object: "disk" });
}

/** Keeps who waits, until the test says how it ends. */
class TestStorage {
  readonly waiters: StorageWaiter[] = [];
  passes = 0;

  wait(waiter: StorageWaiter): void {
    this.waiters.push(waiter);
  }

  passed(): void {
    this.passes += 1;
  }
}

async function turns(): Promise<void> {
  for (let count = 0; count < 10; count += 1) await Promise.resolve();
}

test("only a write that found no room is one", () => {
  expect(isOutOfRoom(errorOf("space"))).toBe(true);
  expect(isOutOfRoom(errorOf("medium"))).toBe(false);
  expect(isOutOfRoom(new PoolError("space", "the pool's own"))).toBe(false);
  expect(isOutOfRoom(null)).toBe(false);
});

test("work is done again until there is room for it", async () => {
  const storage = new TestStorage();
  let tries = 0;
  const work = withRoom(storage, () => {
    tries += 1;
    return tries < 3 ? Promise.reject(errorOf("space")) : Promise.resolve();
  });
  await turns();
  expect([tries, storage.waiters.length]).toEqual([1, 1]);
  storage.waiters[0]?.retry();
  await turns();
  expect([tries, storage.waiters.length, storage.passes]).toEqual([2, 2, 0]);
  storage.waiters[1]?.retry();
  await work;
  expect([tries, storage.passes]).toEqual([3, 1]);
});

test("it is not where something else is wrong, nobody waits, or the pool has stopped", async () => {
  const storage = new TestStorage();
  const failing = (kind: IoErrorKind) => (): Promise<void> => Promise.reject(errorOf(kind));
  await expect(withRoom(storage, failing("medium"))).rejects.toMatchObject({ kind: "medium" });
  await expect(withRoom(undefined, failing("space"))).rejects.toMatchObject({ kind: "space" });
  expect(storage.waiters).toEqual([]);
  const work = withRoom(storage, failing("space"));
  await turns();
  storage.waiters[0]?.giveUp(errorOf("failed"));
  await expect(work).rejects.toMatchObject({ kind: "failed" });
  // What has not waited says nothing of the room.
  await withRoom(storage, () => Promise.resolve());
  expect(storage.passes).toBe(0);
});
