import { randomUUID } from "node:crypto";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createImageFile } from "../../../src/device/image-file.ts";
import type { SeededRandom } from "../../../src/util/random.ts";
import type { ProgramOperation } from "../program/protocol.ts";
import type { Fleet } from "./fleet.ts";
import { copyAllowedBy, Interval } from "./instant.ts";
import type { Killable, Outcome } from "./killable.ts";
import { VolumeModel } from "./volume-model.ts";
import { VolumeState } from "./volume-state.ts";
import { FULL_SECTORS, type Windows } from "./windows.ts";

const SECTOR_BYTES = 512;
const MIB = 1024 * 1024;
const VOLUMES_MAX = 9;
const DEVICES_MAX = 4;
const ADDED_BYTES = 72 * MIB;
const DEVICE_BYTES_MAX = 256 * MIB;

/** A pool may say that it has no room: then nothing has changed. */
const REFUSALS = /\b(full|space|has not grown|one of the pool's devices already)\b/;

/** What an operator of a pool knows. */
export interface OperatorContext {
  readonly random: SeededRandom;
  readonly windows: Windows;
  readonly fleet: Fleet;
  /** Paths and sizes in bytes, in the order in which they were added. */
  readonly devices: Map<string, number>;
  /** Those of them of which nobody knows whether the pool has them: a kill cut off their adding. */
  readonly unjoined: Set<string>;
  /** Volumes that are always there. */
  readonly primaries: readonly string[];
  nextNumber(): number;
  complain(complaint: string): void;
  /** How often each operation was acknowledged, and how often it was cut off by a kill. */
  count(operation: string, isDone: boolean): void;
}

/** Snapshots, rolls back, deletes, resizes and so on, one after another, until the process is gone. */
export class Operator {
  readonly #context: OperatorContext;
  readonly #process: Killable;
  /** Resolves when no initiator's command is on its way any more. */
  readonly #loadsEnded: Promise<unknown>;
  #isStopped = false;
  /** Operations that were begun. */
  begun = 0;

  constructor(context: OperatorContext, process: Killable, loadsEnded: Promise<unknown>) {
    this.#context = context;
    this.#process = process;
    this.#loadsEnded = loadsEnded;
  }

  stop(): void {
    this.#isStopped = true;
  }

  async run(): Promise<void> {
    const { random } = this.#context;
    while (!this.#isStopped && !this.#process.isKilled) {
      await sleep(random.below(12));
      if (this.#isOver) return;
      const kind = random.below(100);
      if (kind < 35) await this.#snapshot();
      else if (kind < 50) await this.#rollback();
      else if (kind < 70) await this.#delete();
      else if (kind < 85) await this.#resize();
      else if (kind < 93) await this.#plain({ kind: "checkpoint" });
      else if (kind < 96) await this.#create();
      else if (kind < 98) await this.#addDevice();
      else await this.#growDevice();
    }
  }

  get #isOver(): boolean {
    return this.#isStopped || this.#process.isKilled;
  }

  /** Null: the process died in the middle, and nothing is on its way to the volumes any more. */
  async #ask(operation: ProgramOperation): Promise<"done" | "refused" | null> {
    this.begun += 1;
    const outcome = await this.#process.request(operation);
    this.#context.count(operation.kind, outcome !== null);
    if (outcome === null) {
      await this.#loadsEnded;
      return null;
    }
    this.#learn(outcome);
    if (outcome.problems.length === 0) return "done";
    const what = outcome.problems.join("; ");
    if (!REFUSALS.test(what)) {
      this.#context.complain(`${JSON.stringify(operation)} was refused: ${what}`);
    }
    return "refused";
  }

  #learn({ volumes }: Outcome): void {
    for (const { name, lun } of volumes) {
      const model = this.#context.fleet.find(name);
      if (model !== undefined) model.lun = lun;
    }
  }

  async #plain(operation: ProgramOperation): Promise<void> {
    await this.#ask(operation);
  }

  /** One volume, or several at one instant. */
  async #snapshot(): Promise<void> {
    const { random, fleet } = this.#context;
    if (fleet.size >= VOLUMES_MAX) return this.#delete();
    const usable = fleet.all().filter(({ isUnread, isRetired }) => !isUnread && !isRetired);
    const group = random.chance(0.4) ? usable.slice(0, 3) : [random.pick(usable)];
    const sources = group.map((source) => {
      const name = `copy${this.#context.nextNumber()}`;
      const isReadOnly = random.chance(0.6);
      return { source, name, uuid: randomUUID(), isReadOnly, recording: source.startRecording() };
    });
    const copies = sources.map(({ source, name, uuid, isReadOnly }) => ({
      source: source.name,
      name,
      uuid,
      readOnly: isReadOnly,
    }));
    const answer = this.#ask({ kind: "snapshot", copies });
    const done = await answer;
    const interval = new Interval();
    const groupNumber = this.#context.nextNumber();
    for (const { source, name, uuid, isReadOnly, recording } of sources) {
      source.stopRecording(recording);
      if (done === "refused") continue;
      const tag = this.#context.nextNumber();
      const state = copyAllowedBy(recording);
      const model = new VolumeModel({ name, uuid, tag, isReadOnly, state });
      model.origin = { recording, interval };
      model.isUnread = true;
      if (done === null) {
        model.alternative = "absent";
        model.group = groupNumber;
      }
      fleet.add(model);
    }
    if (done === "done") await this.#learnLuns();
  }

  /** The answer to a snapshot came before its volumes were known here. */
  async #learnLuns(): Promise<void> {
    if (this.#isOver) return;
    const outcome = await this.#process.request({ kind: "checkpoint" });
    if (outcome !== null) this.#learn(outcome);
  }

  async #rollback(): Promise<void> {
    const { fleet, windows } = this.#context;
    const source = fleet.pick((model) => model.isReadOnly && !model.isUnread && !model.isRetired);
    const target = fleet.pick((model) => !model.isReadOnly && !model.isUnread && !model.isRetired);
    if (source === undefined || target === undefined) return;
    if (!(await this.#leaveEnd(target))) return;
    const recording = target.startRecording(source.state);
    target.isInOperation = true;
    const done = await this.#ask({ kind: "rollback", name: target.name, source: source.name });
    target.stopRecording(recording);
    target.isInOperation = false;
    if (done === "done") target.replaceBy(recording);
    else if (done === null) target.alternative = copyAllowedBy(recording);
    target.slotsInUse = windows.slots;
  }

  async #delete(): Promise<void> {
    const { fleet, primaries } = this.#context;
    const model = fleet.pick(({ name, isRetired }) => !primaries.includes(name) && !isRetired);
    if (model === undefined) return;
    model.isRetired = true;
    // Its LUN goes away, and with it, unanswered, whatever is on its way there: also a flush.
    if (!(await this.#until(() => model.commands === 0))) return;
    const done = await this.#ask({ kind: "delete", name: model.name });
    if (done === "done") fleet.remove(model);
    else if (done === null) model.alternative = "absent";
  }

  async #resize(): Promise<void> {
    const { fleet, random, windows } = this.#context;
    const model = fleet.pick(({ isReadOnly, isRetired }) => !isReadOnly && !isRetired);
    if (model === undefined || model.isUnread) return;
    const { last } = windows;
    const isWhole = random.chance(0.4);
    const within = isWhole ? last.sectors : random.between(1, last.sectors - 1);
    const capacity = isWhole ? FULL_SECTORS : last.lba + within;
    if (!(await this.#leaveEnd(model))) return;
    model.isInOperation = true;
    const sizeBytes = capacity * SECTOR_BYTES;
    const done = await this.#ask({ kind: "resize", name: model.name, sizeBytes });
    model.isInOperation = false;
    const resized = model.resized(capacity, last.first + within);
    if (done === "done") model.state = resized;
    else if (done === null) model.alternative = resized;
    model.slotsInUse = windows.slots;
  }

  /** Waits until nobody writes where a volume may be cut. */
  #leaveEnd(model: VolumeModel): Promise<boolean> {
    const { last } = this.#context.windows;
    model.slotsInUse = last.first;
    return this.#until(() => !model.isBusy(last.first, last.sectors));
  }

  async #until(holds: () => boolean): Promise<boolean> {
    while (!holds()) {
      if (this.#isOver) return false;
      await sleep(1);
    }
    return !this.#isOver;
  }

  async #create(): Promise<void> {
    const { fleet, windows } = this.#context;
    if (fleet.size >= VOLUMES_MAX) return;
    const name = `new${this.#context.nextNumber()}`;
    const uuid = randomUUID();
    const sizeBytes = FULL_SECTORS * SECTOR_BYTES;
    const done = await this.#ask({ kind: "create", name, uuid, sizeBytes });
    if (done === "refused") return;
    const model = new VolumeModel({
      name,
      uuid,
      tag: this.#context.nextNumber(),
      isReadOnly: false,
      state: new VolumeState(FULL_SECTORS, new Uint32Array(windows.slots)),
    });
    model.isUnread = true;
    if (done === null) model.alternative = "absent";
    fleet.add(model);
  }

  async #addDevice(): Promise<void> {
    const { devices, unjoined } = this.#context;
    const [first = ""] = devices.keys();
    let [path] = unjoined;
    if (path === undefined) {
      if (devices.size >= DEVICES_MAX) return;
      path = join(dirname(first), `device${devices.size}`);
      await createImageFile(path, ADDED_BYTES);
      devices.set(path, ADDED_BYTES);
      unjoined.add(path);
    }
    const done = await this.#ask({ kind: "add-device", path, uuid: randomUUID() });
    if (done !== null) unjoined.delete(path);
  }

  async #growDevice(): Promise<void> {
    const { devices, unjoined, random } = this.#context;
    const path = random.pick([...devices.keys()].filter((each) => !unjoined.has(each)));
    const sizeBytes = (devices.get(path) ?? 0) + 4 * MIB * random.between(1, 3);
    if (sizeBytes > DEVICE_BYTES_MAX) return;
    devices.set(path, sizeBytes);
    await this.#ask({ kind: "grow-device", path, sizeBytes });
  }
}
