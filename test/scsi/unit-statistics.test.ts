import { describe, expect, it } from "vitest";

import { NexusStatistics } from "../../src/scsi/nexus-statistics.ts";
import { OperationClass, operationClassOf } from "../../src/scsi/operation-class.ts";
import { UnitStatistics } from "../../src/scsi/unit-statistics.ts";

const WARM_UP = 200_000;
const COMMANDS = 20_000;

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

  it("allocates nothing for a command", () => {
    const nexus = new NexusStatistics();
    const commands = (count: number): void => {
      for (let index = 0; index < count; index += 1) {
        const statistics = nexus.of(3);
        const operation = operationClassOf(index % 2 === 0 ? 0x88 : 0x8a, 4096, 0);
        statistics.submit(operation, 4096);
        statistics.answer(operation, 4096, 4096, index % 7 !== 0);
        statistics.defer(operation);
        if (index % 32 === 31) statistics.settle(0.3);
      }
    };
    // Code that was not compiled yet may allocate; what others do in this process can only add.
    commands(WARM_UP);
    let leastBytes = Infinity;
    for (let round = 0; round < 20; round += 1) {
      const before = process.memoryUsage().heapUsed;
      commands(COMMANDS);
      leastBytes = Math.min(leastBytes, Math.abs(process.memoryUsage().heapUsed - before));
    }
    // One number in an object of its own for each command would be 16 bytes for each.
    expect(leastBytes).toBeLessThan(COMMANDS * 4);
  });
});
