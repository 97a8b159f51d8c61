import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { daemonAnswers, withDaemon } from "../../src/cli/daemon-access.ts";

let folder: string;
let server: Server | null;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "thinlun-access-"));
  server = null;
});

afterEach(async () => {
  const running = server;
  if (running !== null) await new Promise((done) => running.close(done));
  rmSync(folder, { recursive: true });
});

/** Something that answers everything with this. */
async function answering(status: number, body: object): Promise<void> {
  server = createServer((_request, response) => {
    response.writeHead(status, { "content-type": "application/json", connection: "close" });
    response.end(JSON.stringify(body));
  });
  const path = join(folder, "control.sock");
  await new Promise<void>((done) => server?.listen(path, done));
}

describe("the daemon of a folder", () => {
  it("is there, or it is not", async () => {
    const options = { "state-dir": folder };
    expect(await daemonAnswers(options)).toBe(false);
    await answering(200, {});
    expect(await daemonAnswers(options)).toBe(true);
    expect(await withDaemon(options, (daemon) => daemon.call("target/list", {}))).toEqual({});
  });

  it("is asked for where there is no other way", async () => {
    const asked = withDaemon({ "state-dir": folder }, (daemon) => daemon.call("target/list", {}));
    await expect(asked).rejects.toThrow(/thinlun serve\), or name its folder with --state-dir$/);
  });

  it("is there when it fails, too", async () => {
    await answering(500, { kind: "io", detail: "the disk is on fire", message: "fire" });
    await expect(daemonAnswers({ "state-dir": folder })).rejects.toMatchObject({ kind: "io" });
  });
});
