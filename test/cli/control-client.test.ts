import { createServer, type RequestListener, type Server } from "node:http";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ControlClient } from "../../src/cli/control-client.ts";
import { devicesOf, withOperations } from "../../src/cli/pool-access.ts";
import { BYTES_TYPE, controlSocketPath, LINES_TYPE } from "../../src/control/protocol.ts";

let folder: string;
let server: Server | null;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "thinlun-client-"));
  server = null;
});

afterEach(async () => {
  server?.closeAllConnections();
  if (server !== null) await new Promise((resolve) => void server?.close(resolve));
  rmSync(folder, { recursive: true });
});

async function answering(listener: RequestListener): Promise<ControlClient> {
  server = createServer(listener);
  server.listen(controlSocketPath(folder));
  await once(server, "listening");
  return new ControlClient(controlSocketPath(folder));
}

describe("a client of the daemon", () => {
  it("sends arguments and takes the reply", async () => {
    const client = await answering((request, response) => {
      request.on("data", (chunk: Buffer) => {
        const asked = `${request.method} ${request.url} ${chunk.toString()}`;
        response.end(JSON.stringify([{ name: asked }]));
      });
    });
    const [reply] = await client.call("volume/list", { pool: "a" });
    expect(reply?.name).toBe('POST /v1/volume/list {"pool":"a"}');
    await client.close();
  });

  it("puts arguments into the query where bytes go with them", async () => {
    const client = await answering((request, response) => {
      expect(request.url).toBe("/v1/volume/write?pool=a&volume=b+c&offsetBytes=512");
      expect(request.headers["content-type"]).toBe(BYTES_TYPE);
      request.resume().on("end", () => response.end("{}"));
    });
    const range = { pool: "a", volume: "b c", offsetBytes: 512 };
    await client.call("volume/write", range, { payload: Buffer.alloc(3) });
    await client.close();
  });

  describe("has long work done as a job, where it may have to stop", () => {
    const JOB = { id: "job-1", operation: "pool/check", state: "running", progress: null };
    /** A daemon with one job, of which the third look finds what came of it, or what it is when it was asked to stop. */
    const working = (end: object, cancel: { status: number; content: object; after?: object }) => {
      let looks = 0;
      let outcome = end;
      return answering((request, response) => {
        request.resume();
        const answer = (status: number, content: object): void => {
          response.writeHead(status, { "content-type": "application/json" });
          response.end(JSON.stringify(content));
        };
        if (request.url === "/v1/job/show") {
          looks += 1;
          const progress = { step: "counting", done: looks, total: 3 };
          answer(200, { ...JOB, progress, ...(looks < 3 ? {} : outcome) });
        } else if (request.url === "/v1/job/cancel") {
          looks = 2;
          outcome = cancel.after ?? end;
          answer(cancel.status, cancel.content);
        } else {
          expect(request.headers["prefer"]).toBe("respond-async");
          answer(202, JOB);
        }
      });
    };
    const DONE = { state: "done", reply: { isSound: true, findings: [] } };
    const NO = { status: 409, content: { kind: "busy", detail: "it has to go on" } };

    it("and tells how far it is, and what came of it", async () => {
      const client = await working(DONE, NO);
      const steps: number[] = [];
      const { signal } = new AbortController();
      const onProgress = ({ done }: { done: number }): void => void steps.push(done);
      const options = { signal, onProgress };
      const reply = await client.call("pool/check", { pool: "a" }, options);
      expect([reply.isSound, ...steps]).toEqual([true, 1, 2]);
      await client.close();
    });

    it("and fails as that does", async () => {
      const problem = { kind: "space", detail: "full" };
      const client = await working({ state: "failed", problem }, NO);
      const { signal } = new AbortController();
      await expect(client.call("pool/extend", { pool: "a" }, { signal })).rejects.toMatchObject({
        kind: "space",
        message: "full",
      });
      await client.close();
    });

    it("and has it stop", async () => {
      const problem = { kind: "failed", detail: "it was canceled" };
      const canceled = { state: "canceled", problem };
      const client = await working(DONE, { status: 200, content: JOB, after: canceled });
      const stop = new AbortController();
      const work = client.call(
        "pool/check",
        { pool: "a" },
        {
          signal: stop.signal,
          onProgress: () => stop.abort(),
        },
      );
      await expect(work).rejects.toThrow("it was canceled");
      await client.close();
    });

    it("and waits for it where it has to go on", async () => {
      const client = await working(DONE, NO);
      const stop = new AbortController();
      const whys: string[] = [];
      const reply = await client.call(
        "pool/check",
        { pool: "a" },
        {
          signal: stop.signal,
          onProgress: () => stop.abort(),
          onNoStop: (why) => whys.push(why),
        },
      );
      expect(reply.isSound).toBe(true);
      expect(whys).toEqual(["it has to go on; thinlun job show job-1 tells how far it is"]);
      await client.close();
    });
  });

  it("passes on progress, results and errors that come in lines", async () => {
    const client = await answering((request, response) => {
      request.resume();
      response.writeHead(200, { "content-type": LINES_TYPE });
      response.write('{"progress":{"step":"a","done":1,"total":2}}\n{"pro');
      const isFine = request.url?.endsWith("check") === true;
      setImmediate(() =>
        response.end(
          `gress":{"step":"b","done":2,"total":2}}\n${
            isFine
              ? '{"result":{"isSound":true,"findings":[]}}\n'
              : '{"error":{"kind":"space","detail":"full"}}\n'
          }`,
        ),
      );
    });
    const steps: string[] = [];
    const onProgress = ({ step }: { step: string }): void => void steps.push(step);
    const result = await client.call("pool/check", { pool: "a" }, { onProgress });
    expect([result.isSound, ...steps]).toEqual([true, "a", "b"]);
    await expect(client.call("pool/extend", { pool: "a" }, { onProgress })).rejects.toMatchObject({
      kind: "space",
      message: "full",
    });
    await client.close();
  });

  it("reads lines whose characters are cut by the network", async () => {
    const step = "p\u00f6\u00f6l \u{1f4be}";
    const bytes = Buffer.from(`{"progress":{"step":"${step}","done":1,"total":2}}\n`);
    const client = await answering((request, response) => {
      request.resume();
      response.writeHead(200, { "content-type": LINES_TYPE });
      let at = 0;
      const next = (): void => {
        if (at === bytes.length) {
          response.end('{"result":{"isSound":true,"findings":[]}}\n');
          return;
        }
        response.write(bytes.subarray(at, at + 1));
        at += 1;
        setImmediate(next);
      };
      next();
    });
    const steps: string[] = [];
    const onProgress = (progress: { step: string }): void => void steps.push(progress.step);
    await client.call("pool/check", { pool: "a" }, { onProgress });
    expect(steps).toEqual([step]);
    await client.close();
  });

  it.each([
    [404, '{"kind":"missing","detail":"no pool a"}', "missing", "no pool a"],
    [500, '{"kind":"odd"}', "internal", "does not say why"],
    [500, "<html>", "io", "not understood"],
    [200, "{", "io", "not understood"],
  ] as const)("takes %i %s for %s", async (status, text, kind, message) => {
    const client = await answering((request, response) => {
      request.resume();
      response.writeHead(status).end(text);
    });
    await expect(client.call("pool/list", {})).rejects.toMatchObject({
      kind,
      message: expect.stringContaining(message),
    });
    await client.close();
  });

  it("notices a daemon that goes away", async () => {
    const client = await answering((request) => request.socket.destroy());
    await expect(client.call("pool/list", {})).rejects.toThrow("went away");
    await client.close();
  });

  it("says what to do where none is there", async () => {
    const options = { "state-dir": folder, device: undefined };
    expect(devicesOf(options)).toEqual([]);
    const asked = withOperations(options, (operations) => operations.call("pool/list", {}));
    await expect(asked).rejects.toMatchObject({
      kind: "missing",
      message: expect.stringContaining("--device"),
    });
  });
});
