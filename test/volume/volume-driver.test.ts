import { expect, it } from "vitest";
import { VolumeError } from "../../src/volume/volume-driver.ts";

it("a refusal has a kind, words, and what caused it", () => {
  const cause = new Error("EBUSY");
  const error = new VolumeError("busy", "volume disk: it is open", cause);
  expect(error).toMatchObject({ name: "VolumeError", kind: "busy", cause });
  expect(new VolumeError("missing", "there is none")).not.toHaveProperty("cause");
});
