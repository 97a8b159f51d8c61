import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "../../../src/initiator/connect.ts";
import type { InitiatorSession } from "../../../src/initiator/session.ts";
import { SeededRandom } from "../../../src/util/random.ts";
import { type ServedVolume, TARGET_NAME } from "../program/protocol.ts";
import { Fleet } from "./fleet.ts";
import { type Interval, narrow } from "./instant.ts";
import { Load, type LoadContext, type LoadCounts } from "./load.ts";
import { Operator, type OperatorContext } from "./operator.ts";
import type { Killable, Kind } from "./killable.ts";
import { complaintOf, readContent, settledState } from "./verify.ts";
import { VolumeModel } from "./volume-model.ts";
import { VolumeState } from "./volume-state.ts";
import { FULL_SECTORS, Windows } from "./windows.ts";

const SECTOR_BYTES = 512;
const MIB = 1024 * 1024;
const INITIATORS = 3;
const BEGUN_MS_MAX = 1000;
export const PRIMARIES: readonly string[] = ["first", "second", "third"];

/** How a run is set up; all else follows from the seed, as far as time allows. */
export interface RunOptions {
  readonly kind: Kind;
  readonly seed: number;
  readonly kills: number;
  /** Where the pool's images are to lie. */
  readonly folder: string;
  readonly devices: number;
  readonly extentBytes: number;
  readonly journalBytes: number;
}

/** What a run has seen. */
export interface RunReport {
  kills: number;
  recoveriesKilled: number;
  secondProcessesRefused: number;
  stops: number;
  cleanEnds: number;
  sectorsVerified: number;
  readonly load: LoadCounts;
  /** Acknowledged, and cut off by a kill. */
  readonly operations: Map<string, { done: number; cut: number }>;
}

/** A life of the process that is cut off in another way than most. */
type LifeKind = "usual" | "in-recovery" | "second-process" | "stopped" | "closed";

/**
 * Runs the pool program on one pool, kills it again and again under load, and looks after each restart whether everything
 * that was acknowledged is there.
 */
export class Supervisor {
  readonly #options: RunOptions;
  readonly #random: SeededRandom;
  readonly #windows: Windows;
  readonly #fleet: Fleet;
  readonly #folder: string;
  readonly #devices = new Map<string, number>();
  readonly #unjoined = new Set<string>();
  readonly #complaints: string[] = [];
  #time = 0;
  #serial = 0;
  #number = 0;
  readonly report: RunReport = {
    kills: 0,
    recoveriesKilled: 0,
    secondProcessesRefused: 0,
    stops: 0,
    cleanEnds: 0,
    sectorsVerified: 0,
    load: { writes: 0, unmaps: 0, flushes: 0, reads: 0, spacePending: 0 },
    operations: new Map(),
  };

  constructor(options: RunOptions) {
    this.#options = options;
    this.#random = new SeededRandom(options.seed);
    this.#windows = new Windows(options.extentBytes);
    this.#fleet = new Fleet(this.#random);
    this.#folder = mkdtempSync(join(options.folder, "thinlun-crash-"));
  }

  /** @throws {Error} what was lost, with the seed and the program's log */
  async run(): Promise<RunReport> {
    try {
      await this.#makePool();
      while (this.report.kills < this.#options.kills) await this.#live(this.#nextLife());
      // What the last kill left is looked at, too.
      await this.#live("closed");
      return this.report;
    } finally {
      await this.#options.kind.dispose();
      rmSync(this.#folder, { recursive: true, force: true });
    }
  }

  #nextLife(): LifeKind {
    const kind = this.#random.below(100);
    if (kind < 15) return "in-recovery";
    if (kind < 18) return "second-process";
    if (kind < 20) return "stopped";
    if (kind < 23) return "closed";
    return "usual";
  }

  async #makePool(): Promise<void> {
    const { devices, extentBytes, journalBytes } = this.#options;
    const deviceBytes = devices === 1 ? 192 * MIB : 112 * MIB;
    for (let index = 0; index < devices; index += 1) {
      this.#devices.set(join(this.#folder, `device${index}`), deviceBytes);
    }
    const create = { deviceBytes, extentBytes, journalBytes };
    const process = this.#options.kind.start({ devices: [...this.#devices.keys()], create });
    const start = await process.started;
    if (start.kind !== "ready") throw this.#failure(process, JSON.stringify(start));
    for (const name of PRIMARIES) {
      const state = new VolumeState(FULL_SECTORS, new Uint32Array(this.#windows.slots));
      const uuid = randomUUID();
      const sizeBytes = FULL_SECTORS * SECTOR_BYTES;
      await process.request({ kind: "create", name, uuid, sizeBytes });
      this.#number += 1;
      const tag = this.#number;
      this.#fleet.add(new VolumeModel({ name, uuid, tag, isReadOnly: false, state }));
    }
    await process.kill();
  }

  async #live(kind: LifeKind): Promise<void> {
    const process = this.#options.kind.start({ devices: [...this.#devices.keys()], create: null });
    try {
      if (kind === "in-recovery") {
        await sleep(this.#random.between(1, 300));
        this.report.recoveriesKilled += 1;
        return;
      }
      const start = await process.started;
      if (start.kind !== "ready") throw this.#failure(process, JSON.stringify(start));
      const sessions = await this.#logIn(start.port);
      this.#resolveExistence(start.volumes);
      await this.#verify(sessions);
      await this.#check(process);
      this.#stopWhereWrong(process);
      await this.#useUntilKilled(process, sessions, kind);
    } finally {
      if (!process.isKilled && kind !== "closed") {
        await process.kill();
        this.report.kills += 1;
      } else {
        await process.kill();
      }
    }
    this.#stopWhereWrong(process);
  }

  #logIn(port: number): Promise<InitiatorSession[]> {
    const logins = Array.from({ length: INITIATORS }, (_, index) =>
      connect({
        address: "127.0.0.1",
        port,
        initiatorName: `iqn.2026-11.net.example:initiator${index}`,
        targetName: TARGET_NAME,
      }),
    );
    return Promise.all(logins);
  }

  /** Whether the right volumes are there. */
  #resolveExistence(volumes: readonly ServedVolume[]): void {
    const groups = new Map<number, { there: string[]; missing: string[] }>();
    for (const model of this.#fleet.all()) {
      const served = volumes.find(({ name }) => name === model.name);
      if (model.group !== 0) {
        const group = groups.get(model.group) ?? { there: [], missing: [] };
        groups.set(model.group, group);
        (served === undefined ? group.missing : group.there).push(model.name);
      }
      if (served !== undefined) {
        model.lun = served.lun;
        if (model.alternative === "absent") model.alternative = null;
        if (served.readOnly !== model.isReadOnly) {
          this.#complain(`volume ${model.name}: readOnly is ${served.readOnly}`);
        }
      } else {
        if (model.alternative !== "absent") this.#complain(`volume ${model.name} is missing`);
        this.#fleet.remove(model);
      }
      model.group = 0;
      model.isRetired = false;
    }
    for (const { there, missing } of groups.values()) {
      if (there.length === 0 || missing.length === 0) continue;
      this.#complain(
        `of a group snapshot, ${there.join(" ")} are there, and not ${missing.join(" ")}`,
      );
    }
    for (const { name } of volumes) {
      if (this.#fleet.find(name) === undefined) this.#complain(`there is a volume ${name}`);
    }
  }

  async #verify(sessions: readonly InitiatorSession[]): Promise<void> {
    const models = this.#fleet.all();
    const intervals = new Set<Interval>();
    const work = async (session: InitiatorSession): Promise<void> => {
      for (let model = models.pop(); model !== undefined; model = models.pop()) {
        const content = await readContent(session, model.lun, this.#windows);
        this.#compare(model, content);
        if (model.origin !== null) {
          narrow(model.origin.interval, model.origin.recording, content.serials, model.name);
          intervals.add(model.origin.interval);
        }
        model.origin = null;
        model.isUnread = false;
        model.isInOperation = false;
        model.slotsInUse = this.#windows.slots;
        this.report.sectorsVerified += this.#windows.slots;
      }
    };
    await Promise.all(sessions.map(work));
    for (const interval of intervals) {
      const complaint = interval.complaint();
      if (complaint !== null) this.#complain(complaint);
    }
  }

  #compare(model: VolumeModel, content: Parameters<typeof settledState>[0]): void {
    const { alternative } = model;
    const complaint = complaintOf(model, model.state, content, this.#windows);
    const second =
      alternative instanceof VolumeState
        ? complaintOf(model, alternative, content, this.#windows)
        : complaint;
    if (complaint !== null && second !== null) {
      this.#complain(complaint);
      if (second !== complaint) this.#complain(`and as after the operation: ${second}`);
    }
    model.state = settledState(content);
    model.alternative = null;
  }

  async #check(process: Killable): Promise<void> {
    if (!this.#random.chance(0.3)) return;
    const outcome = await process.request({ kind: "check" });
    for (const problem of outcome?.problems ?? ["the check did not end"]) {
      this.#complain(`check: ${problem}`);
    }
  }

  async #useUntilKilled(
    process: Killable,
    sessions: readonly InitiatorSession[],
    kind: LifeKind,
  ): Promise<void> {
    const context = this.#loadContext();
    const loads = sessions.map(
      (session, index) => new Load(context, session, () => this.#volumeOf(index)),
    );
    const loadsEnded = Promise.all(loads.map((load) => load.run()));
    const operator = new Operator(this.#operatorContext(), process, loadsEnded);
    const hasOperations = this.#options.kind.hasOperations && this.#random.chance(0.75);
    const operations = hasOperations ? operator.run() : Promise.resolve();
    if (kind === "second-process") await this.#startSecond();
    if (kind === "stopped") await this.#stopForAWhile(process);
    if (hasOperations && this.#random.chance(0.5)) await this.#untilBegun(operator);
    else await sleep(this.#random.between(1, 200));
    if (kind === "closed") {
      operator.stop();
      await operations;
      for (const load of loads) load.stop();
      await loadsEnded;
      await process.request({ kind: "close" });
      await process.ended();
      this.report.cleanEnds += 1;
    } else {
      await process.kill();
      this.report.kills += 1;
    }
    for (const session of sessions) session.destroy();
    await loadsEnded;
    await operations;
  }

  /** A slow machine gets no further than to one operation in the usual time: here it may do several, and is killed in the last one. */
  async #untilBegun(operator: Operator): Promise<void> {
    const wanted = this.#random.between(1, 6);
    for (let waitedMs = 0; waitedMs < BEGUN_MS_MAX && operator.begun < wanted; waitedMs += 1) {
      await sleep(1);
    }
    await sleep(this.#random.below(8));
  }

  /** The third initiator works on a copy where there is one. */
  #volumeOf(initiator: number): VolumeModel | undefined {
    if (initiator === INITIATORS - 1) {
      for (const model of this.#fleet.all()) {
        const { name, isReadOnly, isUnread, isRetired } = model;
        if (!PRIMARIES.includes(name) && !isReadOnly && !isUnread && !isRetired) return model;
      }
    }
    return this.#fleet.find(PRIMARIES[initiator] ?? "");
  }

  async #startSecond(): Promise<void> {
    if (!this.#options.kind.hasOperations) return;
    const second = this.#options.kind.start({ devices: [...this.#devices.keys()], create: null });
    const start = await second.started;
    await second.kill();
    if (start.kind === "refused" && start.problem === "busy") {
      this.report.secondProcessesRefused += 1;
    } else this.#complain(`a second process was not refused as busy: ${JSON.stringify(start)}`);
  }

  /** It may be killed before it goes on. */
  async #stopForAWhile(process: Killable): Promise<void> {
    process.signal("SIGSTOP");
    this.report.stops += 1;
    await sleep(this.#random.between(100, 2500));
    if (this.#random.chance(0.5)) await this.#startSecond();
    if (this.#random.chance(0.7)) process.signal("SIGCONT");
  }

  #loadContext(): LoadContext {
    return {
      random: this.#random,
      windows: this.#windows,
      extentSectors: this.#options.extentBytes / SECTOR_BYTES,
      tick: () => (this.#time += 1),
      nextSerial: () => (this.#serial += 1),
      complain: (complaint) => this.#complain(complaint),
      counts: this.report.load,
    };
  }

  #operatorContext(): OperatorContext {
    const { operations } = this.report;
    return {
      random: this.#random,
      windows: this.#windows,
      fleet: this.#fleet,
      devices: this.#devices,
      unjoined: this.#unjoined,
      primaries: PRIMARIES,
      nextNumber: () => (this.#number += 1),
      complain: (complaint) => this.#complain(complaint),
      count: (operation, isDone) => {
        const count = operations.get(operation) ?? { done: 0, cut: 0 };
        count[isDone ? "done" : "cut"] += 1;
        operations.set(operation, count);
      },
    };
  }

  #complain(complaint: string): void {
    this.#complaints.push(complaint);
  }

  #stopWhereWrong(process: Killable): void {
    if (process.hasDefect) this.#complain("the program ended by a defect of its own");
    if (process.hasFallenBack) this.#complain("the newest checkpoint is refused");
    if (this.#complaints.length > 0) throw this.#failure(process, this.#complaints.join("\n"));
  }

  #failure(process: Killable, what: string): Error {
    const { seed } = this.#options;
    const log = process.log.slice(-20).join("\n");
    return new Error(`seed ${seed}, after ${this.report.kills} kills: ${what}\n${log}`);
  }
}

/** The report in a few lines. */
export function describeReport(report: RunReport): string {
  const { load } = report;
  const operations = [...report.operations].map(
    ([name, { done, cut }]) => `${name} ${done} (${cut} cut off)`,
  );
  return (
    `${report.kills} kills (${report.recoveriesKilled} of them in a start), ${report.cleanEnds} clean ends, ` +
    `${report.stops} stops, ${report.secondProcessesRefused} second processes refused; ` +
    `${load.writes} writes, ${load.unmaps} unmaps, ${load.flushes} flushes, ${load.reads} reads, ${load.spacePending} times no space yet; ` +
    `${report.sectorsVerified} sectors verified; operations: ${operations.join(", ")}`
  );
}
