import { connect, type ConnectOptions } from "../../src/initiator/connect.ts";
import { Connection, type ConnectionObserver } from "../../src/initiator/connection.ts";
import type { InitiatorSession } from "../../src/initiator/session.ts";
import { AccessList } from "../../src/iscsi/auth/access-list.ts";
import {
  AuthenticationPolicy,
  NO_AUTHENTICATION,
  type AuthenticationRules,
} from "../../src/iscsi/auth/authentication-policy.ts";
import type { DiscoveryPolicy } from "../../src/iscsi/login/login-types.ts";
import { DEFAULT_OFFERS } from "../../src/iscsi/parameters.ts";
import { IscsiServer, type ServerLimits } from "../../src/iscsi/server.ts";
import {
  defaultTargetSettings,
  IscsiTarget,
  type IscsiTargetSettings,
} from "../../src/iscsi/target.ts";
import { LogicalUnit, type BlockBytes } from "../../src/scsi/logical-unit.ts";
import { TargetDevice } from "../../src/scsi/target-device.ts";
import { systemClock, type Clock } from "../../src/util/clock.ts";
import { systemRandomBytes, type RandomBytes } from "../../src/util/random.ts";
import { MemoryDevice } from "../../src/device/memory-device.ts";
import type { BlockDevice } from "../../src/device/block-device.ts";
import { DeviceVolume } from "../../src/volume/device-volume.ts";
import type { Volume } from "../../src/volume/volume.ts";
import { recordingLog, type LogLine } from "./recording-log.ts";

export const TARGET_NAME = "iqn.2026-11.net.example:disk";
export const INITIATOR_NAME = "iqn.2026-11.net.example:initiator";
export const DISK_BYTES = 64 * 1024 * 1024;

/** One logical unit: how it is stored, and how it shows. */
export type UnitSpec = ({ readonly device: BlockDevice } | { readonly volume: Volume }) & {
  readonly blockBytes?: BlockBytes;
};

export interface TargetSpec {
  readonly name?: string;
  readonly settings?: Partial<IscsiTargetSettings>;
  /** By LUN; one memory disk at LUN 0 where left out. */
  readonly units?: readonly UnitSpec[];
}

export interface InProcessOptions {
  readonly targets?: readonly TargetSpec[];
  readonly limits?: Partial<ServerLimits>;
  readonly clock?: Clock;
  readonly discovery?: Partial<DiscoveryPolicy>;
  readonly randomBytes?: RandomBytes;
}

function uuidOf(number: number): string {
  return `00000000-0000-4000-8000-${number.toString(16).padStart(12, "0")}`;
}

function volumeOn(device: BlockDevice, number: number): Volume {
  const name = `disk${number}`;
  return new DeviceVolume({ uuid: uuidOf(number), name, device, thin: true, persistent: false });
}

/** Rules of CHAP with accounts as text. */
export function chapRules(
  user: string,
  secret: string,
  mutual?: { user: string; secret: string },
): AuthenticationRules {
  const outgoing =
    mutual === undefined ? null : { user: mutual.user, secret: Buffer.from(mutual.secret) };
  return { ...NO_AUTHENTICATION, incoming: [{ user, secret: Buffer.from(secret) }], outgoing };
}

export function chapPolicy(
  user: string,
  secret: string,
  mutual?: { user: string; secret: string },
): AuthenticationPolicy {
  return new AuthenticationPolicy(chapRules(user, secret, mutual));
}

/** A server of this process on loopback and a free port. The test closes it. */
export class InProcessTarget {
  readonly server: IscsiServer;
  readonly port: number;
  readonly log: LogLine[];
  /** Opened by `connect` and `open`; closed with the server. */
  readonly #sessions: Set<InitiatorSession> = new Set();
  readonly #connections: Set<Connection> = new Set();

  private constructor(server: IscsiServer, port: number, log: LogLine[]) {
    this.server = server;
    this.port = port;
    this.log = log;
  }

  static async start(options: InProcessOptions = {}): Promise<InProcessTarget> {
    const log: LogLine[] = [];
    const clock = options.clock ?? systemClock;
    const server = new IscsiServer({
      log: recordingLog(log),
      clock,
      randomBytes: options.randomBytes ?? systemRandomBytes,
      poll: "off",
      limits: options.limits ?? {},
      discovery: {
        enabled: true,
        access: new AccessList(),
        authentication: new AuthenticationPolicy(),
        offers: DEFAULT_OFFERS,
        ...options.discovery,
      },
    });
    let count = 0;
    for (const spec of options.targets ?? [{}]) {
      const name = spec.name ?? TARGET_NAME;
      const device = new TargetDevice(name);
      const units = spec.units ?? [{ device: new MemoryDevice(DISK_BYTES) }];
      for (const [lun, unit] of units.entries()) {
        count += 1;
        const volume = "volume" in unit ? unit.volume : volumeOn(unit.device, count);
        const blockBytes = unit.blockBytes ?? 512;
        device.attach(lun, new LogicalUnit({ volume, blockBytes, nowMs: () => clock.nowMs() }));
      }
      server.addTarget(
        new IscsiTarget(name, device, { ...defaultTargetSettings(), ...spec.settings }),
      );
    }
    const portal = { address: "127.0.0.1", port: 0, group: 1, advertise: null };
    const { port } = await server.listen(portal);
    return new InProcessTarget(server, port, log);
  }

  /** Logs in; by default to the first target, without authentication. */
  async connect(options: Partial<ConnectOptions> = {}): Promise<InitiatorSession> {
    const session = await connect({
      address: "127.0.0.1",
      port: this.port,
      initiatorName: INITIATOR_NAME,
      ...(options.sessionType === "discovery" ? {} : { targetName: TARGET_NAME }),
      ...options,
    });
    this.#sessions.add(session);
    return session;
  }

  /** A connection without a login. */
  async open(observer: ConnectionObserver = {}): Promise<Connection> {
    const connection = await Connection.open("127.0.0.1", this.port, observer);
    this.#connections.add(connection);
    return connection;
  }

  /** What was logged at this level or with these words. */
  lines(pattern: RegExp): LogLine[] {
    return this.log.filter(
      ({ message, fields }) => pattern.test(message) || pattern.test(JSON.stringify(fields)),
    );
  }

  /** Waits until the server has noticed that all connections are gone. */
  async idle(): Promise<void> {
    await eventually(() => this.server.statistics.connections === 0, "all connections gone");
  }

  async close(): Promise<void> {
    for (const session of this.#sessions) session.destroy();
    for (const connection of this.#connections) connection.destroy();
    await this.server.shutdown(0);
  }
}

/** Waits until something holds, looking each turn of the event loop; gives up after many turns, not after a time. */
export async function eventually(
  holds: () => boolean,
  what: string,
  turnsMax = 200_000,
): Promise<void> {
  for (let turn = 0; turn < turnsMax; turn += 1) {
    if (holds()) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
  throw new Error(`did not happen: ${what}`);
}
