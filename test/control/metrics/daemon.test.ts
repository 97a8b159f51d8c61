import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { controlSocketPath } from "../../../src/control/protocol.ts";
import { type Running, runDaemon } from "../../../src/daemon.ts";
import { connect } from "../../../src/initiator/connect.ts";
import { cdb16, newCdb } from "../../../src/initiator/scsi.ts";
import { exposed, parseExposition } from "./support/exposition.ts";

const TARGET = "iqn.2026-11.net.example:disk";
const INITIATOR = "iqn.2026-11.net.example:host";
const READS = 300;
const WRITES = 200;
const BYTES = 8192;

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "thinlun-metrics-"));
});

afterEach(() => rmSync(folder, { recursive: true }));

function fetchText(socketPath: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get({ socketPath, path, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (text += chunk));
      response.on("end", () => resolve(text));
    });
    request.on("error", reject);
  });
}

/** Reads and writes, and scrapes all the while; resolves with the last scrape. */
async function work({ portals }: Running, socketPath: string): Promise<string> {
  const [portal] = portals;
  if (portal === undefined) throw new Error("there is no portal");
  const { address, port } = portal;
  const session = await connect({ address, port, initiatorName: INITIATOR, targetName: TARGET });
  await session.execute({ lun: 0, cdb: newCdb(6, 0x00) });
  const reads = Array.from({ length: READS }, (_, lba) =>
    session.execute({ lun: 0, cdb: cdb16(0x88, lba, BYTES / 512), expectedInBytes: BYTES }),
  );
  const writes = Array.from({ length: WRITES }, (_, lba) =>
    session.execute({
      lun: 0,
      cdb: cdb16(0x8a, lba, BYTES / 512),
      dataOut: new Uint8Array(BYTES).fill(1),
    }),
  );
  const all = Promise.all([...reads, ...writes]);
  for (let count = 0; count < 3; count += 1) {
    parseExposition(await fetchText(socketPath, "/metrics"));
  }
  for (const { status } of await all) expect(status).toBe(0);
  await session.logout();
  return fetchText(socketPath, "/metrics");
}

it("a daemon says at /metrics exactly what an initiator did", async () => {
  const configFile = join(folder, "c.yaml");
  writeFileSync(
    configFile,
    `pools: { tank: { devices: [pool.img], create: { size: 256MiB } } }
volumes: { disk: { driver: thin, pool: tank, size: 64MiB, create: true } }
targets: [{ name: "${TARGET}", luns: [{ lun: 0, volume: disk }] }]
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
  let worked: Promise<string> = Promise.resolve("");
  const ending = await runDaemon(options, (running) => {
    worked = work(running, controlSocketPath(stateDir)).finally(() =>
      process.emit("SIGTERM", "SIGTERM"),
    );
  });
  const families = parseExposition(await worked);
  expect(ending).toBe("stopped");
  const at = (name: string, operation: string): number | undefined =>
    exposed(families, name, { target: TARGET, lun: "0", initiator: INITIATOR, operation });
  expect(at("thinlun_lun_operations_total", "read")).toBe(READS);
  expect(at("thinlun_lun_bytes_total", "read")).toBe(READS * BYTES);
  expect(at("thinlun_lun_latency_seconds_count", "read")).toBe(READS);
  expect(at("thinlun_lun_operations_total", "write")).toBe(WRITES);
  expect(at("thinlun_lun_bytes_total", "write")).toBe(WRITES * BYTES);
  expect(at("thinlun_lun_latency_seconds_count", "write")).toBe(WRITES);
  expect(at("thinlun_lun_errors_total", "other")).toBe(1);
  expect(exposed(families, "thinlun_pdus_total", { kind: "command" })).toBe(READS + WRITES + 1);
  expect(exposed(families, "thinlun_logins_total", { type: "normal" })).toBe(1);
  expect(exposed(families, "thinlun_pool_failed", { pool: "tank" })).toBe(0);
  const mapped = exposed(families, "thinlun_pool_mapped_bytes", { pool: "tank" });
  expect(mapped).toBeGreaterThanOrEqual(WRITES * 512);
});
