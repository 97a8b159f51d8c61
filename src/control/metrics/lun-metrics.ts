import { LATENCY_BOUNDS_MS } from "../../scsi/latency-histogram.ts";
import { OperationClass } from "../../scsi/operation-class.ts";
import type { OperationCounts, UnitStatistics } from "../../scsi/unit-statistics.ts";
import type { Metric, Sample } from "./metric.ts";
import type { MetricSources } from "./sources.ts";

const MS_PER_SECOND = 1000;

/** Classes as metrics tell them apart: more would multiply the series of every LUN and initiator. */
const OPERATIONS: Readonly<Record<string, readonly OperationClass[]>> = {
  read: [OperationClass.read],
  write: [OperationClass.write],
  unmap: [OperationClass.unmap],
  flush: [OperationClass.flush],
  other: [OperationClass.otherIn, OperationClass.otherOut, OperationClass.other],
};

const NEXUS_LABELS = ["target", "lun", "initiator"] as const;
const LABELS = ["target", "lun", "initiator", "operation"] as const;

/** What one initiator did on one LUN, as it was at one moment, with the labels of it. */
export interface Place {
  readonly labels: Readonly<Record<(typeof NEXUS_LABELS)[number], string>>;
  readonly mediumErrors: number;
  /** Those that it has tried. */
  readonly operations: readonly PlaceOperation[];
}

interface PlaceOperation {
  readonly labels: Readonly<Record<(typeof LABELS)[number], string>>;
  readonly counts: readonly OperationCounts[];
  /** By bucket, not cumulative. */
  readonly latencies: Float64Array;
  readonly latencySumMs: number;
}

export interface LunSources extends MetricSources {
  /** All there are, found once for all metrics of them. */
  readonly places: readonly Place[];
}

/** One after the other: whoever asks for them need not do so in one turn. */
export function* placesOf({ server }: MetricSources): Generator<Place> {
  for (const { name, device } of server.targets.values()) {
    for (const { lun, initiator, statistics } of device.statistics.each()) {
      const labels = { target: name, lun: String(lun), initiator };
      const operations = operationsOf(labels, statistics);
      yield { labels, mediumErrors: statistics.mediumErrors, operations };
    }
  }
}

function operationsOf(nexus: Place["labels"], statistics: UnitStatistics): PlaceOperation[] {
  const operations: PlaceOperation[] = [];
  for (const [operation, classes] of Object.entries(OPERATIONS)) {
    const counts = classes.map((one) => statistics.counts(one));
    if (counts.every(({ submitted }) => submitted === 0)) continue;
    const latencies = new Float64Array(LATENCY_BOUNDS_MS.length + 1);
    let latencySumMs = 0;
    for (const one of classes) {
      latencySumMs += statistics.latencies.sumMs(one);
      for (const [bucket, count] of statistics.latencies.counts(one).entries()) {
        latencies[bucket] = (latencies[bucket] ?? 0) + count;
      }
    }
    operations.push({ labels: { ...nexus, operation }, counts, latencies, latencySumMs });
  }
  return operations;
}

/** One sample for each operation that an initiator has tried on a LUN. */
function* byOperation(
  { places }: LunSources,
  valueOf: (counts: OperationCounts) => number,
): Generator<Sample> {
  for (const { operations } of places) {
    for (const { labels, counts } of operations) {
      yield { labels, value: counts.reduce((sum, one) => sum + valueOf(one), 0) };
    }
  }
}

const BOUNDS: readonly string[] = [
  ...LATENCY_BOUNDS_MS.map((boundMs) => String(boundMs / MS_PER_SECOND)),
  "+Inf",
];

/** Buckets count everything up to their bound; the last one, and `_count`, everything there is. */
function* latencies({ places }: LunSources): Generator<Sample> {
  for (const { operations } of places) {
    for (const { labels, latencies: counts, latencySumMs } of operations) {
      if (counts.every((count) => count === 0)) continue;
      let value = 0;
      for (const [bucket, le] of BOUNDS.entries()) {
        value += counts[bucket] ?? 0;
        yield { labels, le, value, suffix: "_bucket" };
      }
      yield { labels, value: latencySumMs / MS_PER_SECOND, suffix: "_sum" };
      yield { labels, value, suffix: "_count" };
    }
  }
}

/** What initiators do on the LUNs. Initiators beyond a limit are counted together, as `other`. */
export const LUN_METRICS: readonly Metric<LunSources>[] = [
  {
    name: "thinlun_lun_operations_total",
    help: "SCSI commands that were answered, whatever the status.",
    type: "counter",
    labels: LABELS,
    collect: (sources) => byOperation(sources, ({ answered }) => answered),
  },
  {
    name: "thinlun_lun_bytes_total",
    help: "Data that commands with GOOD status moved, in bytes.",
    type: "counter",
    labels: LABELS,
    collect: (sources) => byOperation(sources, ({ movedBytes }) => movedBytes),
  },
  {
    name: "thinlun_lun_errors_total",
    help: "SCSI commands that were answered with another status than GOOD, unit attentions included.",
    type: "counter",
    labels: LABELS,
    collect: (sources) => byOperation(sources, ({ errors }) => errors),
  },
  {
    name: "thinlun_lun_aborted_total",
    help: "SCSI commands that were aborted and never answered.",
    type: "counter",
    labels: LABELS,
    collect: (sources) => byOperation(sources, ({ aborted }) => aborted),
  },
  {
    name: "thinlun_lun_operations_running",
    help: "SCSI commands that came and have not been answered yet.",
    type: "gauge",
    labels: LABELS,
    collect: (sources) =>
      byOperation(sources, ({ submitted, answered, aborted }) => submitted - answered - aborted),
  },
  {
    name: "thinlun_lun_latency_seconds",
    help: "From the arrival of a SCSI command to when its answer was handed to the network, in seconds.",
    type: "histogram",
    labels: LABELS,
    collect: latencies,
  },
  {
    name: "thinlun_lun_medium_errors_total",
    help: "SCSI commands that failed because the volume did.",
    type: "counter",
    labels: NEXUS_LABELS,
    collect: function* ({ places }) {
      for (const { labels, mediumErrors: value } of places) yield { labels, value };
    },
  },
  {
    name: "thinlun_lun_capacity_bytes",
    help: "Size of the LUN, in bytes.",
    type: "gauge",
    labels: ["target", "lun"],
    collect: function* ({ server }) {
      for (const { name, device } of server.targets.values()) {
        for (const [lun, { capacityBlocks, blockBytes }] of device.units) {
          const labels = { target: name, lun: String(lun) };
          yield { labels, value: capacityBlocks * blockBytes };
        }
      }
    },
  },
];
