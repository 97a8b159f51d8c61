import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Config } from "../../../../src/control/config/config.ts";
import { operationErrorOf } from "../../../../src/control/operations/operation-error.ts";
import type { OperationContext } from "../../../../src/control/operations/operation.ts";
import { perform } from "../../../../src/control/operations/table.ts";
import type { ArgumentsOf, OperationName, ReplyOf } from "../../../../src/control/protocol.ts";
import { connect, type ConnectOptions } from "../../../../src/initiator/connect.ts";
import type { InitiatorSession } from "../../../../src/initiator/session.ts";
import { systemOwner } from "../../../../src/thin/members/owner.ts";
import { systemClock } from "../../../../src/util/clock.ts";
import { PlaneHarness, type PlaneHarnessOptions } from "../../support/plane-harness.ts";
import { mustBeReply } from "./reply-check.ts";

export const MIB: number = 1024 * 1024;
export const HOST = "iqn.2026-11.net.example:host";
export const DISK = "iqn.2026-11.net.example:disk";

/** The operations on a daemon in this process, in a folder of its own. */
export class DaemonBench {
  readonly folder: string;
  harness: PlaneHarness;
  readonly #sessions: InitiatorSession[] = [];

  private constructor(folder: string, harness: PlaneHarness) {
    this.folder = folder;
    this.harness = harness;
  }

  static async make(
    configure: (folder: string) => Partial<PlaneHarnessOptions> = () => ({}),
  ): Promise<DaemonBench> {
    const folder = await mkdtemp(join(tmpdir(), "thinlun-operations-"));
    return new DaemonBench(folder, await PlaneHarness.start({ folder, ...configure(folder) }));
  }

  get context(): OperationContext {
    const { parts, plane, server, state } = this.harness;
    return {
      pools: parts.pools.operated,
      isServed: parts.volumes.serves,
      owner: systemOwner,
      clock: systemClock,
      makeUuid: randomUUID,
      backupDir: join(this.folder, "backup"),
      now: () => new Date(),
      log: parts.log,
      daemon: {
        plane,
        server,
        portals: parts.portals,
        volumes: parts.volumes,
        volumeIdentities: state.volumes,
        poolIdentities: state.pools,
        stateDir: join(this.folder, "state"),
        version: "1.2.3",
        startedAt: new Date(),
        logoutGraceMs: 0,
      },
    };
  }

  /** Runs an operation with arguments as they may come from outside. */
  async attempt<Name extends OperationName>(name: Name, body: unknown): Promise<ReplyOf<Name>> {
    const request = {
      context: this.context,
      body,
      payload: new Uint8Array(0),
      progress: () => undefined,
      by: "tester",
    };
    const reply = await perform(name, request).catch((error: unknown) => {
      throw operationErrorOf(error);
    });
    mustBeReply(name, reply);
    return reply;
  }

  run<Name extends OperationName>(name: Name, body: ArgumentsOf<Name>): Promise<ReplyOf<Name>> {
    return this.attempt(name, body);
  }

  /** A pool "tank" with volumes of 8 MiB. */
  async makePool(...volumes: readonly string[]): Promise<void> {
    const devices = [join(this.folder, "tank.img")];
    await this.run("pool/create", { pool: "tank", devices, createBytes: 64 * MIB });
    for (const volume of volumes) {
      await this.run("volume/create", { pool: "tank", volume, sizeBytes: 8 * MIB });
    }
  }

  async login(
    targetName: string = DISK,
    options: Partial<ConnectOptions> = {},
  ): Promise<InitiatorSession> {
    const port = this.harness.server.portals[0]?.port ?? 0;
    const where = { address: "127.0.0.1", port };
    const session = await connect({ ...where, initiatorName: HOST, targetName, ...options });
    this.#sessions.push(session);
    return session;
  }

  /** The daemon ends in order and starts again. */
  async restart(config?: Config): Promise<void> {
    await this.harness.dispose();
    await this.start(config);
  }

  /** The harness was disposed of. */
  async start(config?: Config): Promise<void> {
    const { folder } = this;
    this.harness = await PlaneHarness.start(config === undefined ? { folder } : { folder, config });
  }

  async dispose(): Promise<void> {
    for (const session of this.#sessions) session.destroy();
    await this.harness.dispose();
    await rm(this.folder, { recursive: true });
  }
}
