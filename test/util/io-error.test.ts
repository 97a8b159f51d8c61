import { expect, it } from "vitest";
import { IoError, IO_ERROR_KINDS } from "../../src/util/io-error.ts";

it("says what it happened to, and keeps the place and the cause", () => {
  const cause = new Error("EIO");
  const error = new IoError("medium", "reading failed", { object: "disk", offsetBytes: 7, cause });
  expect(error.message).toBe("disk: reading failed");
  expect(error).toMatchObject({ name: "IoError", kind: "medium", object: "disk", offsetBytes: 7 });
  expect(error.cause).toBe(cause);
});

it("has no place and no cause where none was given", () => {
  const error = new IoError("gone", "it is closed", { object: "disk" });
  expect(error.offsetBytes).toBe(-1);
  expect(error).not.toHaveProperty("cause");
});

it("has kinds that differ", () => {
  expect(new Set(IO_ERROR_KINDS).size).toBe(IO_ERROR_KINDS.length);
});
