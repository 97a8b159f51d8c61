import type { Command } from "../command.ts";
import { REPORT_LUNS_WELL_KNOWN_LUN } from "../lun.ts";
import { Sense } from "../sense.ts";
import { Status } from "../status.ts";
import type { Task } from "../task.ts";
import { inquireAbsentUnit, inquireWellKnownUnit } from "./inquiry.ts";
import { reportLunsOfTarget } from "./report-luns.ts";
import { returnSense } from "./request-sense.ts";

type Handler = (task: Task) => void;

function senseOfAbsentUnit(task: Task): void {
  returnSense(task, Sense.logicalUnitNotSupported);
}

function senseOfWellKnownUnit(task: Task): void {
  returnSense(task, Sense.noAdditionalSenseInformation);
}

function testWellKnownUnit(task: Task): void {
  task.complete(Status.good);
}

/** What a LUN without a unit answers: enough to learn that there is none, and where the others are (SPC-4 6.6.1). */
const ABSENT: ReadonlyMap<string, Handler> = new Map([
  ["INQUIRY", inquireAbsentUnit],
  ["REQUEST SENSE", senseOfAbsentUnit],
  ["REPORT LUNS", reportLunsOfTarget],
]);

/** The commands of the REPORT LUNS well known logical unit (SPC-4 table 660). */
const WELL_KNOWN: ReadonlyMap<string, Handler> = new Map([
  ["INQUIRY", inquireWellKnownUnit],
  ["REQUEST SENSE", senseOfWellKnownUnit],
  ["REPORT LUNS", reportLunsOfTarget],
  ["TEST UNIT READY", testWellKnownUnit],
]);

/** The handler for a command to a LUN that has no logical unit; undefined where the answer is that it has none. */
export function handlerWithoutUnit(command: Command, lun: number): Handler | undefined {
  return (lun === REPORT_LUNS_WELL_KNOWN_LUN ? WELL_KNOWN : ABSENT).get(command.name);
}
