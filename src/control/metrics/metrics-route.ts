import type { FastifyInstance } from "fastify";
import type { Metrics } from "./metrics.ts";

/** Serves metrics at /metrics. */
export function addMetricsRoute(app: FastifyInstance, metrics: Metrics): void {
  app.get("/metrics", async (_request, reply) => {
    const text = await metrics.text();
    return reply.header("content-type", metrics.contentType).send(Buffer.from(text));
  });
}
