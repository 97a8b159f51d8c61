/** What a metric is called and means. */
export interface MetricDefinition {
  /** By Prometheus' conventions: base units, and `_total` at the end of counters. */
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly labels: readonly string[];
}

/** One line of the exposition. */
export interface Sample {
  /** Of those that the definition names. */
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  /** For the parts of a histogram, behind the name. */
  readonly suffix?: "_bucket" | "_sum" | "_count";
  /** The label that buckets have besides. */
  readonly le?: string;
}

/** A metric, and how it is found out at each scrape. */
export interface Metric<Sources> extends MetricDefinition {
  readonly collect: (sources: Sources) => Iterable<Sample>;
}
