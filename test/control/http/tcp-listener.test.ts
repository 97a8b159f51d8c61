import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import fastify from "fastify";
import type { HttpTls } from "../../../src/control/config/http-shape.ts";
import { TcpListener } from "../../../src/control/http/tcp-listener.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { type LogLine, recordingLog } from "../../support/recording-log.ts";
import { HTTP, HttpBench, TOKENS } from "./support/http-bench.ts";

let bench: HttpBench;

beforeEach(async () => {
  bench = await HttpBench.make();
});

afterEach(() => bench.dispose());

const list = (token?: string) =>
  bench.ask("/v1/pool/list", token === undefined ? {} : { token }).then(({ status }) => status);

describe("listening over TCP", () => {
  it("takes up other tokens where it listens, and hangs up on those who had another", async () => {
    const events = new Promise<void>((resolve, reject) => {
      const headers = { authorization: `Bearer ${TOKENS.reader}` };
      const request = httpRequest({ port: bench.port, path: "/v1/events", headers }, (response) => {
        response.on("error", () => undefined);
        response.resume().once("close", () => resolve());
        void bench.server.configureTcp({ ...HTTP, tokens: HTTP.tokens.slice(1) });
      });
      request.on("error", reject);
      request.end();
    });
    await events;
    expect([await list(TOKENS.reader), await list(TOKENS.operator)]).toEqual([401, 200]);
    expect(await bench.server.configureTcp(HTTP)).toMatchObject({ port: bench.port });
    expect(await list(TOKENS.reader)).toBe(200);
  });

  it("goes on undisturbed where nothing has changed", async () => {
    await bench.server.configureTcp({ ...HTTP });
    expect(await list()).toBe(200);
  });

  it("ends, and begins elsewhere", async () => {
    expect(await bench.server.configureTcp(null)).toBeNull();
    await expect(list()).rejects.toThrow("ECONNREFUSED");
    const listen = { address: "127.0.0.2", port: bench.port };
    expect(await bench.server.configureTcp({ ...HTTP, listen })).toEqual(listen);
    await expect(list()).rejects.toThrow("ECONNREFUSED");
    expect(
      await bench.server.configureTcp({ ...HTTP, listen: { ...listen, address: "127.0.0.1" } }),
    ).toMatchObject({ address: "127.0.0.1" });
    expect(await list()).toBe(200);
  });

  it("says where it cannot listen", async () => {
    const other = await HttpBench.make();
    try {
      const taken = { ...HTTP, listen: { address: "127.0.0.1", port: other.port } };
      await expect(bench.server.configureTcp(taken)).rejects.toThrow(
        `HTTP cannot listen on 127.0.0.1:${other.port}`,
      );
    } finally {
      await other.dispose();
    }
  });
});

describe("a place that cannot be had", () => {
  let clock: ManualClock;
  let lines: LogLine[];
  let listener: TcpListener;

  beforeEach(() => {
    clock = new ManualClock();
    lines = [];
    const makeApp = () => fastify().get("/", () => "hello");
    listener = new TcpListener({ clock, log: recordingLog(lines), makeApp });
  });

  afterEach(() => listener.close());

  const said = (): string[] => lines.map(({ level, message }) => `${level}: ${message}`);
  const hello = (port: number): Promise<string> =>
    fetch(`http://127.0.0.1:${port}/`).then((answer) => answer.text());
  const until = async (condition: () => boolean): Promise<void> => {
    while (!condition()) await sleep(1);
  };

  const untilServed = (): Promise<void> =>
    until(() => {
      clock.advance(10_000);
      return listener.failure === null;
    });

  it("is tried again until it can be", async () => {
    const taken = { ...HTTP, listen: { address: "127.0.0.1", port: bench.port } };
    await expect(listener.configure(taken)).rejects.toThrow("EADDRINUSE");
    expect(listener.failure).toContain("HTTP cannot listen on 127.0.0.1");
    clock.advance(10_000);
    await sleep(50);
    expect([listener.endpoint, said()]).toEqual([null, []]);
    await bench.server.configureTcp(null);
    await untilServed();
    expect(await hello(bench.port)).toBe("hello");
    await until(() => lines.length === 2);
    expect(said()).toEqual([
      "info: HTTP listening",
      "info: HTTP is served as the configuration says",
    ]);
    clock.advance(100_000);
    await sleep(10);
    expect(lines).toHaveLength(2);
  });

  it("leaves the one there was, until it can be", async () => {
    await listener.configure(HTTP);
    const { port: before = 0 } = listener.endpoint ?? {};
    const taken = { ...HTTP, listen: { address: "127.0.0.1", port: bench.port } };
    await expect(listener.configure(taken)).rejects.toThrow("EADDRINUSE");
    expect(await hello(before)).toBe("hello");
    await bench.server.configureTcp(null);
    await untilServed();
    expect(await hello(bench.port)).toBe("hello");
    await expect(hello(before)).rejects.toThrow("fetch failed");
  });

  it("is nowhere where there are to be tokens that nobody can read on their way", async () => {
    await listener.configure(HTTP);
    const { port = 0 } = listener.endpoint ?? {};
    const missing = join(bench.folder, "missing.pem");
    const http = { ...HTTP, tls: { certFile: missing, keyFile: missing } };
    await expect(listener.configure(http)).rejects.toThrow("no certificate");
    await expect(hello(port)).rejects.toThrow("fetch failed");
  });

  it("is wanted no more where it is closed, or another one is wanted", async () => {
    const taken = { ...HTTP, listen: { address: "127.0.0.1", port: bench.port } };
    await expect(listener.configure(taken)).rejects.toThrow("EADDRINUSE");
    await listener.configure(null);
    expect(listener.failure).toBeNull();
    await expect(listener.configure(taken)).rejects.toThrow("EADDRINUSE");
    await listener.close();
    await bench.server.configureTcp(null);
    clock.advance(10_000);
    await sleep(10);
    await expect(hello(bench.port)).rejects.toThrow("fetch failed");
  });
});

const openssl = ["/usr/bin/openssl", "/bin/openssl"].find((path) => existsSync(path));

/** A certificate that is signed by itself; where it was made before, it is replaced. */
function makeCertificate(folder: string = bench.folder): HttpTls {
  const [certFile, keyFile] = [join(folder, "cert.pem"), join(folder, "key.pem")];
  const words =
    "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=localhost";
  const names = ["-addext", "subjectAltName=IP:127.0.0.1"];
  const files = ["-keyout", keyFile, "-out", certFile];
  expect(spawnSync(openssl ?? "", words.split(" ").concat(names, files)).status).toBe(0);
  return { certFile, keyFile };
}

/** Asks by TLS, trusting this certificate alone. */
function askSecurely(port: number, ca: Buffer): Promise<string> {
  return new Promise<string>((resolve, reject) => {
    const headers = { authorization: `Bearer ${TOKENS.reader}` };
    const options = { port, host: "127.0.0.1", path: "/v1/pool/list", ca, headers, agent: false };
    const request = httpsRequest(options, (response) => {
      let text = "";
      response.on("data", (chunk: Buffer) => (text += chunk.toString()));
      response.on("end", () => resolve(`${response.statusCode} ${text}`));
    });
    request.on("error", reject);
    request.end();
  });
}

describe("TLS", () => {
  it.runIf(openssl !== undefined)("keeps tokens from being read on the way", async () => {
    const tls = makeCertificate();
    const { port = 0 } = (await bench.server.configureTcp({ ...HTTP, tls })) ?? {};
    expect(await askSecurely(port, readFileSync(tls.certFile))).toMatch(/^200 \[{"name":"tank"/);
    const plain = await bench.sendRaw("GET /v1/pool/list HTTP/1.1\r\nhost: x\r\n\r\n", false, port);
    expect(plain).not.toContain("HTTP/1.1 200");
  });

  it.runIf(openssl !== undefined)(
    "takes up a certificate that was renewed, and no bad one",
    async () => {
      const tls = makeCertificate();
      const http = { ...HTTP, tls };
      const { port = 0 } = (await bench.server.configureTcp(http)) ?? {};
      const before = readFileSync(tls.certFile);
      makeCertificate();
      const after = readFileSync(tls.certFile);
      expect(await askSecurely(port, before)).toMatch(/^200 /);
      await bench.server.configureTcp(http);
      expect(await askSecurely(port, after)).toMatch(/^200 /);
      await expect(askSecurely(port, before)).rejects.toThrow(/certificate/);
      writeFileSync(tls.certFile, "no certificate");
      await expect(bench.server.configureTcp(http)).rejects.toThrow("cannot use its certificate");
      expect(await askSecurely(port, after)).toMatch(/^200 /);
    },
  );

  it.runIf(openssl !== undefined)(
    "has nothing to do with tokens: one that was taken out is, though no certificate can be read",
    async () => {
      const tls = makeCertificate();
      const { port = 0 } = (await bench.server.configureTcp({ ...HTTP, tls })) ?? {};
      const ca = readFileSync(tls.certFile);
      expect(await askSecurely(port, ca)).toMatch(/^200 /);
      rmSync(tls.keyFile);
      const http = { ...HTTP, tls, tokens: HTTP.tokens.slice(1) };
      await expect(bench.server.configureTcp(http)).rejects.toThrow("no certificate or key");
      expect(await askSecurely(port, ca)).toMatch(/^401 /);
      const elsewhere = { ...http, listen: { address: "127.0.0.2", port } };
      await expect(bench.server.configureTcp(elsewhere)).rejects.toThrow("no certificate or key");
      expect(await askSecurely(port, ca)).toMatch(/^401 /);
    },
  );

  it("does without nothing: a key that is none, or is not there", async () => {
    const certFile = join(bench.folder, "missing.pem");
    const http = { ...HTTP, tls: { certFile, keyFile: certFile } };
    await expect(bench.server.configureTcp(http)).rejects.toThrow(
      /HTTP has no certificate or key: .*missing/,
    );
    writeFileSync(certFile, "no certificate");
    await expect(bench.server.configureTcp(http)).rejects.toThrow("cannot use its certificate");
  });
});

it("a key that is a pipe without a writer holds nothing up", async () => {
  const keyFile = join(bench.folder, "key.pipe");
  const certFile = join(bench.folder, "cert.pem");
  expect(spawnSync("mkfifo", [keyFile]).status).toBe(0);
  writeFileSync(certFile, "a certificate");
  const http = { ...HTTP, tls: { certFile, keyFile } };
  await expect(bench.server.configureTcp(http)).rejects.toThrow(`${keyFile} is no regular file`);
  expect(await bench.server.configureTcp(HTTP)).not.toBeNull();
});

/** Connects, says this and no more, and never hangs up by itself. */
async function callSilently(port: number, bytes: string): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  await once(socket, "connect");
  socket.on("error", () => undefined);
  socket.write(bytes);
  return socket.resume();
}

/** As many as are served at a time. */
const PLACES = 128;

/** Takes all places, and resolves when somebody else is served all the same. */
async function takePlaces(port: number, bytes: string, list: () => Promise<unknown>) {
  const sockets: Socket[] = [];
  try {
    while (sockets.length < PLACES) sockets.push(await callSilently(port, bytes));
    const isServed = (): Promise<boolean> =>
      list().then(
        () => true,
        () => false,
      );
    while (!(await isServed())) await sleep(50);
  } finally {
    for (const socket of sockets) socket.destroy();
  }
}

describe("connections that never come to a request", () => {
  it.each([
    ["say nothing", ""],
    ["begin and do not end", "POST /v1/pool/list HTTP/1.1\r\nx:"],
  ])("hold no place of others for long: %s", (_name, bytes) =>
    takePlaces(bench.port, bytes, () => list()),
  );

  it.runIf(openssl !== undefined).each([
    ["say nothing", ""],
    ["begin a handshake", "\x16\x03\x01"],
  ])("hold no place of others for long, with TLS: %s", async (_name, bytes) => {
    const tls = makeCertificate();
    const { port = 0 } = (await bench.server.configureTcp({ ...HTTP, tls })) ?? {};
    const ca = readFileSync(tls.certFile);
    await takePlaces(port, bytes, () => askSecurely(port, ca));
  });

  it.runIf(openssl !== undefined)("keep nobody from listening elsewhere, or no more", async () => {
    const patient = await HttpBench.make(3_600_000);
    try {
      const tls = makeCertificate(patient.folder);
      const { port = 0 } = (await patient.server.configureTcp({ ...HTTP, tls })) ?? {};
      const sockets = [await callSilently(port, ""), await callSilently(port, "\x16\x03\x01")];
      const dropped = sockets.map((socket) => once(socket, "end"));
      expect(await patient.server.configureTcp(null)).toBeNull();
      await Promise.allSettled(dropped);
      for (const socket of sockets) socket.destroy();
    } finally {
      await patient.dispose();
    }
  });
});
