import { expect, test } from "vitest";

import { Metrics } from "../../../src/control/metrics/metrics.ts";
import { DeviceFilter } from "../../../src/device/device-filter.ts";
import { MemoryDevice } from "../../../src/device/memory-device.ts";
import { IscsiServer } from "../../../src/iscsi/server.ts";
import { AccessList } from "../../../src/iscsi/auth/access-list.ts";
import { AuthenticationPolicy } from "../../../src/iscsi/auth/authentication-policy.ts";
import { DEFAULT_OFFERS } from "../../../src/iscsi/parameters.ts";
import { systemClock } from "../../../src/util/clock.ts";
import { flush, IoKind, type IoRequest } from "../../../src/util/io-request.ts";
import { systemRandomBytes } from "../../../src/util/random.ts";
import { recordingLog } from "../../support/recording-log.ts";
import { EXTENT, MIB, PoolBench } from "../../thin/pool/support/pool-bench.ts";
import { exposed, type ExposedFamily, parseExposition } from "./support/exposition.ts";

const server = new IscsiServer({
  log: recordingLog([]),
  clock: systemClock,
  randomBytes: systemRandomBytes,
  poll: "off",
  discovery: {
    enabled: false,
    access: new AccessList(),
    authentication: new AuthenticationPolicy(),
    offers: DEFAULT_OFFERS,
  },
});

async function scrape({ pool }: PoolBench): Promise<ReadonlyMap<string, ExposedFamily>> {
  const metrics = new Metrics({ server, pools: () => [{ pool }], version: "1" }, false);
  return parseExposition(await metrics.text());
}

test("the metrics of pools say where the space is, and which thresholds are reached", async () => {
  const settings = { thresholds: [0.1, 0.95] };
  const bench = await PoolBench.make({ thresholds: [0.1, 0.9], settings });
  const volume = await bench.create("data", 100 * MIB);
  await bench.fill(volume, 0, 200, 1);
  await bench.snapshot(volume, "copy");
  await bench.pass(1000);
  const families = await scrape(bench);
  const usage = bench.pool.usage();
  const value = (name: string, labels = {}): number | undefined =>
    exposed(families, `thinlun_pool_${name}`, { pool: "tank", ...labels });
  expect(value("capacity_bytes")).toBe(usage.capacityBytes);
  expect(value("virtual_bytes")).toBe(usage.virtualBytes);
  expect(value("mapped_bytes")).toBe(400 * EXTENT);
  expect(value("shared_bytes")).toBe(200 * EXTENT);
  expect(value("data_bytes")).toBe(200 * EXTENT);
  expect(value("free_bytes")).toBe(usage.freeBytes);
  expect(value("usable_bytes")).toBe(usage.usableBytes);
  expect(value("volumes")).toBe(2);
  expect(value("failed")).toBe(0);
  expect(value("threshold_reached", { threshold: "0.1" })).toBe(1);
  expect(value("threshold_reached", { threshold: "0.9" })).toBe(0);
  expect(value("threshold_reached", { threshold: "0.95" })).toBe(0);
  expect(value("low_water_bytes")).toBe(undefined);
  expect(value("full")).toBe(0);
  expect(value("physical_bytes")).toBe(usage.capacityBytes - usage.freeBytes);
  expect(value("journal_blocks_written_total")).toBeGreaterThan(0);
  expect(value("journal_used_bytes")).toBeLessThanOrEqual(value("journal_bytes") ?? 0);
  expect(value("leaves")).toBeGreaterThan(0);
  const { journalBlockRecords, journalAppendsTotal } = bench.pool.statistics();
  expect(value("journal_write_records_sum")).toBe(journalBlockRecords.sum);
  expect(value("journal_write_records_bucket", { le: "+Inf" })).toBe(
    value("journal_write_records_count"),
  );
  expect(value("journal_write_records_bucket", { le: "1" })).toBe(journalBlockRecords.counts[0]);
  expect(value("journal_appends_total")).toBe(journalAppendsTotal);
  expect(value("barrier_seconds_count")).toBeGreaterThan(0);
  expect(value("barrier_running_seconds")).toBe(0);
  expect(value("journal_stalled")).toBe(0);
  await bench.close();
});

test("the metrics of pools say for how long a flush has not come back, and what barriers took", async () => {
  const held: IoRequest[] = [];
  let isHolding = false;
  class Holding extends DeviceFilter {
    override submit(request: IoRequest): void {
      if (isHolding && request.kind === IoKind.flush) held.push(request);
      else super.submit(request);
    }
  }
  const device = new Holding(new MemoryDevice(64 * MIB, "disk"), "disk");
  const bench = await PoolBench.make({ devices: [device] });
  await bench.create("data", 10 * MIB);
  const before = exposed(await scrape(bench), "thinlun_pool_barrier_seconds_sum", { pool: "tank" });
  isHolding = true;
  const flushed = flush(bench.pool.volume("data"));
  bench.clock.advance(7000);
  const families = await scrape(bench);
  expect(exposed(families, "thinlun_pool_barrier_running_seconds", { pool: "tank" })).toBe(7);
  isHolding = false;
  for (const request of held.splice(0)) device.submit(request);
  await flushed;
  const after = await scrape(bench);
  const sum = exposed(after, "thinlun_pool_barrier_seconds_sum", { pool: "tank" }) ?? 0;
  expect(sum - (before ?? 0)).toBeCloseTo(7);
  expect(exposed(after, "thinlun_pool_barrier_running_seconds", { pool: "tank" })).toBe(0);
  await bench.close();
});
