import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import type { ReplyOf, SpaceReport } from "../../src/control/protocol.ts";
import { Daemon, type DaemonConfig } from "../support/daemon.ts";
import { Guest } from "./machine/guest.ts";
import { HOST_SEEN_BY_GUEST, OpenIscsi } from "./machine/open-iscsi.ts";

/** Volumes of the beginning and the pools that they are in; their LUNs are in this order, on one target. */
const POOL_OF_VOLUME = { disk: "main", space: "main", patient: "patient", brief: "brief" } as const;

export type VolumeName = keyof typeof POOL_OF_VOLUME;
export type PoolName = (typeof POOL_OF_VOLUME)[VolumeName];

const NAMES = Object.keys(POOL_OF_VOLUME) as VolumeName[];
const WORK = "iqn.2026-11.net.example:work";
/** Is there while there are copies to look at. */
const VIEW = "iqn.2026-11.net.example:view";

const POLL_MS = 200;
const LIMIT_MS = 120_000;

/** Short enough that a daemon that is killed is noticed soon. */
const EAGER_PINGS = {
  "node.conn[0].timeo.noop_out_interval": "2",
  "node.conn[0].timeo.noop_out_timeout": "4",
};

/** A daemon with pools, and a guest that is logged in to thin volumes in them. */
export class ThinLab {
  readonly guest: Guest;
  readonly daemon: Daemon;
  readonly initiator: OpenIscsi;
  #pools: Record<PoolName, { devices: string[] }>;
  #volumes: Record<string, object>;
  /** Volumes that the second target has, from LUN 0 on. */
  #viewed: readonly string[] = [];

  private constructor(guest: Guest, daemon: Daemon, config: DaemonConfig) {
    this.guest = guest;
    this.daemon = daemon;
    this.initiator = new OpenIscsi(guest, daemon.port);
    this.#pools = config.pools as Record<PoolName, { devices: string[] }>;
    this.#volumes = config.volumes;
  }

  static async start(accelerator: "kvm" | "tcg"): Promise<ThinLab> {
    let config: DaemonConfig = { volumes: {}, targets: [] };
    const daemon = await Daemon.start((folder) => (config = configOf(folder)), HOST_SEEN_BY_GUEST);
    try {
      const guest = await Guest.boot(accelerator);
      const lab = new ThinLab(guest, daemon, config);
      await lab.initiator.login(WORK, EAGER_PINGS, NAMES.length - 1);
      return lab;
    } catch (error) {
      await daemon.dispose();
      throw error;
    }
  }

  async dispose(): Promise<void> {
    await this.guest.powerOff();
    await this.daemon.dispose();
  }

  /** Ends the session and begins another one; an initiator that is not patient gives a connection up that is silent for some seconds. */
  async loginAnew({ isPatient }: { isPatient: boolean }): Promise<void> {
    await this.initiator.logout(WORK);
    await this.initiator.login(WORK, isPatient ? {} : EAGER_PINGS, NAMES.length - 1);
  }

  /** The guest's device file of a volume. */
  disk(volume: VolumeName): Promise<string> {
    return this.initiator.disk(WORK, NAMES.indexOf(volume));
  }

  /** Adds a target with these volumes of the main pool to the running daemon, logs in to it, and returns its disks. */
  async view(...volumes: readonly string[]): Promise<string[]> {
    this.#viewed = volumes;
    await this.#reload();
    const disks = [await this.initiator.login(VIEW, EAGER_PINGS, 0)];
    for (let lun = 1; lun < volumes.length; lun++) {
      disks.push(await this.initiator.disk(VIEW, lun));
    }
    return disks;
  }

  /** Takes that target away again, which needs a restart; the other session gets over it. */
  async leaveView(): Promise<void> {
    await this.initiator.logout(VIEW);
    this.#viewed = [];
    await this.#reload();
    expect(await this.daemon.stop()).toBe(0);
    await this.daemon.restart();
  }

  /** The image files of a pool. */
  devices(pool: PoolName): readonly string[] {
    return this.#pools[pool].devices;
  }

  /** The first of them. */
  image(pool: PoolName): string {
    return this.devices(pool)[0] ?? "";
  }

  /** Adds another image file to a pool. */
  async extendByImage(pool: PoolName, size: string): Promise<void> {
    const add = join(this.daemon.folder, `${pool}-more.img`);
    await this.daemon.command("pool", "extend", pool, "--add", add, "--size", size, "--yes");
    const { devices, ...rest } = this.#pools[pool];
    this.#pools = { ...this.#pools, [pool]: { ...rest, devices: [...devices, add] } };
    await this.#reload();
  }

  async space(pool: PoolName): Promise<SpaceReport> {
    const report = await this.daemon.command("pool", "show", pool, "--json");
    return (JSON.parse(report) as ReplyOf<"pool/show">).space;
  }

  /** Waits until `isSo` says so of what `look` sees, and returns that. */
  async until<T>(look: () => T | Promise<T>, isSo: (value: T) => boolean): Promise<T> {
    let value = await look();
    for (let waitedMs = 0; !isSo(value); waitedMs += POLL_MS) {
      if (waitedMs > LIMIT_MS) {
        throw new Error(`still ${JSON.stringify(value)}\n${this.daemon.log.slice(-4000)}`);
      }
      await sleep(POLL_MS);
      value = await look();
    }
    return value;
  }

  /** Whether the daemon has logged `message`, after the first `from` characters of the log. */
  hasLogged(from: number, message: string): boolean {
    return this.daemon.log.slice(from).includes(message);
  }

  async #reload(): Promise<void> {
    const from = this.daemon.log.length;
    this.daemon.reload({
      pools: this.#pools,
      volumes: {
        ...this.#volumes,
        ...Object.fromEntries(this.#viewed.map((name) => [name, { driver: "thin", pool: "main" }])),
      },
      targets: targetsWith(this.#viewed),
    });
    await this.until(
      () => this.hasLogged(from, "were read again"),
      (isRead) => isRead,
    );
  }
}

function configOf(folder: string): DaemonConfig {
  const image = (pool: PoolName): string[] => [join(folder, `${pool}.img`)];
  return {
    pools: {
      main: { devices: image("main"), create: { size: "768MiB" } },
      // Nobody gives up before the one has space again; with the other, everybody does.
      patient: { devices: image("patient"), create: { size: "64MiB" }, fullRetry: 600 },
      brief: { devices: image("brief"), create: { size: "64MiB" }, fullRetry: 3 },
    },
    volumes: Object.fromEntries(
      NAMES.map((name) => {
        const pool = POOL_OF_VOLUME[name];
        const size = pool === "main" ? "256MiB" : "512MiB";
        return [name, { driver: "thin", pool, size, create: true }];
      }),
    ),
    targets: targetsWith([]),
  };
}

function targetsWith(viewed: readonly string[]): object[] {
  const luns = (volumes: readonly string[]): object[] =>
    volumes.map((volume, lun) => ({ lun, volume }));
  const work = { name: WORK, luns: luns(NAMES) };
  return viewed.length === 0 ? [work] : [work, { name: VIEW, luns: luns(viewed) }];
}
