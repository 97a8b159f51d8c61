import { truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bytesOf, byteWords } from "../../../../src/cli/tgt/byte-words.ts";
import { tgtadm } from "../../../../src/cli/tgt/tgtadm/tgtadm.ts";
import {
  startTgt,
  type TgtFace,
  type TgtParts,
} from "../../../../src/control/tgt/server/start-tgt.ts";
import { connect } from "../../../../src/initiator/connect.ts";
import type { InitiatorSession } from "../../../../src/initiator/session.ts";
import type { Ending } from "../../../support/program.ts";
import { PlaneHarness, type PlaneHarnessOptions } from "../../support/plane-harness.ts";

export const INITIATOR = "iqn.2026-01.com.example:host";

/** As that of the real daemon in tests: so that the same command lines reach either. */
export const CONTROL_PORT = "1";

/** A daemon in this process that stands for tgt's, and a tgtadm that asks it over its socket. */
export class TgtBench {
  readonly harness: PlaneHarness;
  readonly tgt: TgtFace;
  readonly #sessions: InitiatorSession[] = [];
  readonly #stops: { count: number };

  private constructor(harness: PlaneHarness, tgt: TgtFace, stops: { count: number }) {
    this.harness = harness;
    this.tgt = tgt;
    this.#stops = stops;
  }

  static async start(
    options: PlaneHarnessOptions = {},
    more: Pick<TgtParts, "isnsNetwork" | "nopOptions"> = {},
  ): Promise<TgtBench> {
    const harness = await PlaneHarness.start(options);
    const { plane, server, parts } = harness;
    const { log, volumes, portals } = parts;
    const stops = { count: 0 };
    const stop = (): void => void (stops.count += 1);
    const daemon = { log, plane, server, volumes, portals, stop, ...more };
    const tgt = await startTgt(daemon, `${socketIn(harness.folder)}.${CONTROL_PORT}`);
    return new TgtBench(harness, tgt, stops);
  }

  /** How often the daemon was asked to end. */
  get stops(): number {
    return this.#stops.count;
  }

  /** For TGT_IPC_SOCKET. */
  get socketBase(): string {
    return socketIn(this.harness.folder);
  }

  /** Of the portal that is there from the start. */
  get port(): number {
    return this.harness.server.portals[0]?.port ?? 0;
  }

  path(name: string): string {
    return join(this.harness.folder, name);
  }

  /** Makes a backing file without data in it. */
  file(name: string, sizeBytes: number): string {
    const path = this.path(name);
    writeFileSync(path, "");
    truncateSync(path, sizeBytes);
    return path;
  }

  /** Words are told apart by blanks; `{}` stands for the folder of the files. */
  ask(line: string): Promise<Ending> {
    return this.askWords(line.split(" ").map((word) => word.replace("{}", this.harness.folder)));
  }

  async askWords(words: readonly string[]): Promise<Ending> {
    const { status, stdout, stderr } = await tgtadm(byteWords(["-C", CONTROL_PORT, ...words]), {
      calledAs: "/usr/sbin/tgtadm",
      variables: { TGT_IPC_SOCKET: this.socketBase },
    });
    const decode = (text: string): string => bytesOf(text).toString("utf8");
    return { status, stdout: decode(stdout), stderr: decode(stderr) };
  }

  /** Runs lines that must succeed; the output of the last one. */
  async must(...lines: readonly string[]): Promise<string> {
    let output = "";
    for (const line of lines) {
      const { status, stdout, stderr } = await this.ask(line);
      if (status !== 0) throw new Error(`${line}: status ${status}: ${stderr}`);
      output = stdout;
    }
    return output;
  }

  /** The complaint about a line that must fail. */
  async complaint(line: string): Promise<string> {
    const { status, stdout, stderr } = await this.ask(line);
    if (status === 0 || stdout !== "") throw new Error(`${line}: it was taken: ${stdout}`);
    return stderr.replace(/^tgtadm: /, "").trimEnd();
  }

  async login(targetName: string): Promise<InitiatorSession> {
    const where = { address: "127.0.0.1", port: this.port };
    const session = await connect({ ...where, initiatorName: INITIATOR, targetName });
    this.#sessions.push(session);
    return session;
  }

  async dispose(): Promise<void> {
    for (const session of this.#sessions) await session.logout().catch(() => undefined);
    await this.tgt.close();
    await this.harness.dispose();
  }
}

function socketIn(folder: string): string {
  return join(folder, "socket");
}
