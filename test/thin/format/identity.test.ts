import { describe, expect, it } from "vitest";
import {
  getName,
  getUuid,
  hasUuid,
  isNewName,
  isUuid,
  isVolumeName,
  isZero,
  nameBytes,
  setName,
  setUuid,
  uuidBytes,
} from "../../../src/thin/format/identity.ts";

const UUID = "01234567-89ab-cdef-0123-456789abcdef";

describe("UUIDs on disk", () => {
  it("are 16 bytes in the order of their text", () => {
    const bytes = new Uint8Array(20).fill(0xff);
    setUuid(bytes, 2, UUID);
    expect(Buffer.from(bytes).toString("hex")).toBe("ffff0123456789abcdef0123456789abcdefffff");
    expect(getUuid(bytes, 2)).toBe(UUID);
    expect(hasUuid(bytes, 2, UUID)).toBe(true);
    expect(hasUuid(bytes, 3, UUID)).toBe(false);
    bytes[17] = 0;
    expect([hasUuid(bytes, 2, UUID), hasUuid(bytes, 2, UUID, 8)]).toEqual([false, true]);
  });

  it("are told apart although the last one is remembered", () => {
    const other = "ffffffff-0000-0000-0000-000000000000";
    const [first, second, again] = [uuidBytes(UUID), uuidBytes(other), uuidBytes(UUID)];
    expect(first).toEqual(again);
    expect(second[0]).toBe(255);
    expect(first[0]).toBe(1);
  });

  it("are lower-case, of 36 characters, and not nothing", () => {
    expect(isUuid(UUID)).toBe(true);
    expect(isUuid(UUID.toUpperCase())).toBe(false);
    expect(isUuid(UUID.replaceAll("-", ""))).toBe(false);
    expect(isUuid("00000000-0000-0000-0000-000000000000")).toBe(false);
  });
});

describe("a name", () => {
  it.each([
    "a",
    "data",
    "data@2026-11-23",
    "\u00e4\u20ac\u{1f4be}",
    " ",
    ".",
    "a".repeat(127),
    "\ufffd",
  ])("may be %j", (name) => {
    expect(isVolumeName(name)).toBe(true);
    const bytes = new Uint8Array(130).fill(7);
    const end = setName(bytes, 1, name);
    expect(end).toBe(1 + nameBytes(name));
    expect(getName(bytes, 1, end)).toBe(name);
    expect(getName(bytes, 1, end - 1)).toBeNull();
    expect([bytes[0], bytes[end]]).toEqual([7, 7]);
  });

  it.each([
    "",
    "-a",
    "a/b",
    "a\n",
    "\u0000",
    "\u007f",
    "\u0085",
    "a".repeat(128),
    "\ud800",
    "\u20ac".repeat(43),
  ])("may not be %j", (name) => {
    expect(isVolumeName(name)).toBe(false);
  });

  it.each(["a\u202eb", "\u2066a", "\u200b", "a\u2028", "\ufeffa"])(
    "on disk may be %j, and is given to nothing new",
    (name) => {
      expect([isVolumeName(name), isNewName(name)]).toEqual([true, false]);
    },
  );

  it.each([
    ["too long for its field", [3, 0x61, 0x62]],
    ["longer than any", [128, ...Array.from({ length: 128 }, () => 0x61)]],
    ["empty", [0, 0x61]],
    ["not UTF-8", [2, 0xc3, 0x28]],
    ["overlong UTF-8", [2, 0xc1, 0xa1]],
    ["half of a character", [1, 0xe2]],
    ["nothing at all", []],
  ])("on disk is refused: %s", (_, bytes) => {
    expect(getName(Uint8Array.from(bytes), 0, bytes.length)).toBeNull();
  });
});

describe("isZero", () => {
  it("looks at its range and nothing else", () => {
    const bytes = Uint8Array.from([1, 0, 0, 1]);
    expect([isZero(bytes, 1, 3), isZero(bytes, 0, 3), isZero(bytes, 1, 4)]).toEqual([
      true,
      false,
      false,
    ]);
  });
});
