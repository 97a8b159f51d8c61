import { describe, expect, it } from "vitest";
import { findZfs } from "../../../src/thin/members/zfs-labels.ts";
import { TestView } from "./support/view.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
const SIZE_BYTES = 64 * MIB + 4096;

/** The beginning of a label's list: name and number of the pool. */
const pairs = Buffer.concat([
  Buffer.from([1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]),
  Buffer.from([0, 0, 0, 36, 0, 0, 0, 32]),
  Buffer.from("\0\0\0\x04name\0\0\0\x09\0\0\0\x01\0\0\0\x04tank", "latin1"),
  Buffer.from([0, 0, 0, 40, 0, 0, 0, 40]),
  Buffer.from("\0\0\0\x09pool_guid\0\0\0\0\0\0\x08\0\0\0\x01", "latin1"),
  Buffer.from([0x12, 0, 0, 0, 0, 0, 0, 0x34]),
]);
const GUID = 0x1200_0000_0000_0034n.toString();
const UBERBLOCK = "\x0c\xb1\xba\x00\0\0\0\0";

describe("the labels of ZFS", () => {
  it("are found at both ends, by an uberblock", () => {
    const labels = [0, 256 * KIB, 64 * MIB - 512 * KIB, 64 * MIB - 256 * KIB];
    for (const label of labels) {
      const at = label + 128 * KIB + 7 * KIB;
      expect(findZfs(new TestView(SIZE_BYTES).put(at, UBERBLOCK).view)).toEqual([
        { type: "zfs_member", offsetBytes: at, uuid: null, label: null },
      ]);
    }
    const swapped = "\0\0\0\0\x00\xba\xb1\x0c";
    const test = new TestView(SIZE_BYTES).put(128 * KIB, swapped);
    expect(findZfs(test.view)).toHaveLength(1);
  });

  it("tell name and number of the pool", () => {
    const test = new TestView(SIZE_BYTES).put(16 * KIB, pairs);
    expect(findZfs(test.view)).toEqual([
      { type: "zfs_member", offsetBytes: 16 * KIB, uuid: GUID, label: "tank" },
    ]);
  });

  it("are not seen where there are none, on a small device either", () => {
    expect(findZfs(new TestView(SIZE_BYTES).view)).toEqual([]);
    expect(findZfs(new TestView(100 * KIB).view)).toEqual([]);
    const between = new TestView(SIZE_BYTES).put(128 * KIB + 512, UBERBLOCK);
    expect(findZfs(between.view)).toEqual([]);
  });
});
