import { describe, expect, it } from "vitest";
import { SeededRandom } from "../../src/util/random.ts";
import { Disk } from "./disk.ts";
import { EXTENTS_OF_DEVICE, dataCell, journalCell } from "./geometry.ts";

/** A disk that writes nothing back of its own accord, and of which a power cut keeps the version `kept`. */
function diskThatKeeps(kept: number): Disk {
  const random = new SeededRandom(1);
  random.chance = () => false;
  random.below = () => kept;
  return new Disk(random);
}

const first = dataCell(0, 0, 0);
const onSecondDevice = dataCell(EXTENTS_OF_DEVICE[0] ?? 0, 0, 0);

describe("the model's disk", () => {
  it.each([
    [0, 0],
    [1, 5],
    [2, 6],
  ])("keeps version %i of an unflushed sector at a power cut", (kept, expected) => {
    const disk = diskThatKeeps(kept);
    disk.write(first, 5);
    disk.write(first, 6);
    expect(disk.read(first)).toBe(6);
    disk.powerCut();
    expect(disk.read(first)).toBe(expected);
    expect(disk.boot).toBe(2);
  });

  it("settles what was written before the flush began, on that device only", () => {
    const disk = diskThatKeeps(0);
    disk.write(first, 5);
    disk.write(onSecondDevice, 7);
    const begun = disk.beginFlush();
    disk.write(first, 6);
    disk.completeFlush(0, begun);
    disk.powerCut();
    expect([disk.read(first), disk.read(onSecondDevice)]).toEqual([5, 0]);
  });

  it("tears metadata, and never data", () => {
    const disk = diskThatKeeps(0);
    disk.write(first, 5);
    disk.write(journalCell(1), { kind: "label", device: 0 });
    disk.random.chance = () => true;
    disk.powerCut();
    expect(disk.read(first)).toBe(0);
    expect(disk.read(journalCell(1))).toEqual({ kind: "torn" });
  });

  it("shows what a failed flush lost until the power goes, whatever flush succeeds later", () => {
    const disk = diskThatKeeps(0);
    disk.write(first, 5);
    disk.random.chance = () => true;
    disk.failFlush(0, disk.beginFlush());
    disk.completeFlush(0, disk.beginFlush());
    expect(disk.read(first)).toBe(5);
    disk.powerCut();
    expect(disk.read(first)).toBe(0);
  });
});
