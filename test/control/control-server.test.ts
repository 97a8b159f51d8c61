import { existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { request as httpRequest, STATUS_CODES } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ControlServer } from "../../src/control/control-server.ts";
import {
  BODY_BYTES_MAX,
  BYTES_TYPE,
  DATA_BYTES_MAX,
  JSON_TYPE,
  LINES_TYPE,
  type Problem,
  PROBLEM_TYPE,
} from "../../src/control/protocol.ts";
import { silentLog } from "../../src/util/log.ts";
import { MIB } from "../thin/pool/support/pool-bench.ts";
import { OperationBench } from "./operations/support/operation-bench.ts";

let bench: OperationBench;
let folder: string;
let path: string;
let server: ControlServer;

const REQUEST_MS_MAX = 400;

beforeEach(async () => {
  bench = await OperationBench.make();
  folder = mkdtempSync(join(tmpdir(), "thinlun-socket-"));
  path = join(folder, "control.sock");
  server = new ControlServer({
    context: bench.context,
    log: silentLog,
    requestMsMax: REQUEST_MS_MAX,
  });
  await server.listen(path);
});

afterEach(async () => {
  await server.close();
  await bench.dispose();
  rmSync(folder, { recursive: true, force: true });
});

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

function ask(
  url: string,
  body: string | Uint8Array,
  headers: Record<string, string> = { "content-type": JSON_TYPE },
  method = "POST",
): Promise<Answer> {
  const answer = new Promise<Answer>((resolve, reject) => {
    const request = httpRequest({ socketPath: path, path: url, method, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () =>
        resolve({
          status: response.statusCode ?? 0,
          type: response.headers["content-type"] ?? "",
          text: Buffer.concat(chunks).toString("latin1"),
        }),
      );
    });
    request.on("error", reject);
    request.end(body);
  });
  return bench.bench.drive(answer);
}

/** Sends bytes as they are, and returns what comes back until the server hangs up. */
function sendRaw(bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    let text = "";
    socket.on("data", (chunk: Buffer) => (text += chunk.toString("latin1")));
    socket.on("close", () => resolve(text));
    socket.on("error", reject);
    socket.write(bytes);
  });
}

describe("the control socket", () => {
  it("serves operations", async () => {
    const create = JSON.stringify({ pool: "tank", volume: "a", sizeBytes: MIB });
    const made = await ask("/v1/volume/create", create);
    expect(made).toMatchObject({ status: 200, type: JSON_TYPE });
    expect(JSON.parse(made.text)).toMatchObject({ name: "a", sizeBytes: MIB });
    const again = await ask("/v1/volume/create", create);
    expect(again.status).toBe(409);
    expect(JSON.parse(again.text)).toMatchObject({
      kind: "exists",
      detail: "a volume of the name a is there already",
    });
    expect((await ask("/v1/volume/list", "")).status).toBe(200);
  });

  it("moves bytes both ways", async () => {
    const name = "a.importing";
    await ask(
      "/v1/volume/create",
      JSON.stringify({ pool: "tank", volume: name, sizeBytes: 8 * MIB }),
    );
    const payload = Buffer.alloc(DATA_BYTES_MAX, "0123456789abcdef");
    const url = `/v1/volume/write?pool=tank&volume=${name}&offsetBytes=${MIB}`;
    expect((await ask(url, payload, { "content-type": BYTES_TYPE })).status).toBe(200);
    await ask("/v1/volume/set", JSON.stringify({ pool: "tank", volume: name, readOnly: true }));
    const range = { pool: "tank", volume: name, offsetBytes: MIB, lengthBytes: DATA_BYTES_MAX };
    const read = await ask("/v1/volume/read", JSON.stringify(range));
    expect(read.type).toBe(BYTES_TYPE);
    expect(read.text === payload.toString("latin1")).toBe(true);
  });

  it("tells progress in lines where that is wanted, and errors in the same way", async () => {
    const headers = { "content-type": JSON_TYPE, accept: LINES_TYPE };
    const answer = await ask("/v1/pool/check", '{"pool":"tank"}', headers);
    expect(answer).toMatchObject({ status: 200, type: LINES_TYPE });
    const lines = answer.text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as object);
    expect(lines[0]).toEqual({ progress: { step: "counting", done: 0, total: 1 } });
    expect(lines.at(-1)).toEqual({ result: { isSound: true, findings: [] } });
    const failed = await ask(
      "/v1/pool/extend",
      '{"pool":"tank","add":"/nowhere/disk.img"}',
      headers,
    );
    expect(JSON.parse(failed.text.trimEnd().split("\n").at(-1) ?? "")).toMatchObject({
      error: { kind: "missing" },
    });
    const early = await ask("/v1/pool/check", '{"pool":"lake"}', headers);
    expect(early).toMatchObject({ status: 404, type: PROBLEM_TYPE });
  });

  it.each([
    ["/v1/volume/list", "{", {}, 400],
    ["/v1/volume/list", "[]", {}, 400],
    ["/v1/volume/list", '{"a":1}', {}, 400],
    ["/v1/volume/list", '{"pool":"\\ud800', {}, 400],
    ["/v1/volume/list", "x".repeat(BODY_BYTES_MAX + 1), {}, 413],
    ["/v1/volume/list", "{}", { "content-type": "text/plain" }, 415],
    ["/v1/volume/list", "{}", { "content-type": BYTES_TYPE }, 415],
    ["/v1/volume/write", "{}", {}, 415],
    ["/v1/volume/list?pool=tank", "{}", {}, 400],
    ["/v1/volume/explode", "{}", {}, 404],
    ["/v1/volume/../pool/list", "{}", {}, 404],
    ["/v2/volume/list", "{}", {}, 404],
    ["/", "{}", {}, 404],
    [
      "/v1/volume/write?pool=tank&volume=x&offsetBytes=1e3",
      "x",
      { "content-type": BYTES_TYPE },
      400,
    ],
  ] as const)("answers %s %j %j with %i", async (url, body, headers, status) => {
    const answer = await ask(url, body, { "content-type": JSON_TYPE, ...headers });
    expect(answer.status).toBe(status);
    expect(answer.type).toBe(PROBLEM_TYPE);
    const problem = JSON.parse(answer.text) as Problem;
    expect(problem).toMatchObject({
      type: "about:blank",
      title: STATUS_CODES[status],
      status,
      kind: status === 404 ? "missing" : "invalid",
    });
    expect(problem.detail).not.toBe("");
  });

  it("takes GET for what changes nothing, and POST for everything", async () => {
    const range = { pool: "tank", volume: "a", sizeBytes: MIB };
    expect((await ask("/v1/volume/create", JSON.stringify(range))).status).toBe(200);
    const shown = await ask("/v1/volume/show?pool=tank&volume=a", "", {}, "GET");
    expect(JSON.parse(shown.text)).toMatchObject({ name: "a" });
    const extents = "/v1/volume/extents?pool=tank&volume=a&offsetBytes=0&lengthBytes=";
    expect((await ask(`${extents}${MIB}`, "", {}, "GET")).status).toBe(200);
    const wrong = await ask(`${extents}many`, "", {}, "GET");
    expect(JSON.parse(wrong.text)).toMatchObject({
      detail: 'lengthBytes must be a whole number of bytes from 0 on, not "many"',
    });
    const twice = await ask("/v1/volume/list?pool=a&pool=b", "", {}, "GET");
    expect(JSON.parse(twice.text)).toMatchObject({ detail: '"pool" is given twice' });
    for (const [method, url] of [
      ["GET", "/v1/volume/create?pool=tank"],
      ["DELETE", "/v1/volume/list"],
      ["POST", "/v1/events"],
    ] as const) {
      const answer = await ask(url, "", {}, method);
      expect([answer.status, answer.type]).toEqual([405, PROBLEM_TYPE]);
    }
  });

  it("reads no more of a body than the limit, whatever it says of itself", async () => {
    const chunk = "x".repeat(8192);
    const chunks = `2000\r\n${chunk}\r\n`.repeat(16);
    const head = "POST /v1/volume/list HTTP/1.1\r\nhost: x\r\n";
    const endless = await sendRaw(`${head}transfer-encoding: chunked\r\n\r\n${chunks}`);
    expect(endless).toMatch(/^HTTP\/1.1 413 /);
    const declared = await sendRaw(`${head}content-length: 1073741824\r\n\r\n{`);
    expect(declared).toMatch(/^HTTP\/1.1 413 /);
  });

  it("says how much a body may have where there is too much of it", async () => {
    const asked = [
      ["/v1/volume/list", BODY_BYTES_MAX, "64 KiB"],
      ["/v1/volume/write?pool=tank&volume=a&offsetBytes=0", DATA_BYTES_MAX, "4 MiB"],
    ] as const;
    for (const [path, most, size] of asked) {
      const head = `POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-length: ${most + 1}\r\n\r\n`;
      const [, content = ""] = (await sendRaw(head)).split("\r\n\r\n");
      expect((JSON.parse(content) as Problem).detail).toBe(
        `the body has more than the ${most} bytes (${size}) that it may have here: split it over several requests`,
      );
    }
  });

  it("hangs up on whoever is slow, and on what is no HTTP", async () => {
    const head = "POST /v1/volume/list HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n{";
    expect(await sendRaw(head)).toMatch(/^(HTTP\/1.1 408 |HTTP\/1.1 400 |$)/);
    expect(await sendRaw("POST ")).toMatch(/^(HTTP\/1.1 408 |$)/);
    expect(await sendRaw("hello\r\n\r\n")).toMatch(/^HTTP\/1.1 400 /);
    expect((await ask("/v1/volume/list", "{}")).status).toBe(200);
  });

  it("is for its owner only, and gone after the end", async () => {
    expect(statSync(path).mode & 0o777).toBe(0o600);
    await server.close();
    expect(existsSync(path)).toBe(false);
    await server.close();
  });
});
