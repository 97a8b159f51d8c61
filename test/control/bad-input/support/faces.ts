import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ControlClient } from "../../../../src/cli/control-client.ts";
import type { ControlServer } from "../../../../src/control/control-server.ts";
import type { ReplacementSteps } from "../../../../src/control/durable-file.ts";
import { operationService } from "../../../../src/control/operation-service.ts";
import { controlSocketPath, type Problem } from "../../../../src/control/protocol.ts";
import { Command, type Outcome } from "../../../cli/support.ts";
import { HTTP } from "../../http/support/http-bench.ts";
import { mustBeDocumented } from "../../operations/support/reply-check.ts";
import { TgtBench } from "../../tgt/support/tgt-bench.ts";

export const MIB: number = 1024 * 1024;
export const DISK = "iqn.2026-11.net.example:disk";
export const OTHER = "iqn.2026-11.net.example:other";
/** What the account "alice" has. */
export const PASSWORD = "wonderland-12345";

/** An answer over HTTP. */
export interface HttpAnswer {
  readonly status: number;
  readonly text: string;
}

export interface FacesOptions {
  /** Its subfolder "state" is the daemon's; one that is there already is used as it is, and stays. */
  readonly folder?: string;
  readonly steps?: ReplacementSteps;
}

/**
 * A daemon in this process and every way to it: HTTP on its socket and over TCP, the built command line, and tgtadm. It has a pool "tank" with
 * the volumes a and b, the account alice and the target DISK, whose LUN 0 is a.
 */
export class Faces {
  readonly folder: string;
  readonly bench: TgtBench;
  readonly control: ControlServer;
  readonly client: ControlClient;
  readonly port: number;
  readonly #keepsFolder: boolean;

  private constructor(
    folder: string,
    bench: TgtBench,
    control: ControlServer,
    { port, keepsFolder }: { readonly port: number; readonly keepsFolder: boolean },
  ) {
    this.folder = folder;
    this.bench = bench;
    this.control = control;
    this.client = new ControlClient(controlSocketPath(join(folder, "state")));
    this.port = port;
    this.#keepsFolder = keepsFolder;
  }

  static async make(options: FacesOptions = {}): Promise<Faces> {
    const folder = options.folder ?? mkdtempSync(join(tmpdir(), "thinlun-bad-"));
    const { steps } = options;
    const bench = await TgtBench.start({ folder, ...(steps === undefined ? {} : { steps }) });
    const { parts, plane, server } = bench.harness;
    const stateDir = join(folder, "state");
    const control = operationService({
      ...parts,
      plane,
      server,
      stateDir,
      startedAt: new Date(),
      logoutGraceMs: 0,
      isRunning: () => true,
    });
    await control.listen(controlSocketPath(stateDir));
    const port = (await control.configureTcp(HTTP))?.port ?? 0;
    const keepsFolder = options.folder !== undefined;
    const faces = new Faces(folder, bench, control, { port, keepsFolder });
    await faces.#furnish();
    return faces;
  }

  async #furnish(): Promise<void> {
    const devices = [join(this.folder, "tank.img")];
    await this.client.call("pool/create", { pool: "tank", devices, createBytes: 64 * MIB });
    for (const volume of ["a", "b"]) {
      await this.client.call("volume/create", { pool: "tank", volume, sizeBytes: 8 * MIB });
    }
    await this.client.call("account/create", { user: "alice", password: PASSWORD });
    await this.client.call("target/create", { name: DISK });
    await this.client.call("target/map", { target: DISK, volume: "tank/a" });
  }

  /** Everything that can be told of what there is, and what of it is kept. */
  async everything(): Promise<unknown> {
    const ask: ControlClient["call"] = (name, body) => this.client.call(name, body);
    return [
      await ask("volume/list", {}),
      // Space that is free changes by itself.
      (await ask("pool/list", {})).map((pool) => ({ ...pool, space: null })),
      await ask("target/list", {}),
      await ask("lun/list", {}),
      await ask("account/list", {}),
      await ask("portal/list", {}),
      [...this.bench.harness.parts.volumes.volumes.keys()],
      this.stateFile(),
    ];
  }

  stateFile(): string {
    return readFileSync(join(this.folder, "state", "state.json"), "utf8");
  }

  /** Over the socket; `token`: over TCP. A body is sent as it is. */
  http(path: string, body: string, token?: string): Promise<HttpAnswer> {
    const where =
      token === undefined
        ? { socketPath: controlSocketPath(join(this.folder, "state")) }
        : { port: this.port };
    const headers = {
      "content-type": "application/json",
      ...(token === undefined || token === "" ? {} : { authorization: `Bearer ${token}` }),
    };
    return new Promise((resolve, reject) => {
      const options = { ...where, path: `/v1/${path}`, method: "POST", headers, agent: false };
      const request = httpRequest(options, (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => (text += chunk));
        response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
      });
      request.on("error", reject);
      request.end(body);
    });
  }

  /** What is refused over HTTP, held to the served document. */
  async refusal(path: string, body: string, token?: string): Promise<Problem> {
    const { status, text } = await this.http(path, body, token);
    if (status < 400) throw new Error(`${path} ${body}: status ${status}`);
    const problem = JSON.parse(text) as Problem;
    mustBeDocumented("/v1/pool/list", status, "application/problem+json", problem);
    if (problem.status !== status) throw new Error(`${text}: status ${status}`);
    return problem;
  }

  /** A command line, for this daemon. */
  cli(...args: readonly string[]): Promise<Outcome> {
    return new Command([...args, "--state-dir", join(this.folder, "state")]).outcome();
  }

  async dispose(): Promise<void> {
    await this.client.close();
    await this.control.close();
    await this.bench.dispose();
    if (!this.#keepsFolder) rmSync(this.folder, { recursive: true });
  }
}
