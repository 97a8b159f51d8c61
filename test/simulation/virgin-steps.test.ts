import { afterEach, expect, it } from "vitest";
import { AddressSpace } from "../../src/thin/space/address-space.ts";
import { VirginMarks } from "../../src/thin/space/virgin-marks.ts";
import { MemoryDevice } from "../../src/device/memory-device.ts";
import { Geometry } from "../../src/thin/format/geometry.ts";
import { moveMarksBy } from "./virgin-steps.ts";

afterEach(() => moveMarksBy(null));

/** Marks of a segment of 1000 extents, of which the first 100 were handed out. */
function marks(): VirginMarks {
  const device = new MemoryDevice(1024 * 1024);
  const segment = { device: 0, offsetBytes: 0, extents: 1000, virginFrom: 100 };
  const made = new VirginMarks(new AddressSpace(new Geometry(65_536), [segment], [device]));
  made.announce(100);
  return made;
}

it("moves marks by steps, and again as they do", () => {
  expect(marks().next(7)).toEqual({ segment: 0, from: 1000 });
  moveMarksBy({ aheadExtents: 8, stepExtents: 40 });
  expect(marks().next(8)).toBeNull();
  expect(marks().next(7)).toEqual({ segment: 0, from: 140 });
  expect(marks().next(-60)).toEqual({ segment: 0, from: 168 });
  moveMarksBy({ aheadExtents: 8, stepExtents: 4000 });
  expect(marks().next(0)).toEqual({ segment: 0, from: 1000 });
  moveMarksBy(null);
  expect(marks().next(7)).toEqual({ segment: 0, from: 1000 });
});
