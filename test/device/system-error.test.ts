import { expect, it } from "vitest";
import { ioErrorFrom, kindOfCode } from "../../src/device/system-error.ts";
import { IoError } from "../../src/util/io-error.ts";

it.each([
  ["EIO", "medium"],
  ["ENOSPC", "space"],
  ["EROFS", "read-only"],
  ["ENXIO", "gone"],
  ["EOPNOTSUPP", "unsupported"],
  ["EWHATEVER", "medium"],
  ["", "medium"],
])("takes %j for %j", (code, kind) => {
  expect(kindOfCode(code)).toBe(kind);
});

it("keeps the reason and the place", () => {
  const cause = Object.assign(new Error("no"), { code: "ENOSPC" });
  const error = ioErrorFrom(cause, "a write", "disk", 4096);
  expect(error).toMatchObject({ kind: "space", object: "disk", offsetBytes: 4096, cause });
  expect(error.message).toBe("disk: a write failed with ENOSPC");
});

it("says in words what is no fault of a device", () => {
  const cause = Object.assign(new Error("no"), { code: "ENOENT" });
  expect(ioErrorFrom(cause, "looking it up", "/disk").message).toBe(
    "/disk: looking it up failed with ENOENT (there is no such file, device or folder)",
  );
});

it("leaves an error of this house as it is", () => {
  const error = new IoError("gone", "x", { object: "disk" });
  expect(ioErrorFrom(error, "a read", "other")).toBe(error);
  expect(ioErrorFrom("what", "a read", "other")).toMatchObject({ kind: "medium", cause: "what" });
});
