import { expect, test } from "vitest";
import { Change } from "./change.ts";
import { Interval, narrow } from "./instant.ts";
import { complaintOf } from "./verify.ts";
import { VolumeModel } from "./volume-model.ts";
import { VolumeState } from "./volume-state.ts";
import { FULL_SECTORS, Windows } from "./windows.ts";

const windows = new Windows(64 * 1024);

function newModel(): VolumeModel {
  const state = new VolumeState(FULL_SECTORS, new Uint32Array(windows.slots));
  return new VolumeModel({ name: "disk", uuid: "", tag: 1, isReadOnly: false, state });
}

function complaintAbout(model: VolumeModel, slot: number, serial: number): string | null {
  const serials = model.state.values.slice();
  serials[slot] = serial;
  const content = { capacitySectors: FULL_SECTORS, serials, misplaced: new Map() };
  return complaintOf(model, model.state, content, windows);
}

test("an acknowledged write has to be there, one on its way may be", () => {
  const model = newModel();
  const first = new Change(7, { slot: 3, count: 2 }, 1);
  model.begin(first);
  model.acknowledged(first);
  expect(complaintAbout(model, 4, 0)).toContain(
    "volume disk: sector 4 (slot 4) has zeros, wanted #7",
  );
  expect(complaintAbout(model, 4, 7)).toBeNull();

  const second = new Change(8, { slot: 4, count: 1 }, 2);
  model.begin(second);
  model.unanswered(second);
  expect(complaintAbout(model, 4, 7)).toBeNull();
  expect(complaintAbout(model, 4, 8)).toBeNull();
  expect(complaintAbout(model, 4, 6)).toContain("wanted #7 or #8");
});

test("a volume of another size is noticed", () => {
  const model = newModel();
  const state = model.resized(FULL_SECTORS - 8, windows.slots);
  const content = { capacitySectors: FULL_SECTORS, serials: state.values, misplaced: new Map() };
  expect(complaintOf(model, state, content, windows)).toContain(`has ${FULL_SECTORS} sectors`);
});

test("a copy that has a write and lacks one that was answered before it is of no instant", () => {
  const model = newModel();
  const recording = model.startRecording();
  const early = new Change(1, { slot: 0, count: 1 }, 10);
  model.begin(early);
  early.answeredAt = 20;
  const late = new Change(2, { slot: 1, count: 1 }, 30);
  model.begin(late);
  late.answeredAt = 40;
  const intervalOf = (serials: readonly number[]): Interval => {
    const interval = new Interval();
    const observed = new Uint32Array(windows.slots);
    observed.set(serials);
    narrow(interval, recording, observed, "copy");
    return interval;
  };
  expect(intervalOf([1, 0])).toMatchObject({ from: 10, to: 40 });
  expect(intervalOf([1, 2])).toMatchObject({ from: 30, to: Infinity });
  const impossible = intervalOf([0, 2]);
  expect(impossible.from).toBeGreaterThan(impossible.to);
  expect(intervalOf([1, 2]).complaint()).toBeNull();
  expect(impossible.complaint()).toBe(
    "no instant: slot 1 of volume copy has write #2, issued at 30; " +
      "slot 0 of volume copy lacks write #1, answered at 20, and has #0",
  );
});

test("a copy with the zeros that an unmap left at its ends does not lack the write under them", () => {
  const model = newModel();
  const recording = model.startRecording();
  const under = new Change(1, { slot: 0, count: 2 }, 10);
  model.begin(under);
  under.answeredAt = 20;
  model.acknowledged(under);
  // Of the two sectors, it covers the extent of neither as a whole: they may become zeros or not.
  const unmap = new Change(0, { slot: 0, count: 2 }, 30, () => true);
  model.begin(unmap);
  unmap.answeredAt = 40;
  model.acknowledged(unmap);
  const late = new Change(2, { slot: 2, count: 1 }, 50);
  model.begin(late);
  const observed = new Uint32Array(windows.slots);
  observed.set([0, 0, 2]);
  const zeroed = new Interval();
  narrow(zeroed, recording, observed, "copy");
  expect(zeroed).toMatchObject({ from: 50, to: Infinity });
  // Where it left a sector as it was, the write is in the copy.
  observed.set([1, 0, 0]);
  const kept = new Interval();
  narrow(kept, recording, observed, "copy");
  expect(kept).toMatchObject({ from: 10, to: Infinity });
});

test("a copy need not have a write that a rollback before it has met on its way", () => {
  const model = newModel();
  const met = new Change(1, { slot: 0, count: 1 }, 10);
  model.begin(met);
  const rollback = model.startRecording();
  model.stopRecording(rollback);
  model.replaceBy(rollback);
  const recording = model.startRecording();
  met.answeredAt = 20;
  model.acknowledged(met);
  model.begin(new Change(2, { slot: 1, count: 1 }, 30));
  const observed = new Uint32Array(windows.slots);
  observed.set([0, 2]);
  const interval = new Interval();
  narrow(interval, recording, observed, "copy");
  expect(interval).toMatchObject({ from: 30, to: Infinity });
});
