import { describe, expect, it } from "vitest";
import {
  findMasterBootRecord,
  hasNonFileSystemTable,
} from "../../../src/thin/members/master-boot-record.ts";
import { TestView } from "./support/view.ts";

function table(...types: readonly number[]): TestView {
  const test = new TestView().put(0x1fe, "\x55\xaa").put(0x1b8, "\x78\x56\x34\x12");
  for (const [index, type] of types.entries()) {
    test.put(0x1be + index * 16 + 4, Uint8Array.of(type));
  }
  return test;
}

describe("the partition table of the first sector", () => {
  it.each([
    ["dos", [0x83, 0x82]],
    ["dos", []],
    ["PMBR", [0xee]],
  ])("is %s for %j", (type, types) => {
    expect(findMasterBootRecord(table(...types).view, [])).toEqual([
      { type, offsetBytes: 0x1fe, uuid: "12345678", label: null },
    ]);
  });

  it("is none where the sector ends otherwise, or is a file system's", () => {
    expect(findMasterBootRecord(new TestView().view, [])).toEqual([]);
    const boot = { type: "ntfs", offsetBytes: 3, uuid: null, label: null };
    expect(findMasterBootRecord(table().view, [boot])).toEqual([]);
    const elsewhere = { ...boot, offsetBytes: 5000 };
    expect(findMasterBootRecord(table().view, [elsewhere])).toHaveLength(1);
  });

  it("may say only that there is something", () => {
    expect(hasNonFileSystemTable(table(0xda).view)).toBe(true);
    expect(hasNonFileSystemTable(table(0xda, 0x83).view)).toBe(false);
    expect(hasNonFileSystemTable(table().view)).toBe(false);
  });
});
