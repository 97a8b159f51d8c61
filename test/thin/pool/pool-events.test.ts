import { expect, test } from "vitest";
import { PoolListeners } from "../../../src/thin/pool/pool-events.ts";

test("listeners may come and go while they are called", () => {
  const listeners = new PoolListeners();
  const log: string[] = [];
  const leave = listeners.subscribe(({ kind }) => {
    log.push(`first ${kind}`);
    leave();
    listeners.subscribe((event) => log.push(`late ${event.kind}`));
  });
  listeners.subscribe(({ kind }) => log.push(`second ${kind}`));
  listeners.emit({ kind: "volumes-changed" });
  expect(log).toEqual(["first volumes-changed", "second volumes-changed"]);
  listeners.emit({ kind: "full", capacityBytes: 1 });
  expect(log.slice(2)).toEqual(["second full", "late full"]);
});
