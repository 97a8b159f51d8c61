import { expect, test } from "vitest";

import { Metrics } from "../../../src/control/metrics/metrics.ts";
import { IscsiServer } from "../../../src/iscsi/server.ts";
import { AccessList } from "../../../src/iscsi/auth/access-list.ts";
import { AuthenticationPolicy } from "../../../src/iscsi/auth/authentication-policy.ts";
import { DEFAULT_OFFERS } from "../../../src/iscsi/parameters.ts";
import { systemClock } from "../../../src/util/clock.ts";
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
  const bench = await PoolBench.make({ thresholds: [0.1, 0.9] });
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
  expect(value("journal_blocks_written_total")).toBeGreaterThan(0);
  expect(value("journal_used_bytes")).toBeLessThanOrEqual(value("journal_bytes") ?? 0);
  expect(value("leaves")).toBeGreaterThan(0);
  await bench.close();
});
