import { expect, it } from "vitest";
import { ForwardPool } from "../../src/device/forwarded-request.ts";
import { IoError } from "../../src/util/io-error.ts";
import { IoKind } from "../../src/util/io-request.ts";
import { TestRequest } from "./test-request.ts";

it("carries a request elsewhere, and its end back, again and again", () => {
  const pool = new ForwardPool((original, error) => original.done(error));
  const original = new TestRequest(IoKind.write, 100, [Buffer.from("abc")]);
  original.forceUnitAccess = true;
  const forwarded = pool.take(original, 1000);
  const { kind, offsetBytes, lengthBytes, buffers, forceUnitAccess } = forwarded;
  expect([kind, offsetBytes, lengthBytes, forceUnitAccess]).toEqual([IoKind.write, 1100, 3, true]);
  expect(buffers).toBe(original.buffers);
  expect(forwarded.abandoned).toBe(false);
  original.isAbandoned = true;
  expect(forwarded.abandoned).toBe(true);
  const error = new IoError("medium", "broken", { object: "disk" });
  forwarded.done(error);
  expect([original.doneCount, original.error]).toEqual([1, error]);
  expect(() => forwarded.done(null)).toThrow("done once");
  const next = new TestRequest(IoKind.flush);
  const again = pool.take(next, 0);
  expect(again).toBe(forwarded);
  expect(pool.take(new TestRequest(IoKind.flush), 0)).not.toBe(forwarded);
  again.done(null);
  expect(next.doneCount).toBe(1);
});
