import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { metricsCommand } from "../../src/cli/metrics.ts";
import { run } from "./support.ts";

let folder: string;
let server: Server;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "thinlun-metrics-"));
});

afterEach(async () => {
  await new Promise((done) => server.close(done));
  rmSync(folder, { recursive: true });
});

async function serve(status: number, type: string, text: string): Promise<void> {
  server = createServer((request, response) => {
    response.writeHead(status, { "content-type": type, connection: "close" });
    response.end(`${text}${status === 200 ? (request.url ?? "") : ""}`);
  });
  await new Promise<void>((done) => server.listen(join(folder, "control.sock"), done));
}

describe("metrics", () => {
  it("are printed as they come", async () => {
    expect(metricsCommand.command).toBe("metrics");
    await serve(200, "text/plain; version=0.0.4", "thinlun_up 1\n");
    expect(await run("metrics", "--state-dir", folder)).toMatchObject({
      status: 0,
      stdout: "thinlun_up 1\n/metrics",
    });
  });

  it("are refused in the daemon's words", async () => {
    const problem = { kind: "missing", detail: "there are none", message: "there are none" };
    await serve(404, "application/problem+json", JSON.stringify(problem));
    const { status, stderr } = await run("metrics", "--state-dir", folder);
    expect(status).toBe(1);
    expect(stderr).toContain("there are none");
  });
});
