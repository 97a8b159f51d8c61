import { describe, expect, it } from "vitest";
import { FileLockedError } from "../../native-free/file-lock.ts";
import { IoError } from "../../src/util/io-error.ts";
import { SpecReader, volumeErrorFrom } from "../../src/volume/spec.ts";

const KNOWN = ["path", "direct", "count"];

function readerOf(options: Readonly<Record<string, unknown>>, sizeBytes?: number): SpecReader {
  const size = sizeBytes === undefined ? {} : { sizeBytes };
  return new SpecReader({ name: "disk", uuid: "u", options, ...size }, KNOWN);
}

describe("SpecReader", () => {
  it("reads options of each type", () => {
    const reader = readerOf({ path: "/x", direct: true, count: 3 }, 512);
    expect(reader.text("path")).toBe("/x");
    expect(reader.flag("direct")).toBe(true);
    expect(reader.naturalNumber("count")).toBe(3);
    expect(reader.requiredSize()).toBe(512);
  });

  it("takes flags and numbers that are not there as none", () => {
    expect(readerOf({}).flag("direct")).toBe(false);
    expect(readerOf({}).naturalNumber("count")).toBe(0);
  });

  it.each([
    [() => readerOf({ paht: "/x" }), /volume disk: unknown option paht; known are path/],
    [() => readerOf({}).text("path"), /path must be a text/],
    [() => readerOf({ direct: 1 }).flag("direct"), /direct must be true or false/],
    [() => readerOf({ count: 0.5 }).naturalNumber("count"), /count must be a whole number/],
    [() => readerOf({}).requiredSize(), /a size is needed/],
    [() => readerOf({}, -1).requiredSize(), /-1 is not a size/],
  ])("refuses %s", (action, message) => {
    expect(action).toThrow(message);
  });
});

describe("volumeErrorFrom", () => {
  const cause = (code: string): Error => Object.assign(new Error(code), { code });
  const ioError = (kind: IoError["kind"], code: string): IoError =>
    new IoError(kind, "it failed", { object: "/x", cause: cause(code) });

  it.each([
    [new FileLockedError("/x is in use"), "busy"],
    [ioError("medium", "EEXIST"), "exists"],
    [ioError("gone", "ENOENT"), "missing"],
    [ioError("space", "ENOSPC"), "space"],
    [ioError("unsupported", "EOPNOTSUPP"), "unsupported"],
    [ioError("medium", "EIO"), "io"],
    [ioError("read-only", "EACCES"), "io"],
  ])("turns %s into %s", (error, kind) => {
    expect(volumeErrorFrom(error, "disk")).toMatchObject({
      name: "VolumeError",
      kind,
      cause: error,
    });
    expect(String(volumeErrorFrom(error, "disk"))).toContain("volume disk: /x");
  });

  it("passes what is no error of a device", () => {
    const defect = new TypeError("a defect");
    expect(volumeErrorFrom(defect, "disk")).toBe(defect);
  });
});
