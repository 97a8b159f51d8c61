import type { Histogram } from "../../util/histogram.ts";
import type { Pool } from "../../thin/pool/pool.ts";
import type { PoolStatistics } from "../../thin/pool/statistics.ts";
import { type PoolUsage, spaceInUse } from "../../thin/pool/usage.ts";
import { BLOCK_BYTES } from "../../thin/format/geometry.ts";
import type { Metric, MetricDefinition, Sample } from "./metric.ts";
import type { MetricSources } from "./sources.ts";

const MS_PER_SECOND = 1000;

function* forEachPool(
  { pools }: MetricSources,
  valueOf: (pool: Pool) => number,
): Generator<Sample> {
  for (const { pool } of pools()) yield { labels: { pool: pool.name }, value: valueOf(pool) };
}

function poolMetric(
  type: MetricDefinition["type"],
  name: string,
  help: string,
  valueOf: (pool: Pool) => number,
): Metric<MetricSources> {
  const collect = (sources: MetricSources): Iterable<Sample> => forEachPool(sources, valueOf);
  return { name: `thinlun_pool_${name}`, help, type, labels: ["pool"], collect };
}

function space(
  name: string,
  help: string,
  valueOf: (usage: PoolUsage) => number,
): Metric<MetricSources> {
  return poolMetric("gauge", name, help, (pool) => valueOf(pool.usage()));
}

function inside(
  type: "counter" | "gauge",
  name: string,
  help: string,
  valueOf: (statistics: PoolStatistics) => number,
): Metric<MetricSources> {
  return poolMetric(type, name, help, (pool) => valueOf(pool.statistics()));
}

/** Buckets count everything up to their bound. `unit`: what recorded values are divided by. */
function histogram(
  name: string,
  help: string,
  unit: number,
  valueOf: (statistics: PoolStatistics) => Histogram,
): Metric<MetricSources> {
  const collect = function* ({ pools }: MetricSources): Generator<Sample> {
    for (const { pool } of pools()) {
      const labels = { pool: pool.name };
      const { bounds, counts, sum } = valueOf(pool.statistics());
      let value = 0;
      for (const [index, count] of counts.entries()) {
        const bound = bounds[index];
        const le = bound === undefined ? "+Inf" : String(bound / unit);
        value += count;
        yield { labels: { ...labels, le }, value, suffix: "_bucket" };
      }
      yield { labels, value: sum / unit, suffix: "_sum" };
      yield { labels, value, suffix: "_count" };
    }
  };
  return { name: `thinlun_pool_${name}`, help, type: "histogram", labels: ["pool"], collect };
}

/** Each threshold of a pool, and whether so much of it is in use. */
function* thresholds({ pools }: MetricSources): Generator<Sample> {
  for (const { pool } of pools()) {
    const { usedBytes, capacityBytes } = spaceInUse(pool.state);
    for (const share of pool.statistics().thresholds) {
      const labels = { pool: pool.name, threshold: String(share) };
      yield { labels, value: usedBytes >= share * capacityBytes ? 1 : 0 };
    }
  }
}

/** At what a pool warns and grows, as bytes that are left: to compare with the space that is usable. */
function* lowWater({ pools }: MetricSources): Generator<Sample> {
  for (const { pool } of pools()) {
    const { lowWaterBytes } = pool.statistics();
    if (lowWaterBytes !== null) yield { labels: { pool: pool.name }, value: lowWaterBytes };
  }
}

/** Where the space of pools is, and how they keep what was written. */
export const POOL_METRICS: readonly Metric<MetricSources>[] = [
  poolMetric(
    "gauge",
    "failed",
    "1 where the pool has failed and serves nothing any more.",
    (pool) => (pool.failure === null ? 0 : 1),
  ),
  inside(
    "gauge",
    "full",
    "1 where writes have found no space, and none has come free since.",
    ({ isFull }) => (isFull ? 1 : 0),
  ),
  poolMetric(
    "gauge",
    "volumes",
    "Volumes and snapshots of the pool.",
    (pool) => pool.volumes().length,
  ),
  space("capacity_bytes", "All space of all devices, in bytes.", (usage) => usage.capacityBytes),
  space(
    "virtual_bytes",
    "Sizes of the volumes that can be written, in bytes.",
    (usage) => usage.virtualBytes,
  ),
  space(
    "mapped_bytes",
    "What volumes map, shared extents once for each, in bytes.",
    (usage) => usage.mappedBytes,
  ),
  space(
    "shared_bytes",
    "What would be needed besides if volumes shared nothing, in bytes.",
    (usage) => usage.sharedBytes,
  ),
  poolMetric(
    "gauge",
    "physical_bytes",
    "What of all devices is taken, whatever for, in bytes: what thresholds are about.",
    (pool) => spaceInUse(pool.state).usedBytes,
  ),
  space("data_bytes", "Space that holds data, in bytes.", (usage) => usage.dataBytes),
  space("metadata_bytes", "Space that holds maps, in bytes.", (usage) => usage.metadataBytes),
  space(
    "reserved_bytes",
    "Space kept for volumes that have not used it yet, in bytes.",
    (usage) => usage.reservedBytes,
  ),
  space(
    "quarantined_bytes",
    "Space that was freed and cannot be used before that is durable, in bytes.",
    (usage) => usage.quarantinedBytes,
  ),
  space("free_bytes", "Space that holds nothing, in bytes.", (usage) => usage.freeBytes),
  space(
    "usable_bytes",
    "Space that volumes without a reservation can still take, in bytes.",
    (usage) => usage.usableBytes,
  ),
  {
    name: "thinlun_pool_threshold_reached",
    help: "1 where at least this share of the pool's space is in use.",
    type: "gauge",
    labels: ["pool", "threshold"],
    collect: thresholds,
  },
  {
    name: "thinlun_pool_low_water_bytes",
    help: "The pool grows by itself where less than this is usable, in bytes.",
    type: "gauge",
    labels: ["pool"],
    collect: lowWater,
  },
  inside(
    "gauge",
    "journal_bytes",
    "Size of the journal, in bytes.",
    ({ journalBlocks }) => journalBlocks * BLOCK_BYTES,
  ),
  inside(
    "gauge",
    "journal_used_bytes",
    "What of the journal an opening after a crash would replay, in bytes.",
    ({ journalBlocksInUse }) => journalBlocksInUse * BLOCK_BYTES,
  ),
  inside(
    "counter",
    "journal_blocks_written_total",
    "Blocks of the journal that were written since the pool was made.",
    ({ journalWrittenTotal }) => journalWrittenTotal,
  ),
  inside(
    "gauge",
    "journal_volatile_blocks",
    "Blocks of the journal that a power loss might take: no barrier has covered them yet.",
    ({ journalVolatileBlocks }) => journalVolatileBlocks,
  ),
  inside(
    "gauge",
    "journal_stalled",
    "1 while writes wait for a checkpoint to make room in the journal.",
    ({ isJournalStalled }) => (isJournalStalled ? 1 : 0),
  ),
  histogram(
    "journal_write_records",
    "Records that one write of the journal carried.",
    1,
    ({ journalBlockRecords }) => journalBlockRecords,
  ),
  inside(
    "counter",
    "journal_appends_total",
    "Writes and steps of operations that writes of the journal carried: divided by those, the size of a group.",
    ({ journalAppendsTotal }) => journalAppendsTotal,
  ),
  histogram(
    "barrier_seconds",
    "How long barriers took until all that was written before them was durable, in seconds.",
    MS_PER_SECOND,
    ({ barrierDurationsMs }) => barrierDurationsMs,
  ),
  inside(
    "gauge",
    "barrier_running_seconds",
    "For how long the oldest barrier has been under way, in seconds; 0 where there is none.",
    ({ barrierRunningMs }) => barrierRunningMs / MS_PER_SECOND,
  ),
  inside(
    "counter",
    "flushes_total",
    "Flushes of devices, by barriers and checkpoints, since the pool was opened.",
    ({ flushesTotal }) => flushesTotal,
  ),
  inside(
    "counter",
    "checkpoints_total",
    "Checkpoints since the pool was made.",
    ({ checkpointsTotal }) => checkpointsTotal,
  ),
  inside(
    "gauge",
    "checkpoint_running",
    "1 while a checkpoint is written.",
    ({ isCheckpointing }) => (isCheckpointing ? 1 : 0),
  ),
  inside("gauge", "leaves", "Leaves of all maps, in memory or not.", ({ leaves }) => leaves),
  inside(
    "gauge",
    "leaf_resident_bytes",
    "Map pages in memory, in bytes.",
    ({ leafResidentBytes }) => leafResidentBytes,
  ),
  inside(
    "gauge",
    "leaf_memory_bytes",
    "Memory that map pages have taken, in bytes.",
    ({ leafMemoryBytes }) => leafMemoryBytes,
  ),
  inside(
    "gauge",
    "leaf_dirty_pages",
    "Map pages that only the journal and memory have.",
    ({ leafDirtyPages }) => leafDirtyPages,
  ),
];
