import { request as httpRequest } from "node:http";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Problem } from "../../../src/control/protocol.ts";
import { MIB } from "../../thin/pool/support/pool-bench.ts";
import { mustBeDocumented } from "../operations/support/reply-check.ts";
import { type Answer, type Asked, HttpBench, TOKENS } from "./support/http-bench.ts";

let bench: HttpBench;

beforeEach(async () => {
  bench = await HttpBench.make();
});

afterEach(() => bench.dispose());

const ask = (path: string, asked?: Asked): Promise<Answer> => bench.ask(path, asked);

const VOLUME = { pool: "tank", volume: "a", sizeBytes: MIB };

describe("HTTP over TCP", () => {
  it("asks everybody for a token, but for health", async () => {
    for (const path of ["/v1/pool/list", "/v1/openapi.json", "/v1/events", "/metrics", "/x"]) {
      const answer = await ask(path, { method: "GET", token: "" });
      expect([path, answer.status]).toEqual([path, 401]);
      expect(answer.headers["www-authenticate"]).toBe("Bearer");
      mustBeDocumented(path, 401, "application/problem+json", JSON.parse(answer.text));
    }
    expect((await ask("/v1/pool/list", { token: "wrong" })).status).toBe(401);
    expect(await ask("/health/live", { method: "GET", token: "" })).toMatchObject({
      status: 200,
      text: '{"status":"live"}',
    });
    expect(await ask("/metrics", { method: "GET" })).toMatchObject({ status: 200, text: "up 1\n" });
  });

  it("lets callers do what their role allows", async () => {
    const body = JSON.stringify(VOLUME);
    const settings = JSON.stringify({ pool: "tank", overcommitMax: 2 });
    const statuses = async (token: string) => [
      (await ask("/v1/volume/list", { token })).status,
      (await ask("/v1/volume/create", { token, body })).status,
      (await ask("/v1/pool/set", { token, body: settings })).status,
    ];
    expect(await statuses(TOKENS.reader)).toEqual([200, 403, 403]);
    expect(await statuses(TOKENS.operator)).toEqual([200, 200, 403]);
    expect(await statuses(TOKENS.boss)).toEqual([200, 409, 200]);
    const refused = await bench.call<Problem>("/v1/volume/delete", VOLUME, {
      token: TOKENS.reader,
    });
    expect(refused).toMatchObject({
      kind: "denied",
      detail: 'the token "reader" has the role read, and this takes operate',
    });
  });

  it("says whether everything works", async () => {
    const ready = (token = TOKENS.reader) => ask("/health/ready", { method: "GET", token });
    expect(await ready("")).toMatchObject({ status: 200, text: '{"status":"ready"}' });
    const { pool } = bench.operations.bench;
    Object.defineProperty(pool, "failure", { value: new Error("it broke") });
    expect(await ready()).toMatchObject({
      status: 503,
      text: '{"status":"unready","reasons":["pool tank failed"]}',
    });
    // Names of pools, files and addresses are not for everybody.
    for (const nobody of ["", "wrong"]) {
      expect(await ready(nobody)).toMatchObject({ status: 503, text: '{"status":"unready"}' });
    }
  });

  it("says whether something is stuck, which is another matter than what has failed", async () => {
    const live = () => ask("/health/live", { method: "GET" });
    const { pool } = bench.operations.bench;
    const before = pool.statistics();
    const tell = (barrierRunningMs: number): void => {
      const value = () => ({ ...before, barrierRunningMs });
      Object.defineProperty(pool, "statistics", { value, configurable: true });
    };
    tell(119_000);
    expect(await live()).toMatchObject({ status: 200 });
    tell(121_000);
    const answer = await live();
    expect(answer).toMatchObject({
      status: 503,
      text: '{"status":"stuck","reasons":["a flush of pool tank has not come back for 121 s"]}',
    });
    Object.defineProperty(pool, "failure", { value: new Error("it broke") });
    expect(await live()).toMatchObject({ status: 200 });
  });

  it("serves its own description", async () => {
    const answer = await ask("/v1/openapi.json", { method: "GET", token: TOKENS.reader });
    expect(answer.headers["content-type"]).toBe("application/json");
    expect(JSON.parse(answer.text)).toMatchObject({ openapi: "3.1.0" });
  });

  it("tells what happens", async () => {
    const events = new Promise<string>((resolve, reject) => {
      const headers = { authorization: `Bearer ${TOKENS.reader}` };
      const request = httpRequest({ port: bench.port, path: "/v1/events", headers }, (response) => {
        let text = "";
        response.on("data", (chunk: Buffer) => {
          text += chunk.toString();
          if (text === ": connected\n\n")
            void ask("/v1/volume/create", { body: JSON.stringify(VOLUME) });
          if (!text.includes("event: operation") || !text.endsWith("\n\n")) return;
          resolve(text);
          response.destroy();
        });
      });
      request.on("error", reject);
      request.end();
    });
    const [connected, made, done] = (await events).split("\n\n");
    const run = "id: [0-9a-f-]{36}";
    expect(connected).toBe(": connected");
    expect(made).toMatch(
      new RegExp(`^${run}.1\nevent: pool\ndata: {"pool":"tank","kind":"volumes-changed"}$`),
    );
    expect(done).toMatch(
      new RegExp(`^${run}.2\nevent: operation\ndata: {"operation":"volume/create","by":"boss"}$`),
    );
  });

  it("ends streams of events when it is closed", async () => {
    const ended = new Promise((resolve) => {
      const headers = { authorization: `Bearer ${TOKENS.reader}` };
      httpRequest({ port: bench.port, path: "/v1/events", headers }, (response) => {
        response.resume().once("end", resolve);
        void bench.server.close();
      }).end();
    });
    await ended;
  });

  it("writes no secret of a request into the log", async () => {
    await ask("/v1/volume/create", { body: JSON.stringify(VOLUME) });
    await ask("/v1/volume/create", { token: `${TOKENS.boss}x`, body: "{" });
    expect(JSON.stringify(bench.lines)).not.toContain(TOKENS.boss);
  });
});

describe("bad requests", () => {
  const head = `POST /v1/volume/list HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${TOKENS.boss}\r\n`;

  it.each([
    ["a body of 1 GiB", `${head}content-length: 1073741824\r\n\r\n{`, 413],
    ["headers without an end", `${head}x: ${"y".repeat(9000)}`, 431],
    ["garbage", "\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 400],
    ["two lengths", `${head}content-length: 2\r\ncontent-length: 3\r\n\r\n{}`, 400],
    [
      "a length and chunks",
      `${head}content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n{}`,
      400,
    ],
    ["a negative length", `${head}content-length: -1\r\n\r\n`, 400],
    [
      "a path that is none",
      `GET /%ff%zz HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${TOKENS.boss}\r\nconnection: close\r\n\r\n`,
      400,
    ],
    [
      "no token, and much to say",
      "POST /v1/volume/list HTTP/1.1\r\nhost: x\r\ncontent-length: 1073741824\r\n\r\n",
      401,
    ],
  ])("are refused: %s", async (_name, bytes, status) => {
    const answer = await bench.sendRaw(bytes);
    expect(answer.slice(0, 13)).toBe(`HTTP/1.1 ${status} `);
    const [, content = ""] = answer.split("\r\n\r\n");
    mustBeDocumented("/", status, "application/problem+json", JSON.parse(content));
  });

  it("are refused: a body that does not end", async () => {
    const answer = await bench.sendRaw(`${head}transfer-encoding: chunked\r\n\r\n`, true);
    // Whoever goes on sending may not get to see the answer.
    expect(answer === "" || answer.startsWith("HTTP/1.1 413 ")).toBe(true);
    expect((await ask("/v1/volume/list")).status).toBe(200);
  });

  it("are refused: headers that come slowly", async () => {
    expect(await bench.sendRaw("POST /v1/volume/list HTTP/1.1\r\nhost:")).toMatch(
      /^HTTP\/1.1 408 /,
    );
  });
});
