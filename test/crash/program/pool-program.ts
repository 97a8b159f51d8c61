import { writeSync } from "node:fs";
import { createInterface } from "node:readline";
import type { FileDevice } from "../../../src/device/file-device.ts";
import { createImageFile, growImageFile } from "../../../src/device/image-file.ts";
import { AccessList } from "../../../src/iscsi/auth/access-list.ts";
import { AuthenticationPolicy } from "../../../src/iscsi/auth/authentication-policy.ts";
import { DEFAULT_OFFERS } from "../../../src/iscsi/parameters.ts";
import { IscsiServer } from "../../../src/iscsi/server.ts";
import { defaultTargetSettings, IscsiTarget } from "../../../src/iscsi/target.ts";
import { LogicalUnit } from "../../../src/scsi/logical-unit.ts";
import { TargetDevice } from "../../../src/scsi/target-device.ts";
import { formatPool } from "../../../src/thin/checkpoint/format-pool.ts";
import { openForPool } from "../../../src/thin/members/open-member.ts";
import { systemOwner } from "../../../src/thin/members/owner.ts";
import { PoolError } from "../../../src/thin/pool-error.ts";
import { Pool } from "../../../src/thin/pool/pool.ts";
import { checkPool } from "../../../src/thin/tools/check.ts";
import { systemClock } from "../../../src/util/clock.ts";
import type { Log, LogFields } from "../../../src/util/log.ts";
import { systemRandomBytes } from "../../../src/util/random.ts";
import { EngineDriver } from "../../../src/volume/engine/engine-driver.ts";
import type { Volume } from "../../../src/volume/volume.ts";
import {
  POOL_NAME,
  type ProgramMessage,
  type ProgramOperation,
  type ProgramOptions,
  type ProgramRequest,
  type ServedVolume,
  TARGET_NAME,
} from "./protocol.ts";

/*
 * A daemon with one pool and one target: every volume is a LUN. What an operator does comes in on the standard input, so that a
 * test can kill the process in the middle of it.
 */

const POOL_UUID = "6f1d2c3b-4a59-4687-9785-a4b3c2d1e0ff";
const STANDARD_OUTPUT = 1;

function say(message: ProgramMessage): void {
  writeSync(STANDARD_OUTPUT, `${JSON.stringify(message)}\n`);
}

function logAt(level: string): (fields: LogFields, message: string) => void {
  return (fields, message) => {
    const { error, ...rest } = fields;
    const reason = error instanceof Error ? ` ${error.stack ?? error.message}` : "";
    say({ kind: "log", level, text: `${message} ${JSON.stringify(rest)}${reason}` });
  };
}

const nothing = (): void => undefined;

const log: Log = {
  trace: nothing,
  debug: nothing,
  info: logAt("info"),
  warn: logAt("warn"),
  error: logAt("error"),
  fatal: logAt("fatal"),
  isLevelEnabled: () => false,
  child: () => log,
};

/** Of the sessions, only what goes wrong. */
const serverLog: Log = { ...log, info: nothing, child: () => serverLog };

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** A pool that failed in one run may be opened in the next: the disks here are sound, and the tests look at every failure. */
const noMark = { isSet: () => Promise.resolve(false), set: nothing };

class PoolProgram {
  readonly #pool: Pool;
  readonly #devices: FileDevice[];
  readonly #driver: EngineDriver;
  readonly #target: TargetDevice = new TargetDevice(TARGET_NAME);
  readonly #server: IscsiServer;
  readonly #served = new Map<string, { readonly lun: number; readonly volume: Volume }>();

  private constructor(pool: Pool, devices: FileDevice[]) {
    this.#pool = pool;
    this.#devices = devices;
    this.#driver = new EngineDriver(() => ({ pool, rotational: false }));
    this.#server = new IscsiServer({
      log: serverLog,
      clock: systemClock,
      randomBytes: systemRandomBytes,
      poll: "off",
      discovery: {
        enabled: false,
        access: new AccessList(),
        authentication: new AuthenticationPolicy(),
        offers: DEFAULT_OFFERS,
      },
    });
    this.#server.addTarget(new IscsiTarget(TARGET_NAME, this.#target, defaultTargetSettings()));
  }

  static async start({ devices: paths, create }: ProgramOptions): Promise<void> {
    const devices: FileDevice[] = [];
    if (create !== null) {
      for (const path of paths) await createImageFile(path, create.deviceBytes);
    }
    for (const path of paths) devices.push(await openForPool(path));
    const owner = await systemOwner();
    if (create !== null) {
      await formatPool(
        devices.map((device) => ({ device, isZero: true })),
        {
          uuid: POOL_UUID,
          extentBytes: create.extentBytes,
          journalBytes: create.journalBytes,
          settings: { name: POOL_NAME, overcommitMax: 0, thresholds: [] },
          randomBytes: systemRandomBytes,
          owner,
        },
      );
    }
    const pool = await Pool.open({ devices, owner, clock: systemClock, log, failureMark: noMark });
    const program = new PoolProgram(pool, devices);
    for (const { attributes } of pool.volumes()) await program.#serve(attributes.name);
    const portal = { address: "127.0.0.1", port: 0, group: 1, advertise: null };
    const { port } = await program.#server.listen(portal);
    say({ kind: "ready", port, volumes: program.#volumes() });
    createInterface(process.stdin).on("line", (line) => void program.#request(line));
  }

  #volumes(): ServedVolume[] {
    return [...this.#served].map(([name, { lun, volume }]) => ({
      name,
      lun,
      sizeBytes: volume.capacityBytes,
      readOnly: !volume.capabilities.writable,
    }));
  }

  async #serve(name: string): Promise<void> {
    const { uuid, id } = this.#pool.volume(name).attributes;
    const volume = await this.#driver.open({ name, uuid, options: { pool: POOL_NAME } });
    const unit = new LogicalUnit({ volume, blockBytes: 512, nowMs: () => systemClock.nowMs() });
    this.#target.attach(id, unit);
    this.#served.set(name, { lun: id, volume });
  }

  async #request(line: string): Promise<void> {
    const { id, operation } = JSON.parse(line) as ProgramRequest;
    let problems: readonly string[];
    try {
      problems = await this.#carryOut(operation);
    } catch (error) {
      problems = [messageOf(error)];
    }
    say({ kind: "done", id, problems, volumes: this.#volumes() });
  }

  async #carryOut(operation: ProgramOperation): Promise<readonly string[]> {
    const pool = this.#pool;
    switch (operation.kind) {
      case "create":
        await pool.createVolume(operation);
        await this.#serve(operation.name);
        return [];
      case "snapshot":
        await pool.snapshot(
          operation.copies.map((copy) => ({ ...copy, source: pool.volume(copy.source) })),
        );
        for (const { name } of operation.copies) await this.#serve(name);
        return [];
      case "rollback":
        await pool.rollback(pool.volume(operation.name), pool.volume(operation.source));
        return [];
      case "delete":
        await this.#delete(operation.name);
        return [];
      case "resize":
        await pool.resize(pool.volume(operation.name), operation.sizeBytes, true);
        return [];
      case "add-device":
        await this.#addDevice(operation.path, operation.uuid);
        return [];
      case "grow-device":
        await this.#growDevice(operation.path, operation.sizeBytes);
        return [];
      case "checkpoint":
        await pool.checkpoint();
        return [];
      case "check":
        return this.#check();
      case "close":
        await this.#close();
        return [];
    }
  }

  async #delete(name: string): Promise<void> {
    const served = this.#served.get(name);
    if (served !== undefined) {
      this.#served.delete(name);
      await new Promise<void>((resolve) => this.#target.detach(served.lun, resolve));
      await served.volume.close();
    }
    await this.#pool.delete(this.#pool.volume(name));
  }

  /** The image is there already: whoever asks wants to know its name after a crash. */
  async #addDevice(path: string, uuid: string): Promise<void> {
    let device = this.#devices.find(({ name }) => name === path);
    if (device === undefined) {
      device = await openForPool(path);
      this.#devices.push(device);
    }
    await this.#pool.addDevice(device, { uuid, isZero: true });
  }

  async #growDevice(path: string, sizeBytes: number): Promise<void> {
    const index = this.#devices.findIndex(({ name }) => name === path);
    const device = this.#devices[index];
    if (device === undefined) throw new Error(`${path} is not a device of the pool`);
    if (device.capacityBytes < sizeBytes) {
      await growImageFile(path, device.capacityBytes, sizeBytes);
    }
    await this.#pool.growDevice(index, { isZero: true });
  }

  /** By the pool's own bookkeeping, and by the tool that reads what lies on the devices. */
  async #check(): Promise<readonly string[]> {
    const problems = await this.#pool.check();
    const { isSound, findings } = await checkPool(this.#devices);
    if (isSound) return problems;
    return [...problems, ...findings.map((finding) => JSON.stringify(finding))];
  }

  async #close(): Promise<void> {
    await this.#server.shutdown(0);
    for (const { volume } of this.#served.values()) await volume.close();
    await this.#pool.close();
    for (const device of this.#devices) await device.close();
    process.stdin.destroy();
  }
}

const MS_BEFORE_EXIT = 20;

process.on("uncaughtException", (error) => {
  say({ kind: "log", level: "defect", text: error.stack ?? error.message });
  process.exit(70);
});

try {
  await PoolProgram.start(JSON.parse(process.argv[2] ?? "{}") as ProgramOptions);
} catch (error) {
  const problem = error instanceof PoolError ? error.kind : "other";
  say({ kind: "refused", problem, error: messageOf(error) });
  setTimeout(() => process.exit(1), MS_BEFORE_EXIT);
}
