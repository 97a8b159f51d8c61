import { isFault } from "../../src/thin/format/fault.ts";
import { readSuperblockCopies } from "../../src/thin/format/superblock-io.ts";
import type { ThinVolume } from "../../src/thin/io/thin-volume.ts";
import { PoolError } from "../../src/thin/pool-error.ts";
import type { Pool } from "../../src/thin/pool/pool.ts";
import { IoError } from "../../src/util/io-error.ts";
import { readBytes } from "../../src/util/io-request.ts";
import { trapDefects } from "./defects.ts";
import type { Driver } from "./driver.ts";
import { firstVolumes, newMachine, POOL_UUID } from "./driver.ts";
import type { FaultKind } from "./faults.ts";
import { isBorne, isLie } from "./faults.ts";
import type { CrashKind, CrashPlan, History, Round } from "./history.ts";
import { flipBits } from "./lies.ts";
import type { Machine } from "./machine.ts";
import { asViolation } from "./machine.ts";
import { PAGE_BYTES, SECTOR_BYTES } from "./media.ts";
import type { Ending } from "./oracle.ts";
import { Oracle } from "./oracle.ts";
import { Clients } from "./requests.ts";
import type { SimDisk } from "./sim-disk.ts";
import type { Tag } from "./tags.ts";
import { readTags } from "./tags.ts";
import { Violation } from "./violation.ts";

const READ_BYTES = 128 * 1024;
const LIVE_CHECK_CHANCE = 0.5;
/** After every so many crashes of a pool with several devices one of them is not what it was. */
const INCOMPLETE_EVERY = 4;

const FENCED_IDLE_MS = 100;

const KILL: CrashPlan = { after: 1, kind: "kill", again: [] };

/** What became of one history, or of many. */
export interface Outcome {
  histories: number;
  operations: number;
  crashes: Record<CrashKind, number>;
  recoveries: number;
  recoveriesCrashed: number;
  sectorsVerified: number;
  faults: Map<FaultKind, number>;
  /** Lies of a device that the engine noticed, by an error. */
  detected: number;
  /** Openings without one of the devices, or with one that had shrunk: all refused. */
  refusals: number;
  /** Moments of the devices, round by round. */
  moments: number[];
  violation: string | undefined;
}

export function newOutcome(): Outcome {
  return {
    histories: 0,
    operations: 0,
    crashes: { kill: 0, power: 0, reboot: 0 },
    recoveries: 0,
    recoveriesCrashed: 0,
    sectorsVerified: 0,
    faults: new Map(),
    detected: 0,
    refusals: 0,
    moments: [],
    violation: undefined,
  };
}

export function addOutcome(total: Outcome, more: Outcome): void {
  total.histories += more.histories;
  total.operations += more.operations;
  for (const kind of ["kill", "power", "reboot"] as const)
    total.crashes[kind] += more.crashes[kind];
  total.recoveries += more.recoveries;
  total.recoveriesCrashed += more.recoveriesCrashed;
  total.sectorsVerified += more.sectorsVerified;
  for (const [kind, count] of more.faults) {
    total.faults.set(kind, (total.faults.get(kind) ?? 0) + count);
  }
  total.detected += more.detected;
  total.refusals += more.refusals;
}

/** Lives through one history on fresh disks. */
export async function runHistory(history: History, driver: Driver): Promise<Outcome> {
  const media = await driver.media(history.profile);
  const machine = newMachine(media, history.seed, history.profile);
  const walk = new Walk(history, machine, driver);
  const release = trapDefects((error) => (walk.machine.defect ??= error));
  try {
    await walk.run();
  } catch (error) {
    walk.outcome.violation = asViolation(error).message;
  } finally {
    walk.machine.life.isDead = true;
    release();
  }
  walk.outcome.histories = 1;
  walk.outcome.sectorsVerified = walk.oracle.sectorsVerified;
  walk.outcome.faults = walk.machine.faults.injected;
  return walk.outcome;
}

/** The pool could not be opened after a device had lied: it said so, and that is all that is asked of it. */
class Detected extends Error {}

class Walk {
  readonly outcome: Outcome = newOutcome();
  readonly machine: Machine;
  readonly oracle: Oracle = new Oracle();
  readonly #history: History;
  readonly #driver: Driver;
  readonly #numbers: { lastVolume: number; lastSerial: number };
  #clients: Clients | undefined;
  #hasFaults = false;
  #pool: Pool | undefined;

  constructor(history: History, machine: Machine, driver: Driver) {
    this.#history = history;
    this.#driver = driver;
    this.machine = machine;
    const first = firstVolumes(history.profile);
    this.#numbers = { lastVolume: Math.max(...first.map(({ volume }) => volume)), lastSerial: 0 };
    for (const { volume, sizeBytes } of first) {
      const sectors = sizeBytes / SECTOR_BYTES;
      const label = { name: `v${volume}`, reservedBytes: 0, quotaBytes: 0 };
      this.oracle.acknowledgeManagement({ kind: "create", volume, sectors, label });
    }
  }

  async run(): Promise<void> {
    try {
      this.machine.reseed(this.#history.seed);
      await this.#open();
      for (const round of this.#history.rounds) await this.#runRound(round);
      await this.#finish();
    } catch (error) {
      if (!(error instanceof Detected)) throw error;
      this.outcome.detected += 1;
    }
  }

  async #runRound(round: Round): Promise<void> {
    const { machine } = this;
    machine.reseed(round.seed);
    machine.setFaults(round.faults);
    machine.pagesMs = round.pagesMs;
    if (!round.faults.every(({ kind }) => isBorne(kind))) this.#hasFaults = true;
    const clients = this.#clients!;
    if (round.faults.some(({ kind }) => isLie(kind))) this.oracle.isLenient = true;
    const isBorneAll = round.faults.every(({ kind }) => isBorne(kind));
    clients.isExcused = this.oracle.isLenient || !isBorneAll;
    machine.crashAfter(round.crash?.after ?? Number.POSITIVE_INFINITY);
    await this.#runOperations(round, clients);
    this.outcome.moments.push(machine.moments);
    this.outcome.operations += clients.operations;
    clients.operations = 0;
    machine.setFaults([]);
    machine.pagesMs = 0;
    machine.crashAfter(Number.POSITIVE_INFINITY);
    flipBits(machine, round.faults);
    const { isFenced } = machine;
    if (isFenced && isBorneAll && machine.marks.size > 0) {
      throw new Violation("a pool that was fenced is marked as failed");
    }
    if (clients.isFailed && isBorneAll && !isFenced) {
      throw new Violation("the pool has stopped for what it has to bear");
    }
    // It may be opened again in the same boot: as after a kill, for its writes are in the devices' caches.
    if (isFenced && isBorneAll) return this.#crash(round.crash ?? KILL);
    if (clients.isFailed) await this.#refuseReopening();
    if (clients.isFailed) await this.#crash({ after: 0, kind: "power", again: [] });
    else if (round.crash !== undefined) await this.#crash(round.crash);
    else if (round.isClosed) await this.#close();
    else if (machine.random.chance(LIVE_CHECK_CHANCE)) await this.#check("live");
  }

  async #runOperations(round: Round, clients: Clients): Promise<void> {
    const { machine } = this;
    let left = round.operations.length;
    for (const operation of round.operations) {
      const start = (): void => {
        clients.run(operation).then(
          () => (left -= 1),
          (error: unknown) => (machine.defect ??= error),
        );
      };
      if (operation.delayMs === 0) start();
      else machine.scheduler.schedule(machine.life, operation.delayMs, start);
    }
    await machine.runUntil(() => left === 0);
    // What it has begun goes on, and comes to its end.
    if (machine.isFenced && !machine.life.isDead) await machine.idle(FENCED_IDLE_MS);
    if (round.idleMs > 0 && !machine.life.isDead) await machine.idle(round.idleMs);
  }

  /** The crash, then recoveries until one is not crashed itself, then the check of what it found. */
  async #crash(plan: CrashPlan): Promise<void> {
    const { machine } = this;
    let ending: Ending = this.#lose(plan.kind);
    for (const next of plan.again) {
      machine.crashAfter(next.after);
      const opened = await this.#tryOpen();
      if (opened !== "dead") machine.life.isDead = true;
      this.outcome.recoveriesCrashed += 1;
      if (this.#lose(next.kind) === "power") ending = "power";
    }
    machine.crashAfter(Number.POSITIVE_INFINITY);
    const isComplete = plan.after % INCOMPLETE_EVERY > 0;
    if (!isComplete && !this.oracle.isLenient) await this.#refuseIncomplete();
    if (this.#history.profile.fullDisks && machine.random.chance(0.5)) {
      if ((await this.#openFull()) === "power") ending = "power";
    }
    await this.#open();
    this.outcome.recoveries += 1;
    await this.#check(ending);
  }

  #lose(kind: CrashKind): "kill" | "power" {
    this.outcome.crashes[kind] += 1;
    this.machine.crash(kind);
    this.#driver.crashed?.(this.machine, kind);
    return kind === "kill" ? "kill" : "power";
  }

  /** A pool that has failed is not opened again in the same boot (rule F). */
  async #refuseReopening(): Promise<void> {
    const { machine } = this;
    if (!machine.marks.has(POOL_UUID)) throw new Violation("a pool has failed and left no mark");
    machine.crash("kill");
    try {
      await machine.run(this.#driver.open(machine, this.#history.profile));
    } catch (error) {
      if (error instanceof PoolError && error.kind === "failed") return;
      throw error;
    }
    throw new Violation("a pool that has failed is opened again in the same boot");
  }

  /** Without one of its devices, or with one that has shrunk, a pool is refused by that device's UUID, and left as it is. */
  async #refuseIncomplete(): Promise<void> {
    const { machine } = this;
    const { devices, deviceBytes } = this.#history.profile;
    if (devices < 2) return;
    const index = machine.random.below(devices);
    const disk = machine.disks[index]!;
    const uuid = await this.#uuidOn(disk);
    if (machine.random.chance(0.5)) machine.disks.splice(index, 1);
    else disk.capacityBytes = deviceBytes - PAGE_BYTES * (1 + machine.random.below(1000));
    const writes = writesTo(machine);
    const refusal = await this.#refusal();
    if (refusal === undefined || !refusal.message.includes(uuid)) {
      const answer = refusal === undefined ? "opened" : `refused: ${refusal.message}`;
      throw new Violation(`the pool without a whole device ${index} (${uuid}) is ${answer}`);
    }
    if (writesTo(machine) !== writes) throw new Violation("a pool that is refused was written to");
    this.outcome.refusals += 1;
    machine.crash("kill");
  }

  /** Where there is no room for what an opening has to write, it says so, and nothing is lost by that. */
  async #openFull(): Promise<"kill" | "power"> {
    const { machine } = this;
    const device = machine.random.below(this.#history.profile.devices);
    machine.setFaults([{ kind: "noSpace", device, after: 0, count: Number.POSITIVE_INFINITY }]);
    const refusal = await this.#refusal();
    if (refusal !== undefined && refusal.kind !== "space") {
      throw new Violation(`a pool on a full disk is refused: ${refusal.kind}: ${refusal.message}`);
    }
    if (machine.marks.has(POOL_UUID)) throw new Violation("a full disk has marked the pool");
    machine.setFaults([]);
    return this.#lose(machine.random.pick(["kill", "reboot", "power"]));
  }

  async #refusal(): Promise<PoolError | undefined> {
    try {
      await this.machine.run(this.#driver.open(this.machine, this.#history.profile));
      return undefined;
    } catch (error) {
      if (error instanceof PoolError) return error;
      throw error;
    }
  }

  async #uuidOn(disk: SimDisk): Promise<string> {
    const copies = await this.machine.run(readSuperblockCopies(disk));
    if (copies === "dead") throw new Violation("nothing was to kill it");
    const labels = copies.value.flatMap(({ superblock }) =>
      isFault(superblock) ? [] : [superblock],
    );
    const newest = labels.toSorted((a, b) => b.generation - a.generation)[0];
    if (newest === undefined) throw new Violation(`${disk.name} has lost its label`);
    return newest.deviceUuid;
  }

  async #close(): Promise<void> {
    const { machine } = this;
    await machine.run(this.#pool!.close());
    this.#lose(machine.random.pick(["kill", "power", "reboot"]));
    await this.#open();
    // All is on the media: even a power loss takes nothing away.
    await this.#check("kill");
  }

  async #open(): Promise<void> {
    const opened = await this.#tryOpen();
    if (opened === "dead") throw new Violation("nothing was to kill the recovery");
    this.#pool = opened;
    const { machine, oracle } = this;
    this.#clients = new Clients(machine, oracle, opened, this.#history.profile, this.#numbers);
  }

  async #tryOpen(): Promise<Pool | "dead"> {
    try {
      const opened = await this.machine.run(this.#driver.open(this.machine, this.#history.profile));
      if (opened === "dead") return "dead";
      // Another one of the same kind, and there would be no way back.
      if (this.machine.hasFallenBack && !this.#hasFaults) {
        throw new Violation("the newest checkpoint is refused, though no device has failed");
      }
      return opened.value;
    } catch (error) {
      if (!(error instanceof PoolError) && !(error instanceof IoError)) throw error;
      if (this.oracle.isLenient) throw new Detected();
      throw new Violation(`the pool does not open: ${error.name} ${error.kind}: ${error.message}`);
    }
  }

  /** Reads everything, and the pool's own check. */
  async #check(ending: Ending): Promise<void> {
    const found = new Map<number, (Tag | null)[]>();
    for (const [number, volume] of this.#clients!.found()) {
      found.set(number, await this.#readAll(volume));
    }
    this.oracle.checkLabels(this.#clients!.labels(), ending);
    this.oracle.check(found, ending);
    const complaints = await this.machine.run(this.#pool!.check());
    if (complaints === "dead" || this.oracle.isLenient || complaints.value.length === 0) return;
    throw new Violation(`the pool's own check says: ${complaints.value.join("; ")}`);
  }

  async #readAll(volume: ThinVolume): Promise<(Tag | null)[]> {
    const tags: (Tag | null)[] = [];
    const { capacityBytes } = volume;
    for (let at = 0; at < capacityBytes; at += READ_BYTES) {
      const lengthBytes = Math.min(READ_BYTES, capacityBytes - at);
      const bytes = Buffer.allocUnsafeSlow(lengthBytes);
      if (volume.tryRead(bytes, 0, lengthBytes, at)) {
        tags.push(...readTags(bytes));
        continue;
      }
      try {
        const end = await this.machine.run(readBytes(volume, at, lengthBytes));
        if (end !== "dead") tags.push(...readTags(end.value));
      } catch (error) {
        if (!this.oracle.isLenient || !(error instanceof IoError)) throw error;
        this.outcome.detected += 1;
        for (let done = 0; done < lengthBytes; done += SECTOR_BYTES) tags.push(null);
      }
    }
    return tags;
  }

  /** The last check: everything is there, and when everything is deleted, all space comes back. */
  async #finish(): Promise<void> {
    const { machine } = this;
    machine.reseed(this.#history.seed);
    await this.#check("live");
    if (this.oracle.isLenient) return;
    const pool = this.#pool!;
    for (const volume of pool.volumes()) await machine.run(pool.delete(volume));
    await machine.idle(5_000);
    for (let turn = 0; turn < 3; turn += 1) await machine.run(pool.checkpoint());
    await machine.idle(5_000);
    const { dataBytes, quarantinedBytes, reservedBytes } = pool.usage();
    if (dataBytes + quarantinedBytes + reservedBytes > 0) {
      throw new Violation(
        `nothing is left, and ${dataBytes} bytes hold data, ${quarantinedBytes} are in quarantine, ${reservedBytes} reserved`,
      );
    }
    await machine.run(pool.close());
  }
}

function writesTo({ media }: Machine): number {
  return media.reduce((sum, { serial }) => sum + serial, 0);
}
