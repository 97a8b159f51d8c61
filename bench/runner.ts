import { Backing } from "./backing.ts";
import type { Generator } from "./generators/generator.ts";
import type { NamedLoad } from "./loads.ts";
import { DISK_BYTES } from "./loads.ts";
import type { Peer, RunningPeer } from "./peers/peer.ts";
import type { GeneratorState, PeerState, Placement, ResultRow, Sample } from "./result.ts";
import { mediansOf } from "./summary.ts";

/** Loads that the peers are started for once. */
export interface StagePlan {
  readonly loads: readonly NamedLoad[];
  readonly luns: number;
  readonly backing: NamedLoad["backing"];
}

/** In the order of their first loads. What unmaps comes on files of its own: it leaves holes. */
export function stagesOf(loads: readonly NamedLoad[]): StagePlan[] {
  const stages = new Map<string, NamedLoad[]>();
  for (const load of loads) {
    const key = `${load.backing} ${load.luns} ${load.kind === "unmap"}`;
    stages.set(key, [...(stages.get(key) ?? []), load]);
  }
  return [...stages.values()].map((of) => ({
    loads: of,
    luns: of[0]?.luns ?? 1,
    backing: of[0]?.backing ?? "memory",
  }));
}

export interface RunnerOptions {
  readonly peers: readonly Peer[];
  readonly loads: readonly NamedLoad[];
  /** Besides our own, which is always there. */
  readonly generators: readonly Generator[];
  /** These put on all loads that they can, and not only those that are marked for them. */
  readonly checksAll: boolean;
  readonly rounds: number;
  readonly seconds: number;
  readonly folder: string | null;
  readonly signal: AbortSignal;
  /** Before each sample. */
  onSample(what: string): void;
  /** So many samples have been taken, or will not be. */
  onDone(samples: number): void;
  /** When all peers have been measured under a load. */
  onRows(load: NamedLoad, placement: Placement, rows: readonly ResultRow[]): void;
}

interface Running {
  readonly peer: Peer;
  readonly files: readonly string[];
  target: RunningPeer | null;
}

/** A row of a load: a peer, and what drives it, where that is not the peer's own. */
export interface Lane {
  readonly peer: Peer;
  readonly generator: Generator | null;
}

/** In the order in which they take turns: all peers, then those of iSCSI by each other generator, so that what is compared is close by. */
export function lanesOf(
  load: NamedLoad,
  options: Pick<RunnerOptions, "peers" | "generators" | "checksAll">,
): Lane[] {
  const { peers, generators, checksAll } = options;
  const seconds = checksAll || load.isCheckedByOthers ? generators : [];
  const served = peers.filter(({ protocol }) => protocol === "iscsi");
  return [
    ...peers.map((peer) => ({ peer, generator: null })),
    ...seconds.flatMap((generator) => served.map((peer) => ({ peer, generator }))),
  ];
}

/** Starts the peers, lets them take turns under each load, and ends them, whatever happens. */
export class Runner {
  readonly rows: ResultRow[] = [];
  readonly #options: RunnerOptions;
  readonly #states: Map<string, PeerState> = new Map();
  readonly #generators: Map<Generator, GeneratorState> = new Map();
  readonly #backing: Backing;

  constructor(options: RunnerOptions) {
    this.#options = options;
    this.#backing = new Backing(options.folder);
  }

  /** In their order; all of them. */
  get peers(): readonly PeerState[] {
    return [...this.#states.values()];
  }

  /** Those besides our own; all of them. */
  get generators(): readonly GeneratorState[] {
    return [...this.#generators.values()];
  }

  /** What must be gone at once: for an end that does not wait. */
  removeFiles(): void {
    this.#backing.remove();
  }

  /** Rejects with what has gone wrong here; what goes wrong with a peer is in its state and its rows. */
  async run(): Promise<void> {
    try {
      for (const stage of stagesOf(this.#options.loads)) {
        if (this.#options.signal.aborted) break;
        await this.#runStage(stage);
      }
    } finally {
      this.#backing.remove();
    }
  }

  /** Finds out which peers and generators there are, before anything is measured. */
  async find(): Promise<void> {
    for (const peer of this.#options.peers) {
      const { name, role, protocol } = peer;
      const found = await peer.find();
      const version = "version" in found ? found.version : null;
      const reason = "absent" in found ? found.absent : null;
      const state = reason === null ? "measured" : "absent";
      this.#states.set(name, { name, role, protocol, version, state, reason });
    }
    for (const generator of this.#options.generators) {
      const found = await generator.find();
      const version = "version" in found ? found.version : null;
      const absent = "absent" in found ? found.absent : null;
      this.#generators.set(generator, { name: generator.name, version, absent });
    }
  }

  async #runStage(stage: StagePlan): Promise<void> {
    const running: Running[] = [];
    try {
      const objection = Backing.objection(stage.backing);
      for (const peer of objection === null ? this.#options.peers : []) {
        if (this.#options.signal.aborted) return;
        if (this.#states.get(peer.name)?.state === "absent") continue;
        // What does not store is not given a file.
        const count = peer.protocol === "tcp" ? 0 : stage.luns;
        const files = await this.#backing.make(stage.backing, peer.name, count);
        const one: Running = { peer, files, target: null };
        running.push(one);
        if (stage.loads.some((load) => peer.objection(load) === null)) await this.#start(one);
      }
      for (const load of stage.loads) await this.#runLoad(load, running, objection);
    } finally {
      for (const { target } of running) await target?.stop();
      this.#backing.release();
    }
  }

  async #start(one: Running): Promise<void> {
    const { name } = one.peer;
    try {
      const folder = this.#backing.folderFor(name);
      one.target = await one.peer.start({ folder, files: one.files });
    } catch (error) {
      one.target = null;
      const state = this.#states.get(name);
      const reason = firstLines(error);
      if (state !== undefined) this.#states.set(name, { ...state, state: "failed", reason });
    }
  }

  async #runLoad(
    load: NamedLoad,
    running: readonly Running[],
    objection: string | null,
  ): Promise<void> {
    const lanes = lanesOf(load, { ...this.#options, generators: this.#present() });
    for (const placement of load.placements) {
      if (this.#options.signal.aborted) return;
      const rows = lanes.map((lane) => new PendingRow(load, placement, lane));
      for (let round = 0; round < this.#options.rounds; round += 1) {
        for (const row of rows) {
          const one = running.find(({ peer }) => peer === row.lane.peer);
          if (one !== undefined && row.failure === null) await this.#sample(one, row, round);
          if (one !== undefined) this.#options.onDone(1);
          if (this.#options.signal.aborted) break;
        }
      }
      const finished = rows.map((row) => {
        const { peer } = row.lane;
        if (running.some((one) => one.peer === peer)) return row.finish(null);
        return row.finish(this.#states.get(peer.name)?.reason ?? objection ?? "not measured");
      });
      this.rows.push(...finished);
      this.#options.onRows(load, placement, finished);
    }
  }

  #present(): Generator[] {
    const states = this.#generators;
    return this.#options.generators.filter((one) => states.get(one)?.absent === null);
  }

  async #sample(one: Running, row: PendingRow, round: number): Promise<void> {
    const { load, placement } = row;
    const { signal, seconds } = this.#options;
    const { generator } = row.lane;
    row.failure = generator?.objection(load) ?? one.peer.objection(load);
    if (row.failure !== null || signal.aborted) return;
    const by = generator === null ? "" : ` by ${generator.name}`;
    this.#options.onSample(`${load.title}: ${one.peer.name}${by}, round ${round + 1}`);
    try {
      if (one.target?.isAlive() !== true) await this.#start(one);
      if (one.target === null) {
        row.failure = this.#states.get(one.peer.name)?.reason ?? "it does not start";
        return;
      }
      if (load.isCold) await Backing.chill(one.files);
      const measured = { load, diskBytes: DISK_BYTES, seconds, placement, signal };
      const request = generator === null ? measured : { ...measured, generator };
      row.samples.push({ round, ...(await one.target.measure(request)) });
    } catch (error) {
      if (!signal.aborted) row.failure = firstLines(error);
    }
  }
}

/** Rows grow round by round, side by side. */
class PendingRow {
  readonly load: NamedLoad;
  readonly placement: Placement;
  readonly lane: Lane;
  readonly samples: Sample[] = [];
  failure: string | null = null;

  constructor(load: NamedLoad, placement: Placement, lane: Lane) {
    this.load = load;
    this.placement = placement;
    this.lane = lane;
  }

  finish(reason: string | null): ResultRow {
    const { peer, generator } = this.lane;
    const failure = reason ?? this.failure;
    // What broke halfway is not averaged from what went before.
    const samples = failure === null ? this.samples : [];
    const isEmpty = failure === null && samples.length === 0;
    return {
      load: this.load.id,
      peer: peer.name,
      placement: this.placement,
      generator: generator?.name ?? peer.generator,
      samples,
      medians: mediansOf(samples),
      failure: isEmpty ? "interrupted" : failure,
    };
  }
}

const REASON_CHARACTERS_MAX = 300;

/** Programs say in the first lines what is wrong; the command line of a child says nothing. */
function firstLines(error: unknown): string {
  const { message, stderr } = error as { message?: string; stderr?: string };
  const text = stderr === undefined || stderr.trim() === "" ? (message ?? String(error)) : stderr;
  return text.trim().split("\n").slice(0, 4).join("; ").slice(0, REASON_CHARACTERS_MAX);
}
