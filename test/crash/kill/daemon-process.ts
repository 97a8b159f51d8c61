import { Daemon, type DaemonConfig } from "../../support/daemon.ts";
import {
  POOL_NAME,
  type ProgramOperation,
  type ProgramOptions,
  type ServedVolume,
  TARGET_NAME,
} from "../program/protocol.ts";
import { type Killable, type Kind, type Outcome, saysFellBack, type Start } from "./killable.ts";

const LOG_LINES_MAX = 30;

/** What the daemon says when it ends because of itself. */
const DEFECT = "a defect of the program";

/** One life of the daemon. */
class DaemonLife implements Killable {
  readonly started: Promise<Start>;
  isKilled = false;
  readonly #daemon: Promise<Daemon>;
  readonly #volumes: readonly ServedVolume[];
  #current: Daemon | null = null;

  constructor(daemon: Promise<Daemon>, volumes: readonly ServedVolume[], isNew: boolean) {
    this.#daemon = daemon;
    this.#volumes = volumes;
    this.started = this.#start(isNew);
  }

  get hasDefect(): boolean {
    return this.#current?.log.includes(DEFECT) === true;
  }

  get hasFallenBack(): boolean {
    return saysFellBack(this.#current?.log ?? "");
  }

  get log(): readonly string[] {
    return this.#current?.log.split("\n").slice(-LOG_LINES_MAX) ?? [];
  }

  async #start(isNew: boolean): Promise<Start> {
    try {
      this.#current = await this.#daemon;
      if (!isNew) await this.#current.restart();
      return { kind: "ready", port: this.#current.port, volumes: this.#volumes };
    } catch (error) {
      return { kind: "refused", problem: "other", error: String(error) };
    }
  }

  /** The configuration makes the volumes; apart from that, it only ends. */
  async request({ kind }: ProgramOperation): Promise<Outcome> {
    if (kind === "close") await this.ended();
    return { problems: [], volumes: this.#volumes };
  }

  signal(signal: NodeJS.Signals): void {
    this.#current?.signal(signal);
  }

  async kill(): Promise<void> {
    this.isKilled = true;
    await (await this.#daemon).kill();
  }

  async ended(): Promise<void> {
    const status = await (await this.#daemon).stop();
    if (status !== 0) throw new Error(`the daemon ended with status ${status}`);
  }
}

/** The daemon as it is installed, with one pool, and volumes that its configuration names. */
export class DaemonKind implements Kind {
  readonly hasOperations = false;
  readonly #volumeBytes: number;
  readonly #names: readonly string[];
  #daemon: Promise<Daemon> | null = null;

  constructor(names: readonly string[], volumeBytes: number) {
    this.#names = names;
    this.#volumeBytes = volumeBytes;
  }

  start(options: ProgramOptions): Killable {
    const volumes = this.#names.map((name, lun) => ({
      name,
      lun,
      sizeBytes: this.#volumeBytes,
      readOnly: false,
    }));
    const isNew = this.#daemon === null;
    this.#daemon ??= Daemon.start(() => this.#config(options));
    return new DaemonLife(this.#daemon, volumes, isNew);
  }

  async dispose(): Promise<void> {
    const daemon = await this.#daemon;
    await daemon?.kill();
    await daemon?.dispose();
  }

  #config({ devices, create }: ProgramOptions): DaemonConfig {
    const size = `${create?.deviceBytes ?? 0}`;
    const extentSize = `${create?.extentBytes ?? 0}`;
    const pool = { devices, create: { size, extentSize } };
    const volume = {
      driver: "thin",
      pool: POOL_NAME,
      size: `${this.#volumeBytes}`,
      create: true,
    };
    const volumes = Object.fromEntries(this.#names.map((name) => [name, volume]));
    const luns = this.#names.map((name, lun) => ({ lun, volume: name }));
    return { pools: { [POOL_NAME]: pool }, volumes, targets: [{ name: TARGET_NAME, luns }] };
  }
}
