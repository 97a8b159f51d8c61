import { assert } from "../util/assert.ts";
import { getUint8 } from "../util/bytes.ts";
import { checkCdb, runTask } from "./dispatch.ts";
import { findCommand } from "./command-table.ts";
import { handlerWithoutUnit } from "./commands/without-unit.ts";
import type { DepartedInitiator, DepartedInitiators } from "./departed-initiators.ts";
import { LUN_MAX } from "./limits.ts";
import type { LogicalUnit } from "./logical-unit.ts";
import { REPORT_LUNS_WELL_KNOWN_LUN } from "./lun.ts";
import { initiatorOf, Nexus } from "./nexus.ts";
import { operationClassOf } from "./operation-class.ts";
import { Sense } from "./sense.ts";
import { Status } from "./status.ts";
import { TargetStatistics } from "./target-statistics.ts";
import { TaskAttribute, type Task } from "./task.ts";
import {
  manageTasks,
  TaskManagementFunction,
  type TaskManagementRequest,
  type TaskManagementResponse,
} from "./task-management.ts";

/** The initiator port and the target port of a new nexus. */
export interface NexusPorts {
  /** SCSI name of the initiator port, for iSCSI "iqn....,i,0x<isid>". */
  readonly initiatorPort: string;
  /** Relative target port identifier, 1 to 65535; for iSCSI the target portal group tag. */
  readonly relativePortId: number;
}

const RELATIVE_PORT_ID_MAX = 0xffff;

/** The SCSI name of an iSCSI target port (RFC 7143 4.4.2): "iqn....,t,0x" and the portal group tag. */
function targetPortName(deviceName: string, relativePortId: number): string {
  return `${deviceName},t,0x${relativePortId.toString(16).padStart(4, "0")}`;
}

/**
 * What a unit is to initiators that have read it: where this is another one, they would write what they know of one disk to the other.
 */
export function diskName(volumeUuid: string, blockBytes: number): string {
  return `${volumeUuid} ${blockBytes}`;
}

/** Tells an initiator of a unit, and what it is to look at again where it knows another disk under the number (SPC-4 6.6, 6.33). */
function meet(nexus: Nexus, lun: number, unit: LogicalUnit): void {
  const disk = diskName(unit.volume.uuid, unit.blockBytes);
  nexus.raise(unit, Sense.powerOnResetOrBusDeviceResetOccurred);
  const known = nexus.met.get(lun) ?? disk;
  nexus.met.set(lun, disk);
  if (known === disk) return;
  nexus.raise(unit, Sense.reportedLunsDataHasChanged);
  nexus.raise(unit, Sense.inquiryDataHasChanged);
}

/** Finds the counters of the task's logical unit and nexus, and counts that it came. */
function count(task: Task): void {
  const { expectedInBytes, expectedOutBytes } = task;
  assert(task.nexus !== null, "a command comes over a nexus");
  task.operation = operationClassOf(getUint8(task.cdb, 0), expectedInBytes, expectedOutBytes);
  task.statistics = task.nexus.statistics.of(task.lun);
  task.statistics.submit(task.operation, expectedInBytes + expectedOutBytes);
}

/**
 * A SCSI target device: the logical units that initiators find under one iSCSI name, and the nexuses over which they
 * come. Commands enter through `dispatch`.
 */
export class TargetDevice {
  /** The iSCSI name. */
  readonly name: string;
  readonly statistics: TargetStatistics = new TargetStatistics();
  readonly #units: Map<number, LogicalUnit> = new Map();
  readonly #nexuses: Set<Nexus> = new Set();
  /** Units that were taken away and still have I/O of tasks that came through this target, once for each time. */
  readonly #leaving: LogicalUnit[] = [];
  readonly #departed: DepartedInitiators | null;

  /** @param departed of this name; null: nobody is remembered whose session has ended */
  constructor(name: string, departed: DepartedInitiators | null = null) {
    this.name = name;
    this.#departed = departed;
  }

  /** The logical units by LUN. */
  get units(): ReadonlyMap<number, LogicalUnit> {
    return this.#units;
  }

  get nexuses(): ReadonlySet<Nexus> {
    return this.#nexuses;
  }

  /** Makes the unit reachable under a free LUN; initiators that are here learn it from a unit attention. */
  attach(lun: number, unit: LogicalUnit): void {
    assert(Number.isInteger(lun) && lun >= 0 && lun <= LUN_MAX, "a LUN is in range");
    assert(!this.#units.has(lun), "a LUN is attached once");
    assert(![...this.#units.values()].includes(unit), "a unit has one LUN in a target");
    for (const nexus of this.#nexuses) {
      unit.nexuses.add(nexus);
      meet(nexus, lun, unit);
    }
    this.#announceInventory();
    this.#units.set(lun, unit);
  }

  /** LUNs under which an initiator that is here, or may come back, has met a disk, this or another one. */
  get metLuns(): ReadonlySet<number> {
    return new Set([...this.#nexuses, ...this.#away].flatMap(({ met }) => [...met.keys()]));
  }

  get #away(): readonly DepartedInitiator[] {
    return this.#departed?.all ?? [];
  }

  /** Initiators that are here and have met another disk under a LUN than this, by its `diskName`. */
  strangersTo(lun: number, disk: string): readonly string[] {
    const strangers = [...this.#nexuses].filter(({ met }) => (met.get(lun) ?? disk) !== disk);
    return [...new Set(strangers.map(({ initiatorPort }) => initiatorOf(initiatorPort)))];
  }

  /**
   * Takes the unit away. Its tasks that came through this target are answered with LOGICAL UNIT NOT SUPPORTED, as later
   * commands are: at once, or when what they write has ended. `done` is called when none of them uses the volume any more.
   */
  detach(lun: number, done: () => void): void {
    const unit = this.#units.get(lun);
    assert(unit !== undefined, "a LUN that is detached was attached");
    this.#units.delete(lun);
    this.statistics.drop(lun);
    for (const nexus of this.#nexuses) unit.leave(nexus);
    this.#announceInventory();
    const tasks = unit.taskSet.tasksOf(null).filter((task) => task.nexus?.device === this);
    this.#leaving.push(unit);
    unit.taskSet.expel(tasks, () => {
      this.#leaving.splice(this.#leaving.indexOf(unit), 1);
      done();
    });
  }

  #announceInventory(): void {
    for (const nexus of this.#nexuses) {
      for (const unit of this.#units.values()) {
        nexus.raise(unit, Sense.reportedLunsDataHasChanged);
      }
    }
  }

  /** A session came up. Its first command on each unit meets POWER ON, RESET, OR BUS DEVICE RESET OCCURRED. */
  openNexus(ports: NexusPorts): Nexus {
    const { initiatorPort, relativePortId } = ports;
    assert(
      relativePortId >= 1 && relativePortId <= RELATIVE_PORT_ID_MAX,
      "a relative target port identifier has 16 bits and is not zero",
    );
    const targetPort = targetPortName(this.name, relativePortId);
    const nexus = new Nexus(this, initiatorPort, targetPort, relativePortId);
    this.#nexuses.add(nexus);
    for (const [lun, disk] of this.#departed?.takeBack(initiatorPort) ?? [])
      nexus.met.set(lun, disk);
    for (const [lun, unit] of this.#units) {
      unit.nexuses.add(nexus);
      meet(nexus, lun, unit);
    }
    return nexus;
  }

  /**
   * The session is over: aborts the tasks of the nexus without an answer and forgets its attentions. `done` is called
   * when the last task has left, at once when there is none.
   */
  closeNexus(nexus: Nexus, done: () => void = () => undefined): void {
    assert(nexus.device === this && this.#nexuses.delete(nexus), "a nexus is closed once");
    for (const unit of this.#units.values()) unit.leave(nexus);
    if (!nexus.hasForgotten) this.#departed?.remember(nexus.initiatorPort, nexus.met);
    const request = { nexus, function: TaskManagementFunction.nexusLoss, lun: 0, tag: 0 };
    manageTasks(this.#units, this.#leaving, request, () => {
      // What `done` still ends of the session's tasks is counted with it.
      done();
      this.statistics.close(nexus.statistics);
    });
  }

  /** Takes a command from the transport. It has its nexus, LUN, tag, attribute and CDB. Never throws for its input. */
  dispatch(task: Task): void {
    const unit = this.#units.get(task.lun);
    if (unit === undefined) {
      this.#dispatchWithoutUnit(task);
      return;
    }
    task.unit = unit;
    count(task);
    if (task.attribute >= TaskAttribute.aca) {
      task.fail(Sense.invalidFieldInCdb);
    } else if (unit.taskSet.full) {
      task.complete(Status.taskSetFull);
    } else if (unit.taskSet.add(task)) {
      runTask(task);
    }
  }

  /** A LUN without a unit answers what an initiator needs to find the others (SAM-5 4.7.2, SPC-4 6.6, 6.33). */
  #dispatchWithoutUnit(task: Task): void {
    const command = findCommand(task.cdb);
    const handler = command === null ? undefined : handlerWithoutUnit(command, task.lun);
    if (command === null || handler === undefined) {
      const wellKnown = task.lun === REPORT_LUNS_WELL_KNOWN_LUN;
      task.fail(wellKnown ? Sense.invalidCommandOperationCode : Sense.logicalUnitNotSupported);
    } else if (task.attribute >= TaskAttribute.aca) {
      task.fail(Sense.invalidFieldInCdb);
    } else if (checkCdb(command, task)) {
      handler(task);
    }
  }

  /**
   * Performs a task management function (SAM-5 7) and calls `done` once, when everything that it promises is true: at
   * once, unless aborted tasks still have I/O running.
   */
  manage(request: TaskManagementRequest, done: (response: TaskManagementResponse) => void): void {
    manageTasks(this.#units, this.#leaving, request, done);
  }
}
