import { createHash } from "node:crypto";
import { request as httpRequest } from "node:http";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { HttpConfig } from "../../../../src/control/config/http-shape.ts";
import { ControlServer } from "../../../../src/control/control-server.ts";
import { type LogLine, recordingLog } from "../../../support/recording-log.ts";
import { OperationBench } from "../../operations/support/operation-bench.ts";
import { mustBeDocumented } from "../../operations/support/reply-check.ts";

export const TOKENS = { reader: "r".repeat(32), operator: "o".repeat(32), boss: "b".repeat(32) };

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

export const HTTP: HttpConfig = {
  listen: { address: "127.0.0.1", port: 0 },
  tls: null,
  tokens: [
    { name: "reader", role: "read", sha256: sha256(TOKENS.reader) },
    { name: "operator", role: "operate", sha256: sha256(TOKENS.operator) },
    { name: "boss", role: "admin", sha256: sha256(TOKENS.boss) },
  ],
};

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

export interface Asked {
  readonly method?: string;
  /** Empty: none. The one that may do everything where it is not given. */
  readonly token?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

/** A server over TCP for a pool "tank" in memory. */
export class HttpBench {
  readonly operations: OperationBench;
  readonly folder: string = mkdtempSync(join(tmpdir(), "thinlun-http-"));
  readonly server: ControlServer;
  readonly lines: LogLine[] = [];
  port = 0;

  private constructor(operations: OperationBench, requestMsMax: number) {
    this.operations = operations;
    this.server = new ControlServer({
      context: operations.context,
      log: recordingLog(this.lines),
      addRoutes: (app) => app.get("/metrics", () => "up 1\n"),
      requestMsMax,
    });
  }

  static async make(requestMsMax: number = 400): Promise<HttpBench> {
    const bench = new HttpBench(await OperationBench.make(), requestMsMax);
    bench.port = (await bench.server.configureTcp(HTTP))?.port ?? 0;
    return bench;
  }

  ask(path: string, asked: Asked = {}): Promise<Answer> {
    const { method = "POST", token = TOKENS.boss, headers = {}, body = "" } = asked;
    const answer = new Promise<Answer>((resolve, reject) => {
      const all = {
        ...(token === "" ? {} : { authorization: `Bearer ${token}` }),
        ...(body === "" ? {} : { "content-type": "application/json" }),
        ...headers,
      };
      const options = { port: this.port, path, method, headers: all, agent: false };
      const request = httpRequest(options, (response) => {
        let text = "";
        response.on("data", (chunk: Buffer) => (text += chunk.toString()));
        response.on("end", () => {
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text });
        });
      });
      request.on("error", reject);
      request.end(body);
    });
    return this.operations.bench.drive(answer);
  }

  /** What was answered, held to the document. */
  async call<T>(path: string, body: object, asked: Asked = {}): Promise<T> {
    const answer = await this.ask(path, { ...asked, body: JSON.stringify(body) });
    const value = JSON.parse(answer.text) as T;
    mustBeDocumented(path, answer.status, String(answer.headers["content-type"]), value);
    return value;
  }

  /** Sends bytes as they are, and returns what comes back until the server hangs up. */
  sendRaw(bytes: string, endless = false, port: number = this.port): Promise<string> {
    return new Promise((resolve) => {
      const socket = connect(port, "127.0.0.1");
      let text = "";
      const write = (): void => {
        while (!socket.destroyed && socket.write(`2000\r\n${"x".repeat(0x2000)}\r\n`));
      };
      socket.on("data", (chunk: Buffer) => (text += chunk.toString("latin1")));
      socket.on("close", () => resolve(text));
      socket.on("error", () => undefined);
      socket.write(bytes);
      if (!endless) return;
      write();
      socket.on("drain", write);
    });
  }

  async dispose(): Promise<void> {
    await this.server.close();
    await this.operations.dispose();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
