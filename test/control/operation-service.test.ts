import { get } from "node:http";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { ControlServer } from "../../src/control/control-server.ts";
import { operationService } from "../../src/control/operation-service.ts";
import { PlaneHarness } from "./support/plane-harness.ts";

let harness: PlaneHarness;
let control: ControlServer;
let socketPath: string;
let isRunning: boolean;

beforeEach(async () => {
  harness = await PlaneHarness.start();
  isRunning = false;
  const { plane, server, parts, folder } = harness;
  control = operationService({
    ...parts,
    plane,
    server,
    stateDir: folder,
    startedAt: new Date(),
    logoutGraceMs: 0,
    isRunning: () => isRunning,
  });
  socketPath = join(folder, "control.sock");
  await control.listen(socketPath);
});

afterEach(async () => {
  await control.close();
  await harness.dispose();
});

function fetch(path: string): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const request = get({ socketPath, path, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (text += chunk));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
    });
    request.on("error", reject);
  });
}

it("serves operations on the daemon, and its metrics", async () => {
  const answer = await fetch("/v1/portal/list");
  expect(answer.status).toBe(200);
  expect(JSON.parse(answer.text)).toMatchObject([{ origin: "configuration" }]);
  expect((await fetch("/metrics")).text).toContain("thinlun_build_info");
});

it("says that the daemon is ready when it is, and has a portal", async () => {
  expect(await fetch("/health/ready")).toMatchObject({ status: 503 });
  isRunning = true;
  expect(await fetch("/health/ready")).toMatchObject({ status: 200 });
  const [portal] = harness.parts.portals.portals;
  if (portal === undefined) throw new Error("there is a portal");
  await harness.parts.portals.close(portal.config);
  expect((await fetch("/health/ready")).text).toContain("no portal is open");
});
