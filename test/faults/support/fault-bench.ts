import { expect } from "vitest";
import type { BlockDevice } from "../../../src/device/block-device.ts";
import { demoConfig } from "../../../src/control/demo-config.ts";
import { Exports } from "../../../src/control/exports.ts";
import type { OpenVolume } from "../../../src/control/volume-store.ts";
import type { CommandResult } from "../../../src/initiator/command.ts";
import { cdb16, testUnitReady } from "../../../src/initiator/scsi.ts";
import type { InitiatorSession } from "../../../src/initiator/session.ts";
import { ERROR_REPORT_INTERVAL_MS } from "../../../src/scsi/limits.ts";
import { DeviceVolume } from "../../../src/volume/device-volume.ts";
import { eventually, InProcessTarget, TARGET_NAME } from "../../support/in-process-target.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { recordingLog, type LogLine } from "../../support/recording-log.ts";

export const BLOCK_BYTES = 512;
export const MIB: number = 1024 * 1024;

/** How a command ended, in words that read well in a failed comparison: "good", "3/11/00" or "status 28". */
export function outcomeOf({ status, sense }: CommandResult): string {
  if (status === 0) return "good";
  if (status !== 2 || sense === undefined) return `status ${status.toString(16)}`;
  const hex = (value: number): string => value.toString(16).padStart(2, "0");
  const { key, additionalSenseCode, additionalSenseCodeQualifier } = sense;
  return `${key.toString(16)}/${hex(additionalSenseCode)}/${hex(additionalSenseCodeQualifier)}`;
}

/** The commands that the tests of faults send, on one LUN; each resolves with how it ended. */
export class Lun {
  readonly #session: InitiatorSession;
  readonly #lun: number;

  constructor(session: InitiatorSession, lun: number) {
    this.#session = session;
    this.#lun = lun;
  }

  async read(offsetBytes: number, lengthBytes: number): Promise<string> {
    const cdb = cdb16(0x88, offsetBytes / BLOCK_BYTES, lengthBytes / BLOCK_BYTES);
    const command = { lun: this.#lun, cdb, expectedInBytes: lengthBytes };
    return outcomeOf(await this.#session.execute(command));
  }

  /** Reads and compares: every byte must be `byte`. */
  async expectBytes(offsetBytes: number, lengthBytes: number, byte: number): Promise<void> {
    const cdb = cdb16(0x88, offsetBytes / BLOCK_BYTES, lengthBytes / BLOCK_BYTES);
    const command = { lun: this.#lun, cdb, expectedInBytes: lengthBytes };
    const result = await this.#session.execute(command);
    expect(outcomeOf(result)).toBe("good");
    expect(Buffer.compare(result.dataIn, Buffer.alloc(lengthBytes, byte))).toBe(0);
  }

  async write(
    offsetBytes: number,
    lengthBytes: number,
    byte: number,
    forceUnitAccess = false,
  ): Promise<string> {
    const cdb = cdb16(0x8a, offsetBytes / BLOCK_BYTES, lengthBytes / BLOCK_BYTES);
    if (forceUnitAccess) cdb[1] = 0x08;
    const dataOut = Buffer.alloc(lengthBytes, byte);
    return outcomeOf(await this.#session.execute({ lun: this.#lun, cdb, dataOut }));
  }

  async synchronizeCache(): Promise<string> {
    return outcomeOf(await this.#session.execute({ lun: this.#lun, cdb: cdb16(0x91, 0, 0) }));
  }
}

/** A volume under test, with the name that the log has to say. */
export interface FaultyVolume {
  readonly name: string;
  readonly device: BlockDevice;
}

/**
 * A server of this process whose LUNs are exported as the daemon exports them, so that failures come out in the daemon's
 * log. The LUNs are the volumes in their order.
 */
export class FaultBench {
  readonly target: InProcessTarget;
  readonly volumes: readonly DeviceVolume[];
  readonly #clock: ManualClock;
  readonly #exports: Exports;

  private constructor(
    target: InProcessTarget,
    volumes: readonly DeviceVolume[],
    clock: ManualClock,
    exported: Exports,
  ) {
    this.target = target;
    this.volumes = volumes;
    this.#clock = clock;
    this.#exports = exported;
  }

  static async start(faulty: readonly FaultyVolume[]): Promise<FaultBench> {
    const clock = new ManualClock();
    const target = await InProcessTarget.start({ targets: [], clock });
    const volumes: DeviceVolume[] = [];
    const open = new Map<string, OpenVolume>();
    for (const [index, { name, device }] of faulty.entries()) {
      const uuid = `00000000-0000-4000-8000-${index.toString(16).padStart(12, "0")}`;
      const volume = new DeviceVolume({ uuid, name, device, thin: true, persistent: true });
      const settings = { uuid, readOnly: false, optional: false, delayMs: 0 };
      const config = { ...settings, driver: "memory", sizeBytes: device.capacityBytes } as const;
      volumes.push(volume);
      open.set(name, { volume, config, isNew: false });
    }
    const log = recordingLog(target.log);
    const exported = new Exports({
      log,
      clock,
      server: target.server,
      volumes: open,
      logoutGraceMs: 0,
    });
    const demo = demoConfig("/nowhere").targets[0];
    if (demo === undefined) throw new Error("the demonstration has a target");
    const lun = {
      blockBytes: BLOCK_BYTES,
      readOnly: false,
      identity: {},
      settings: {},
      tgt: null,
    } as const;
    const luns = faulty.map(({ name }, index) => ({ ...lun, lun: index, volume: name }));
    exported.add({ ...demo, name: TARGET_NAME, luns });
    return new FaultBench(target, volumes, clock, exported);
  }

  /** A session whose LUNs have nothing to report any more. */
  async connect(): Promise<InitiatorSession> {
    const session = await this.target.connect();
    for (const lun of this.volumes.keys()) await testUnitReady(session, lun);
    return session;
  }

  /** The lines about this volume that an administrator has to see. */
  errorLines(volume: string): LogLine[] {
    return this.target.log.filter(
      ({ level, fields }) => level === "error" && fields["volume"] === volume,
    );
  }

  /** Lets so much time pass that the next failure is told again. */
  nextReport(): void {
    this.#clock.advance(ERROR_REPORT_INTERVAL_MS);
  }

  /**
   * Ends the sessions and looks whether anything is left of them, then lets go of the volumes. A volume that failed cannot
   * be flushed, which its owner is told and the test has looked at.
   */
  async close(): Promise<void> {
    await this.target.close();
    const { server } = this.target;
    await eventually(() => server.statistics.lentBytes === 0, "all buffers are back");
    expect(server.statistics).toEqual({ connections: 0, sessions: 0, lentBytes: 0 });
    this.#exports.close();
    await Promise.allSettled(this.volumes.map((volume) => volume.close()));
  }
}
