import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { HttpTls } from "../../../src/control/config/http-shape.ts";
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

const openssl = ["/usr/bin/openssl", "/bin/openssl"].find((path) => existsSync(path));

/** A certificate that is signed by itself; where it was made before, it is replaced. */
function makeCertificate(): HttpTls {
  const [certFile, keyFile] = [join(bench.folder, "cert.pem"), join(bench.folder, "key.pem")];
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
