import { describe, expect, it } from "vitest";

import { OperationClass } from "../../src/scsi/operation-class.ts";
import { UnitStatistics } from "../../src/scsi/unit-statistics.ts";

const NOTHING = {
  submitted: 0,
  submittedBytes: 0,
  answered: 0,
  answeredBytes: 0,
  movedBytes: 0,
  errors: 0,
  aborted: 0,
};

describe("UnitStatistics", () => {
  it("counts commands that come, are answered, fail and are aborted, by class", () => {
    const statistics = new UnitStatistics();
    const { read, write } = OperationClass;
    for (let count = 0; count < 4; count += 1) statistics.submit(read, 4096);
    statistics.answer(read, 4096, 4096, true);
    statistics.answer(read, 4096, 512, true);
    statistics.answer(read, 4096, 4096, false);
    statistics.abort(read);
    statistics.submit(write, 512);
    expect(statistics.counts(read)).toEqual({
      submitted: 4,
      submittedBytes: 16_384,
      answered: 3,
      answeredBytes: 12_288,
      movedBytes: 4608,
      errors: 1,
      aborted: 1,
    });
    expect(statistics.counts(write)).toEqual({ ...NOTHING, submitted: 1, submittedBytes: 512 });
    expect(statistics.counts(OperationClass.other)).toEqual(NOTHING);
  });

  it("counts exactly where doubles do", () => {
    const statistics = new UnitStatistics();
    statistics.submit(OperationClass.write, Number.MAX_SAFE_INTEGER - 1);
    statistics.submit(OperationClass.write, 1);
    expect(statistics.counts(OperationClass.write).submittedBytes).toBe(Number.MAX_SAFE_INTEGER);
  });

  it("gives answers of a turn their latency when the turn ends", () => {
    const statistics = new UnitStatistics();
    const { read, flush } = OperationClass;
    expect([statistics.defer(read), statistics.defer(flush), statistics.defer(read)]).toEqual([
      true,
      false,
      false,
    ]);
    expect(statistics.latencies.sumMs(read)).toBe(0);
    statistics.settle(2);
    expect(statistics.latencies.sumMs(read)).toBe(4);
    expect(statistics.latencies.sumMs(flush)).toBe(2);
    statistics.settle(100);
    expect(statistics.latencies.sumMs(read)).toBe(4);
    expect(statistics.defer(read)).toBe(true);
    statistics.settle(1);
    expect(statistics.latencies.sumMs(read)).toBe(5);
    expect(statistics.latencies.counts(read).reduce((sum, count) => sum + count)).toBe(3);
  });

  it("adds others to itself", () => {
    const sum = new UnitStatistics();
    const part = new UnitStatistics();
    part.submit(OperationClass.unmap, 24);
    part.answer(OperationClass.unmap, 24, 24, true);
    part.latencies.record(OperationClass.unmap, 3, 1);
    part.mediumErrors = 2;
    sum.add(part);
    sum.add(part);
    expect(sum.counts(OperationClass.unmap)).toMatchObject({ submitted: 2, movedBytes: 48 });
    expect(sum.latencies.sumMs(OperationClass.unmap)).toBe(6);
    expect(sum.mediumErrors).toBe(4);
  });
});
