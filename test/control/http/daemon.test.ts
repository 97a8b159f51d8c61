import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { get, type IncomingMessage } from "node:http";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, expect, it } from "vitest";
import { ControlClient } from "../../../src/cli/control-client.ts";
import { controlSocketPath } from "../../../src/control/protocol.ts";
import { runDaemon } from "../../../src/daemon.ts";

const TOKEN = "0123456789abcdef0123456789abcdef";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "thinlun-http-"));
});

afterEach(() => rmSync(folder, { recursive: true }));

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const sha256 = createHash("sha256").update(TOKEN).digest("hex");

it("a daemon serves its disks though its operations cannot be served over TCP, and says so", async () => {
  const configFile = join(folder, "c.yaml");
  const missing = join(folder, "missing.pem");
  writeFileSync(
    configFile,
    `volumes: {}
targets: []
http:
  listen: "127.0.0.1:1"
  tls: { certFile: "${missing}", keyFile: "${missing}" }
  tokens: [{ name: me, role: read, sha256: "${sha256}" }]
`,
  );
  const stateDir = join(folder, "state");
  const options = {
    configFile,
    stateDir,
    portals: ["127.0.0.1:0"],
    logLevel: "silent",
    ready: { file: null, fd: null },
    terminal: false,
  } as const;
  const work = async (): Promise<string> => {
    const socketPath = controlSocketPath(stateDir);
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      get({ socketPath, path: "/health/ready", agent: false }, resolve).on("error", reject);
    });
    return `${answer.statusCode} ${await text(answer)}`;
  };
  let worked: Promise<string> = Promise.resolve("not started");
  const ending = await runDaemon(options, ({ portals }) => {
    expect(portals).toHaveLength(1);
    worked = work().finally(() => process.emit("SIGTERM", "SIGTERM"));
  });
  const reasons = ["HTTP is not served as the configuration says"];
  expect(await worked).toBe(`503 ${JSON.stringify({ status: "unready", reasons })}`);
  expect(ending).toBe("stopped");
});

it("a daemon serves its operations over TCP, and tells what changes in it", async () => {
  const port = await freePort();
  const configFile = join(folder, "c.yaml");
  writeFileSync(
    configFile,
    `volumes: {}
targets: []
http: { listen: "127.0.0.1:${port}", tokens: [{ name: me, role: read, sha256: "${sha256}" }] }
`,
  );
  const stateDir = join(folder, "state");
  const options = {
    configFile,
    stateDir,
    portals: ["127.0.0.1:0"],
    logLevel: "silent",
    ready: { file: null, fd: null },
    terminal: false,
  } as const;
  const read = (path: string): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const headers = { authorization: `Bearer ${TOKEN}` };
      get({ host: "127.0.0.1", port, path, headers, agent: false }, resolve).on("error", reject);
    });
  let told = "";
  const work = async (): Promise<void> => {
    const events = await read("/v1/events");
    const done = new Promise<void>((resolve) => {
      events.on("data", (chunk: Buffer) => {
        told += chunk.toString();
        if (told.includes("event: operation\n")) resolve();
      });
    });
    const client = new ControlClient(controlSocketPath(stateDir));
    await client.call("target/create", { name: "iqn.2026-11.net.example:a" });
    await client.close();
    await done;
  };
  let worked: Promise<void> = Promise.resolve();
  const ending = await runDaemon(options, () => {
    worked = work().finally(() => process.emit("SIGTERM", "SIGTERM"));
  });
  await worked;
  expect(ending).toBe("stopped");
  const change =
    '{"differences":[{"action":"create","kind":"target","name":"iqn.2026-11.net.example:a","fields":[]}]}';
  expect(told).toContain(`event: change\ndata: ${change}\n`);
  expect(told).toContain('event: operation\ndata: {"operation":"target/create","by":"socket"}\n');
  await expect(read("/v1/pool/list")).rejects.toThrow("ECONNREFUSED");
});
