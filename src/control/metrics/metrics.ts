import { collectDefaultMetrics, type Metric as PromMetric, Registry } from "prom-client";
import { LUN_METRICS } from "./lun-metrics.ts";
import type { Metric } from "./metric.ts";
import { POOL_METRICS } from "./pool-metrics.ts";
import { SERVER_METRICS } from "./server-metrics.ts";
import type { MetricSources } from "./sources.ts";

/** Everything that is exported, except for what Node and the process tell of themselves. */
export const METRICS: readonly Metric<MetricSources>[] = [
  ...SERVER_METRICS,
  ...LUN_METRICS,
  ...POOL_METRICS,
];

/**
 * A metric whose values are known somewhere else already. Those of the client library keep values of their own, which would have to be
 * updated with every command; and its histograms take observations one by one.
 */
class SampledMetric {
  readonly name: string;
  readonly #metric: Metric<MetricSources>;
  readonly #sources: MetricSources;

  constructor(metric: Metric<MetricSources>, sources: MetricSources) {
    this.name = metric.name;
    this.#metric = metric;
    this.#sources = sources;
  }

  get(): Promise<object> {
    const { name, help, type, collect } = this.#metric;
    const values = Array.from(collect(this.#sources), ({ labels, value, suffix = "" }) => ({
      labels,
      value,
      metricName: `${name}${suffix}`,
    }));
    return Promise.resolve({ name, help, type, values, aggregator: "sum" });
  }
}

/** What Prometheus scrapes. */
export class Metrics {
  readonly #registry: Registry = new Registry();

  /** `withProcess`: with what Node and the process tell of themselves, which is watched from then on until the process ends. */
  constructor(sources: MetricSources, withProcess: boolean) {
    for (const metric of METRICS) {
      this.#registry.registerMetric(new SampledMetric(metric, sources) as unknown as PromMetric);
    }
    if (withProcess) collectDefaultMetrics({ register: this.#registry });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** The exposition, in Prometheus' text format. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }
}
