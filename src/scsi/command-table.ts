import { assert } from "../util/assert.ts";
import { getUint8 } from "../util/bytes.ts";
import { Access, Command, serviceActionOf, type CommandRow } from "./command.ts";
import { getLbaStatus } from "./commands/get-lba-status.ts";
import { inquiry } from "./commands/inquiry.ts";
import { modeSense10, modeSense6 } from "./commands/mode-sense.ts";
import { preventAllowMediumRemoval } from "./commands/prevent-allow-medium-removal.ts";
import { readCapacity10, readCapacity16 } from "./commands/read-capacity.ts";
import {
  read10,
  read12,
  read16,
  read6,
  write10,
  write12,
  write16,
  write6,
} from "./commands/read-write.ts";
import { reportLuns } from "./commands/report-luns.ts";
import { reportSupportedOperationCodes } from "./commands/report-supported-operation-codes.ts";
import { requestSense } from "./commands/request-sense.ts";
import { startStopUnit } from "./commands/start-stop-unit.ts";
import { synchronizeCache10, synchronizeCache16 } from "./commands/synchronize-cache.ts";
import { testUnitReady } from "./commands/test-unit-ready.ts";
import { unmap } from "./commands/unmap.ts";
import { verify10, verify12, verify16 } from "./commands/verify.ts";
import { writeSame10, writeSame16 } from "./commands/write-same.ts";
import type { LogicalUnit } from "./logical-unit.ts";
import type { Task } from "./task.ts";

type Traits = Omit<CommandRow, "name" | "usage" | "serviceAction" | "handler">;

/** What tells about the unit or the target, and works in every state of it. */
const INFORMATION: Traits = {
  direction: "in",
  access: Access.none,
  reservation: "allowed",
  allowedWithUnitAttention: false,
  diskOnly: false,
};
const FIRST_CONTACT: Traits = { ...INFORMATION, allowedWithUnitAttention: true };
const MODE: Traits = { ...INFORMATION, reservation: "write", diskOnly: true };
const READINESS: Traits = { ...INFORMATION, direction: "none", access: Access.read };
const CAPACITY: Traits = { ...INFORMATION, access: Access.read, diskOnly: true };
const READ: Traits = { ...CAPACITY, reservation: "read" };
const VERIFY: Traits = { ...READ, direction: "out" };
const SYNCHRONIZE: Traits = { ...READ, direction: "none", reservation: "write" };
const WRITE: Traits = { ...READ, direction: "out", access: Access.write, reservation: "write" };
const POWER: Traits = { ...MODE, direction: "none" };
/** What a reservation refuses is to prevent; that somebody allows again must be possible (SPC-4 table 67). */
const REMOVAL: Traits = { ...POWER, reservation: "allowed" };

type Handler = (unit: LogicalUnit, task: Task) => void;

function row(name: string, usage: string, traits: Traits, handler: Handler): CommandRow {
  return { name, usage, serviceAction: -1, ...traits, handler };
}

function actionRow(name: string, usage: string, traits: Traits, handler: Handler): CommandRow {
  const serviceAction = Number.parseInt(usage.slice(3, 5), 16);
  return { name, usage, serviceAction, ...traits, handler };
}

const UNMAP = 0x42;

function reportOperationCodes(unit: LogicalUnit, task: Task): void {
  const commands = COMMANDS.filter(
    ({ diskOnly, operationCode }) =>
      (unit.isDisk || !diskOnly) && (unit.unmappable || operationCode !== UNMAP),
  );
  reportSupportedOperationCodes(commands, task);
}

/**
 * Every command, by operation code. The usage data have a one for each bit that is evaluated: RDPROTECT, WRPROTECT and
 * VRPROTECT are absent, because the medium carries no protection information; so are NACA and ANCHOR.
 */
// prettier-ignore
const ROWS: readonly CommandRow[] = [
  row("TEST UNIT READY",        "00 00 000000 00",                         READINESS,     testUnitReady),
  row("REQUEST SENSE",          "03 01 0000 ff 00",                        FIRST_CONTACT, requestSense),
  row("READ (6)",               "08 1f ffff ff 00",                        READ,          read6),
  row("WRITE (6)",              "0a 1f ffff ff 00",                        WRITE,         write6),
  row("INQUIRY",                "12 01 ff ffff 00",                        FIRST_CONTACT, inquiry),
  row("MODE SENSE (6)",         "1a 08 ff ff ff 00",                       MODE,          modeSense6),
  row("START STOP UNIT",        "1b 01 00 0f f7 00",                       POWER,         startStopUnit),
  row("PREVENT ALLOW MEDIUM REMOVAL",
                                "1e 00 0000 01 00",                        REMOVAL,       preventAllowMediumRemoval),
  row("READ CAPACITY (10)",     "25 00 ffffffff 0000 01 00",               CAPACITY,      readCapacity10),
  row("READ (10)",              "28 1e ffffffff 3f ffff 00",               READ,          read10),
  row("WRITE (10)",             "2a 1a ffffffff 3f ffff 00",               WRITE,         write10),
  row("VERIFY (10)",            "2f 16 ffffffff 3f ffff 00",               VERIFY,        verify10),
  row("SYNCHRONIZE CACHE (10)", "35 06 ffffffff 3f ffff 00",               SYNCHRONIZE,   synchronizeCache10),
  row("WRITE SAME (10)",        "41 08 ffffffff 3f ffff 00",               WRITE,         writeSame10),
  row("UNMAP",                  "42 00 00000000 3f ffff 00",               WRITE,         unmap),
  row("MODE SENSE (10)",        "5a 18 ff ff 000000 ffff 00",              MODE,          modeSense10),
  row("READ (16)",              "88 1e ffffffffffffffff ffffffff 3f 00",   READ,          read16),
  row("WRITE (16)",             "8a 1a ffffffffffffffff ffffffff 3f 00",   WRITE,         write16),
  row("VERIFY (16)",            "8f 16 ffffffffffffffff ffffffff 3f 00",   VERIFY,        verify16),
  row("SYNCHRONIZE CACHE (16)", "91 06 ffffffffffffffff ffffffff 3f 00",   SYNCHRONIZE,   synchronizeCache16),
  row("WRITE SAME (16)",        "93 09 ffffffffffffffff ffffffff 3f 00",   WRITE,         writeSame16),
  actionRow("READ CAPACITY (16)", "9e 10 ffffffffffffffff ffffffff 01 00", CAPACITY,      readCapacity16),
  actionRow("GET LBA STATUS",   "9e 12 ffffffffffffffff ffffffff 00 00",   READ,          getLbaStatus),
  row("REPORT LUNS",            "a0 00 ff 000000 ffffffff 00 00",          FIRST_CONTACT, reportLuns),
  actionRow("REPORT SUPPORTED OPERATION CODES",
                                "a3 0c 87 ff ffff ffffffff 00 00",         INFORMATION,   reportOperationCodes),
  row("READ (12)",              "a8 1e ffffffff ffffffff 3f 00",           READ,          read12),
  row("WRITE (12)",             "aa 1a ffffffff ffffffff 3f 00",           WRITE,         write12),
  row("VERIFY (12)",            "af 16 ffffffff ffffffff 3f 00",           VERIFY,        verify12),
];

const OPERATION_CODES = 256;

/** All commands, in the order of operation code and service action. */
export const COMMANDS: readonly Command[] = ROWS.map((fields) => new Command(fields));

/** By operation code; where there are service actions, the first of them. */
const BY_OPERATION_CODE: (Command | null)[] = Array.from({ length: OPERATION_CODES }, () => null);
/** By operation code and service action, where there are any. */
const BY_SERVICE_ACTION: Map<number, Command> = new Map();

function serviceActionKey(operationCode: number, serviceAction: number): number {
  return (operationCode << 5) | serviceAction;
}

for (const command of COMMANDS) {
  const { operationCode, serviceAction } = command;
  const sibling = BY_OPERATION_CODE[operationCode] ?? null;
  if (sibling === null) BY_OPERATION_CODE[operationCode] = command;
  if (serviceAction < 0) {
    assert(sibling === null, "an operation code without service actions has one row");
    continue;
  }
  assert(
    sibling === null || sibling.serviceAction >= 0,
    "all rows of one code have service actions",
  );
  const key = serviceActionKey(operationCode, serviceAction);
  assert(!BY_SERVICE_ACTION.has(key), "a service action has one row");
  BY_SERVICE_ACTION.set(key, command);
}

/** The row for a CDB; null when the table has none. */
export function findCommand(cdb: Uint8Array): Command | null {
  const operationCode = getUint8(cdb, 0);
  const command = BY_OPERATION_CODE[operationCode] ?? null;
  if (command === null || command.serviceAction < 0) return command;
  return BY_SERVICE_ACTION.get(serviceActionKey(operationCode, serviceActionOf(cdb))) ?? null;
}

/** True when the unit has commands of the operation code, whatever the service action. */
export function isKnownOperationCode(unit: LogicalUnit, operationCode: number): boolean {
  const command = BY_OPERATION_CODE[operationCode] ?? null;
  return command !== null && (unit.isDisk || !command.diskOnly);
}
