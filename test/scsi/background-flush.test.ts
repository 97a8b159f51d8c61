import { describe, expect, it } from "vitest";
import { BackgroundFlush } from "../../src/scsi/background-flush.ts";
import type { IoErrorReport } from "../../src/scsi/logical-unit.ts";
import { IoKind } from "../../src/util/io-request.ts";
import { Bench } from "./support/bench.ts";

describe("BackgroundFlush", () => {
  it("flushes, and tells the administrator alone where that fails", () => {
    const reports: IoErrorReport[] = [];
    const bench = new Bench({ report: (report) => reports.push(report) });
    bench.volume.submit(new BackgroundFlush(bench.unit));
    expect([bench.volume.submitted[0]?.kind, reports.length]).toEqual([IoKind.flush, 0]);
    bench.volume.failing = "medium";
    bench.volume.submit(new BackgroundFlush(bench.unit));
    expect(reports.map(({ error, operationCode }) => [error.kind, operationCode])).toEqual([
      ["medium", -1],
    ]);
  });
});
