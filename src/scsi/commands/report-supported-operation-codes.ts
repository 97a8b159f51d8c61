import { getUint16BE, getUint32BE, getUint8, setUint32BE } from "../../util/bytes.ts";
import type { Command } from "../command.ts";
import { cdbField, Sense } from "../sense.ts";
import type { Task } from "../task.ts";
import { response } from "./response.ts";

const RCTD = 0x80;
const TIMEOUTS_DESCRIPTOR_BYTES = 12;

/** REPORTING OPTIONS, SPC-4 6.35.1. */
const Reporting = { all: 0, operationCode: 1, serviceAction: 2, either: 3 } as const;
const REPORTING_OPTIONS_BYTE = 2;
const REPORTING_OPTIONS_BIT = 2;
const OPERATION_CODE_BYTE = 3;
const ALLOCATION_LENGTH_BYTE = 6;

/** SUPPORT, SPC-4 6.35.3. */
const Support = { none: 1, standard: 3 } as const;
const CTDP_ONE = 0x80;
const CTDP_ALL = 0x02;
const SERVACTV = 0x01;

/** Command timeouts descriptor, SPC-4 6.35.4: there are no figures to promise. */
function appendTimeouts(): void {
  response.uint16(TIMEOUTS_DESCRIPTOR_BYTES - 2).zeros(TIMEOUTS_DESCRIPTOR_BYTES - 2);
}

function appendAll(commands: readonly Command[], timeouts: boolean): void {
  response.uint32(0);
  for (const command of commands) {
    const hasAction = command.serviceAction >= 0;
    response
      .uint8(command.operationCode)
      .uint8(0)
      .uint16(hasAction ? command.serviceAction : 0)
      .uint8(0)
      .uint8((timeouts ? CTDP_ALL : 0) | (hasAction ? SERVACTV : 0))
      .uint16(command.cdbBytes);
    if (timeouts) appendTimeouts();
  }
  setUint32BE(response.bytes, 0, response.lengthBytes - 4);
}

function appendOne(command: Command | undefined, timeouts: boolean): void {
  if (command === undefined) {
    response.uint8(0).uint8(Support.none).uint16(0);
    return;
  }
  response
    .uint8(0)
    .uint8(Support.standard | (timeouts ? CTDP_ONE : 0))
    .uint16(command.cdbBytes)
    .copy(command.usage);
  if (timeouts) appendTimeouts();
}

/** REPORT SUPPORTED OPERATION CODES, SPC-4 6.35, from the rows of the command table. */
export function reportSupportedOperationCodes(commands: readonly Command[], task: Task): void {
  const { cdb } = task;
  const options = getUint8(cdb, REPORTING_OPTIONS_BYTE);
  const timeouts = (options & RCTD) !== 0;
  const reporting = options & 7;
  const operationCode = getUint8(cdb, OPERATION_CODE_BYTE);
  const serviceAction = getUint16BE(cdb, OPERATION_CODE_BYTE + 1);
  if (reporting > Reporting.either) {
    const field = cdbField(REPORTING_OPTIONS_BYTE, REPORTING_OPTIONS_BIT);
    task.fail(Sense.invalidFieldInCdb, field);
    return;
  }
  response.start();
  if (reporting === Reporting.all) {
    appendAll(commands, timeouts);
  } else {
    const candidates = commands.filter((command) => command.operationCode === operationCode);
    const hasActions = candidates.some((command) => command.serviceAction >= 0);
    if (hasActions && reporting === Reporting.operationCode) {
      task.fail(Sense.invalidFieldInCdb, cdbField(REPORTING_OPTIONS_BYTE, REPORTING_OPTIONS_BIT));
      return;
    }
    if (candidates.length > 0 && !hasActions && reporting === Reporting.serviceAction) {
      task.fail(Sense.invalidFieldInCdb, cdbField(REPORTING_OPTIONS_BYTE, REPORTING_OPTIONS_BIT));
      return;
    }
    // An operation code without service actions is asked for with zero, where the option says "either" (011b).
    const asked = reporting === Reporting.operationCode ? 0 : serviceAction;
    const wanted = !hasActions && asked === 0 ? -1 : asked;
    const found = candidates.find((command) => command.serviceAction === wanted);
    appendOne(found, timeouts);
  }
  response.send(task, getUint32BE(cdb, ALLOCATION_LENGTH_BYTE));
}
