import { getUint8 } from "../../util/bytes.ts";
import { IoKind } from "../../util/io-request.ts";
import type { LogicalUnit } from "../logical-unit.ts";
import { cdbField, Sense } from "../sense.ts";
import { Status } from "../status.ts";
import type { Task } from "../task.ts";

const START = 0x01;
const LOEJ = 0x02;
const NO_FLUSH = 0x04;
const POWER_CONDITION_ACTIVE = 0x1;

/**
 * START STOP UNIT, SBC-3 5.17. A stopped unit is NOT READY for everybody until it is started. Of the power conditions
 * there is only ACTIVE. LOEJ ejects and loads the medium where it is removable. IMMED changes nothing: a start takes no time, and a stop
 * that answers after its flush promises more than one that answers before.
 */
export function startStopUnit(unit: LogicalUnit, task: Task): void {
  const flags = getUint8(task.cdb, 4);
  const powerCondition = flags >>> 4;
  if (powerCondition > POWER_CONDITION_ACTIVE) {
    task.fail(Sense.invalidFieldInCdb, cdbField(4, 7));
  } else if (getUint8(task.cdb, 3) !== 0) {
    task.fail(Sense.invalidFieldInCdb, cdbField(3, 3));
  } else if (powerCondition === POWER_CONDITION_ACTIVE) {
    start(unit, task);
  } else if ((flags & LOEJ) !== 0 && !unit.effective.removable) {
    task.fail(Sense.invalidFieldInCdb, cdbField(4, 1));
  } else if ((flags & LOEJ) !== 0 && unit.removalPrevented) {
    // A tray that is locked moves neither way: the conformance tests of libiscsi expect it of both.
    task.fail(Sense.mediumRemovalPrevented);
  } else if ((flags & START) !== 0) {
    if ((flags & LOEJ) !== 0) unit.load(task.nexus);
    start(unit, task);
  } else {
    const step = (flags & LOEJ) === 0 ? stop : eject;
    if ((flags & NO_FLUSH) !== 0) step(unit, task);
    else task.runIo(IoKind.flush, 0, 0, false, step);
  }
}

function start(unit: LogicalUnit, task: Task): void {
  const wasStopped = unit.stopped;
  unit.stopped = false;
  const { notReady } = unit;
  if (notReady === -1) {
    task.complete(Status.good);
    return;
  }
  unit.stopped = wasStopped;
  task.fail(notReady);
}

/** Another nexus may have come to need the medium while the cache was flushed. */
function eject(unit: LogicalUnit, task: Task): void {
  if (unit.removalPrevented) {
    task.fail(Sense.mediumRemovalPrevented);
    return;
  }
  unit.ejected = true;
  task.complete(Status.good);
}

function stop(unit: LogicalUnit, task: Task): void {
  unit.stopped = true;
  task.complete(Status.good);
}
