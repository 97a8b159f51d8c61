import { collectDefaultMetrics, Registry } from "prom-client";
import { pause, systemClock } from "../../util/clock.ts";
import { CONTENT_TYPE, linesOf } from "./exposition.ts";
import { LUN_METRICS, type LunSources, type Place, placesOf } from "./lun-metrics.ts";
import type { Metric } from "./metric.ts";
import { POOL_METRICS } from "./pool-metrics.ts";
import { SERVER_METRICS } from "./server-metrics.ts";
import type { MetricSources } from "./sources.ts";

/** Lines and places after which others have a turn: a millisecond's work, so that commands do not feel who looks at thousands of LUNs. */
const SLICE_LINES = 256;
const SLICE_PLACES = 32;

/** Everything that is exported, except for what Node and the process tell of themselves. */
export const METRICS: readonly Metric<LunSources>[] = [
  ...SERVER_METRICS,
  ...LUN_METRICS,
  ...POOL_METRICS,
];

/** What Prometheus scrapes. */
export class Metrics {
  readonly #sources: MetricSources;
  readonly #process: Registry | null;
  #scrape: Promise<string> | null = null;

  /** `withProcess`: with what Node and the process tell of themselves, which is watched from then on until the process ends. */
  constructor(sources: MetricSources, withProcess: boolean) {
    this.#sources = sources;
    this.#process = withProcess ? new Registry() : null;
    if (this.#process !== null) collectDefaultMetrics({ register: this.#process });
  }

  get contentType(): string {
    return CONTENT_TYPE;
  }

  /** The exposition, in Prometheus' text format. Whoever asks while it is being put together gets the same. */
  text(): Promise<string> {
    this.#scrape ??= this.#putTogether().finally(() => (this.#scrape = null));
    return this.#scrape;
  }

  async #putTogether(): Promise<string> {
    const places: Place[] = [];
    for (const place of placesOf(this.#sources)) {
      places.push(place);
      if (places.length % SLICE_PLACES === 0) await pause(systemClock, 0);
    }
    const sources = { ...this.#sources, places };
    const slices: string[] = [];
    let lines: string[] = [];
    for (const metric of METRICS) {
      for (const line of linesOf(metric, sources)) {
        lines.push(line);
        if (lines.length < SLICE_LINES) continue;
        slices.push(lines.join(""));
        lines = [];
        await pause(systemClock, 0);
      }
      lines.push("\n");
    }
    slices.push(lines.join(""));
    if (this.#process !== null) slices.push(await this.#process.metrics());
    return slices.join("");
  }
}
