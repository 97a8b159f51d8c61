import { expect, it } from "vitest";
import { WriteStop } from "../../src/device/write-stop.ts";
import { IoError } from "../../src/util/io-error.ts";

it("keeps the first error for good", () => {
  const stop = new WriteStop();
  expect(stop.error).toBeNull();
  const first = new IoError("failed", "another host has it", { object: "pool" });
  stop.set(first);
  stop.set(new IoError("failed", "again", { object: "pool" }));
  expect(stop.error).toBe(first);
});
