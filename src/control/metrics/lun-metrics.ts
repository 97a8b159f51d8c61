import { LATENCY_BOUNDS_MS } from "../../scsi/latency-histogram.ts";
import { OperationClass } from "../../scsi/operation-class.ts";
import type { InitiatorTotals } from "../../scsi/target-statistics.ts";
import type { OperationCounts } from "../../scsi/unit-statistics.ts";
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
const LABELS = [...NEXUS_LABELS, "operation"] as const;

/** What one initiator did on one LUN, with the labels of it. */
interface Place extends InitiatorTotals {
  readonly labels: Readonly<Record<(typeof NEXUS_LABELS)[number], string>>;
}

function* placesOf({ server }: MetricSources): Generator<Place> {
  for (const { name, device } of server.targets.values()) {
    for (const totals of device.statistics.totals()) {
      const { lun, initiator } = totals;
      yield { ...totals, labels: { target: name, lun: String(lun), initiator } };
    }
  }
}

/** One sample for each operation that an initiator has tried on a LUN. */
function* byOperation(
  sources: MetricSources,
  valueOf: (counts: OperationCounts) => number,
): Generator<Sample> {
  for (const { labels, statistics } of placesOf(sources)) {
    for (const [operation, classes] of Object.entries(OPERATIONS)) {
      const counts = classes.map((one) => statistics.counts(one));
      if (counts.every(({ submitted }) => submitted === 0)) continue;
      const value = counts.reduce((sum, one) => sum + valueOf(one), 0);
      yield { labels: { ...labels, operation }, value };
    }
  }
}

function* latencies(sources: MetricSources): Generator<Sample> {
  for (const place of placesOf(sources)) {
    for (const [operation, classes] of Object.entries(OPERATIONS)) {
      yield* histogram(place, operation, classes);
    }
  }
}

/** Buckets count everything up to their bound; the last one, and `_count`, everything there is. */
function* histogram(
  { labels: nexus, statistics }: Place,
  operation: string,
  classes: readonly OperationClass[],
): Generator<Sample> {
  const labels = { ...nexus, operation };
  const { latencies: all } = statistics;
  const buckets = Array.from({ length: LATENCY_BOUNDS_MS.length + 1 }, () => 0);
  let sumMs = 0;
  for (const one of classes) {
    sumMs += all.sumMs(one);
    for (const [index, count] of all.counts(one).entries()) {
      buckets[index] = (buckets[index] ?? 0) + count;
    }
  }
  if (buckets.every((count) => count === 0)) return;
  let value = 0;
  for (const [index, count] of buckets.entries()) {
    const boundMs = LATENCY_BOUNDS_MS[index];
    const le = boundMs === undefined ? "+Inf" : String(boundMs / MS_PER_SECOND);
    value += count;
    yield { labels: { ...labels, le }, value, suffix: "_bucket" };
  }
  yield { labels, value: sumMs / MS_PER_SECOND, suffix: "_sum" };
  yield { labels, value, suffix: "_count" };
}

/** What initiators do on the LUNs. Initiators beyond a limit are counted together, as `other`. */
export const LUN_METRICS: readonly Metric<MetricSources>[] = [
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
    collect: function* (sources) {
      for (const { labels, statistics } of placesOf(sources)) {
        yield { labels, value: statistics.mediumErrors };
      }
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
