import { expect, test } from "vitest";
import { discard } from "../../../src/util/io-request.ts";
import { EXTENT, MIB, PoolBench } from "./support/pool-bench.ts";

test("thresholds warn: in the log, to those who listen, to every volume", async () => {
  const bench = await PoolBench.make({ thresholds: [0.5], settings: { thresholds: [0.25] } });
  const volume = await bench.create("data", 64 * MIB);
  const told: string[] = [];
  volume.subscribe((event) => told.push(event));
  const { capacityBytes } = bench.pool.usage();
  await bench.fill(volume, 0, Math.floor(capacityBytes / EXTENT / 4), 1);
  await bench.pass(250);
  const event = bench.events.find(({ kind }) => kind === "threshold");
  expect(event).toMatchObject({ kind: "threshold", share: 0.25, capacityBytes });
  expect(event?.kind === "threshold" && event.usedBytes).toBeGreaterThan(capacityBytes / 4 - 1);
  await bench.pass(2000);
  expect(told).toEqual(["space-low"]);
  await bench.fill(volume, 0, Math.floor(capacityBytes / EXTENT / 2), 1);
  await bench.pass(250);
  expect(told).toEqual(["space-low", "space-low"]);
  await bench.drive(discard(volume, 0, 64 * MIB));
  await bench.pass(2000);
  await bench.drive(bench.pool.setSettings({ thresholds: [0.1] }));
  await bench.fill(volume, 0, Math.floor(capacityBytes / EXTENT / 8), 1);
  await bench.pass(250);
  expect(told).toHaveLength(3);
  expect(bench.lines.filter(({ level }) => level === "warn")).toHaveLength(3);
});
