import fastify from "fastify";
import { afterEach, expect, test } from "vitest";

import { addMetricsRoute } from "../../../src/control/metrics/metrics-route.ts";
import { Metrics } from "../../../src/control/metrics/metrics.ts";
import { InProcessTarget } from "../../support/in-process-target.ts";
import { parseExposition } from "./support/exposition.ts";

let target: InProcessTarget;

afterEach(async () => {
  await target.close();
});

test("metrics are served at /metrics in the format that they say", async () => {
  target = await InProcessTarget.start();
  const app = fastify();
  const metrics = new Metrics({ server: target.server, pools: () => [], version: "1" }, false);
  addMetricsRoute(app, metrics);
  const { statusCode, headers, body } = await app.inject({ url: "/metrics" });
  expect(statusCode).toBe(200);
  expect(headers["content-type"]).toBe(metrics.contentType);
  expect(parseExposition(body).has("thinlun_build_info")).toBe(true);
  await app.close();
});
