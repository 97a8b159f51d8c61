import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";

import { Metrics, METRICS } from "../../../src/control/metrics/metrics.ts";
import type { MetricSources } from "../../../src/control/metrics/sources.ts";
import { cdb16, newCdb } from "../../../src/initiator/scsi.ts";
import { OperationClass } from "../../../src/scsi/operation-class.ts";
import { TargetStatistics } from "../../../src/scsi/target-statistics.ts";
import { InProcessTarget } from "../../support/in-process-target.ts";
import { PoolBench } from "../../thin/pool/support/pool-bench.ts";
import { exposed, parseExposition } from "./support/exposition.ts";

let target: InProcessTarget | null = null;

afterEach(async () => {
  await target?.close();
  target = null;
});

/** A server with a session that has read, and a pool. */
async function busySources(): Promise<MetricSources> {
  target = await InProcessTarget.start();
  const session = await target.connect();
  await session.execute({ lun: 0, cdb: newCdb(6, 0x00) });
  await session.execute({ lun: 0, cdb: cdb16(0x88, 0, 8), expectedInBytes: 4096 });
  const grower = (): Promise<readonly never[]> => Promise.resolve([]);
  const growth = { lowWaterBytes: 4096, stepBytes: 4096, grower };
  const { pool } = await PoolBench.make({ thresholds: [0.5, 0.8], settings: { growth } });
  return { server: target.server, pools: () => [{ pool }], version: "1.2.3" };
}

describe("the metrics", () => {
  it("have names, units and labels by Prometheus' conventions", () => {
    const names = METRICS.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const { name, type, labels, help } of METRICS) {
      expect(name).toMatch(/^thinlun_[a-z]+(?:_[a-z]+)*$/);
      expect(name.endsWith("_total"), name).toBe(type === "counter");
      expect(name, "base units only").not.toMatch(/_(?:ms|milliseconds|kib|mib|percent|octets)/);
      expect(help, name).toMatch(/^[A-Z0-9].*\.$/);
      for (const label of labels) expect(label).toMatch(/^[a-z]+$/);
      expect(labels).not.toContain("le");
    }
  });

  it("are exposed in the text format, with just the labels that they name, and each at least once", async () => {
    const text = await new Metrics(await busySources(), false).text();
    const families = parseExposition(text);
    expect([...families.keys()]).toEqual(METRICS.map(({ name }) => name));
    for (const { name, type, help, labels } of METRICS) {
      const family = families.get(name);
      expect(family).toMatchObject({ type, help });
      expect(family?.samples.length, name).toBeGreaterThan(0);
      for (const sample of family?.samples ?? []) {
        const wanted = sample.name.endsWith("_bucket") ? [...labels, "le"] : labels;
        expect(Object.keys(sample.labels).toSorted(), sample.name).toEqual(wanted.toSorted());
        expect(sample.value, sample.name).toBeGreaterThanOrEqual(0);
      }
    }
  });

  it("go with what the process tells of itself", async () => {
    const metrics = new Metrics(await busySources(), true);
    const families = parseExposition(await metrics.text());
    expect(families.has("process_cpu_seconds_total")).toBe(true);
    expect(families.has("nodejs_eventloop_lag_p99_seconds")).toBe(true);
    expect(families.has("process_resident_memory_bytes")).toBe(true);
    expect(metrics.contentType).toMatch(/^text\/plain; version=0\.0\.4/);
  });

  it("leave turns to others while there are many of them, and are the same for all who ask meanwhile", async () => {
    const { server } = await busySources();
    const targets = new Map(server.targets);
    const [target = never()] = targets.values();
    for (let number = 0; number < 100; number += 1) {
      const statistics = new TargetStatistics();
      for (const initiator of ["a", "b", "c", "d"]) {
        const unit = statistics.open(initiator).of(0);
        unit.submit(OperationClass.read, 512);
        unit.latencies.record(OperationClass.read, 1, 1);
      }
      const name = `iqn.2026-11.net.example:${number}`;
      const device = { statistics, units: new Map() };
      targets.set(name, { name, device } as unknown as typeof target);
    }
    const { sessions, statistics, totals, portals } = server;
    const sources = { targets, sessions, statistics, totals, portals };
    const metrics = new Metrics({ server: sources, pools: () => [], version: "1" }, false);
    let turns = 0;
    let immediate = setImmediate(function count() {
      turns += 1;
      immediate = setImmediate(count);
    });
    const scrapes = await Promise.all([metrics.text(), metrics.text()]);
    clearImmediate(immediate);
    const lines = scrapes[0].split("\n").length;
    expect(lines).toBeGreaterThan(400 * 25);
    expect(turns).toBeGreaterThan(Math.floor(lines / 300));
    expect(turns).toBeLessThan(2 * Math.ceil(lines / 256));
    expect(scrapes[1]).toBe(scrapes[0]);
    const families = parseExposition(scrapes[0]);
    const labels = { target: "iqn.2026-11.net.example:7", lun: "0", initiator: "c" };
    const running = { ...labels, operation: "read" };
    expect(exposed(families, "thinlun_lun_operations_running", running)).toBe(1);
    targets.clear();
    expect(parseExposition(await metrics.text()).get("thinlun_lun_bytes_total")?.samples).toEqual(
      [],
    );
  });

  it("are all in the documentation, as they are", () => {
    const page = readFileSync(
      join(import.meta.dirname, "..", "..", "..", "docs", "metrics.md"),
      "utf8",
    );
    const rows = page
      .split("\n")
      .filter((line) => line.startsWith("| `thinlun_"))
      .map((line) =>
        line
          .split("|")
          .map((cell) => cell.trim())
          .slice(1, -1),
      );
    const wanted = METRICS.map(({ name, type, labels, help }) => [
      `\`${name}\``,
      type,
      labels.join(", "),
      help,
    ]);
    expect(rows).toEqual(wanted);
  });
});

function never(): never {
  throw new Error("there is a target");
}
