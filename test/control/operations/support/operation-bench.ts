import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BlockDevice } from "../../../../src/device/block-device.ts";
import { MemoryDevice } from "../../../../src/device/memory-device.ts";
import type { OperationContext } from "../../../../src/control/operations/operation.ts";
import { perform } from "../../../../src/control/operations/table.ts";
import type {
  ArgumentsOf,
  OperationName,
  Progress,
  ReplyOf,
} from "../../../../src/control/protocol.ts";
import type { ThinVolume } from "../../../../src/thin/io/thin-volume.ts";
import { systemOwner } from "../../../../src/thin/members/owner.ts";
import { systemClock } from "../../../../src/util/clock.ts";
import { MIB, PoolBench, uuidOf } from "../../../thin/pool/support/pool-bench.ts";
import { mustBeReply } from "./reply-check.ts";
import { type LogLine, recordingLog } from "../../../support/recording-log.ts";

/** The operations on a pool "tank" in memory. */
export class OperationBench {
  readonly bench: PoolBench;
  readonly folder: string;
  readonly lines: LogLine[] = [];
  readonly progress: Progress[] = [];
  readonly adopted: BlockDevice[] = [];
  /** Paths, and how many devices the pool had by then. */
  readonly remembered: { readonly path: string; readonly devices: number }[] = [];
  readonly served: Set<ThinVolume> = new Set();
  readonly context: OperationContext;
  #uuids = 0;

  private constructor(bench: PoolBench) {
    this.bench = bench;
    this.folder = mkdtempSync(join(tmpdir(), "thinlun-operations-"));
    this.context = {
      pools: () => [
        {
          pool: bench.pool,
          direct: false,
          adopt: (device) => void this.adopted.push(device),
          remember: (path) => {
            this.remembered.push({ path, devices: bench.pool.state.devices.length });
            return Promise.resolve();
          },
        },
      ],
      owner: systemOwner,
      clock: systemClock,
      isServed: (volume) => this.served.has(volume),
      makeUuid: () => uuidOf((this.#uuids += 1)),
      backupDir: join(this.folder, "backup"),
      now: () => new Date("2026-11-23T06:00:00Z"),
      log: recordingLog(this.lines),
    };
  }

  static async make(sizeBytes: number = 64 * MIB): Promise<OperationBench> {
    const devices = [new MemoryDevice(sizeBytes, "disk")];
    return new OperationBench(await PoolBench.make({ devices }));
  }

  /** Runs an operation with arguments as they may come from outside; its reply is what the served document says. */
  async attempt<Name extends OperationName>(
    name: Name,
    body: unknown,
    payload: Uint8Array = new Uint8Array(0),
  ): Promise<ReplyOf<Name>> {
    const progress = (step: Progress): void => void this.progress.push(step);
    const request = { context: this.context, body, payload, progress };
    const reply = await this.bench.drive(perform(name, request));
    mustBeReply(name, reply);
    return reply;
  }

  run<Name extends OperationName>(
    name: Name,
    body: ArgumentsOf<Name>,
    payload?: Uint8Array,
  ): Promise<ReplyOf<Name>> {
    return this.attempt(name, body, payload);
  }

  async dispose(): Promise<void> {
    await this.bench.close();
    for (const device of this.adopted) await device.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
