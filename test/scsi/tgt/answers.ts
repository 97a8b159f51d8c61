import { connect } from "../../../src/initiator/connect.ts";
import type { InitiatorSession } from "../../../src/initiator/session.ts";
import { must } from "../../control/tgt/show/play.ts";
import { RealTgtd } from "../../control/tgt/show/real-tgtd.ts";
import { InProcessTarget } from "../../support/in-process-target.ts";
import {
  DISK_BYTES,
  questionsFor,
  UNIT_EXAMPLES,
  unitOf,
  type Question,
  type UnitExample,
} from "./unit-examples.ts";

/** What came back for one question: status and sense in hexadecimal, and the data. */
export interface Answer {
  readonly example: UnitExample;
  readonly question: Question;
  readonly outcome: string;
  readonly data: Buffer;
}

const UNIT_ATTENTION = 0x6;

async function ask(session: InitiatorSession, lun: number, question: Question): Promise<string[]> {
  const { cdb, inBytes = 255, outBytes } = question;
  const bytes = Uint8Array.from(Buffer.from(cdb.replaceAll(" ", ""), "hex"));
  const expected =
    outBytes === undefined ? { expectedInBytes: inBytes } : { dataOut: new Uint8Array(outBytes) };
  for (;;) {
    const { status, sense, dataIn } = await session.execute({ lun, cdb: bytes, ...expected });
    if (sense?.key === UNIT_ATTENTION) continue;
    const { key = 0, additionalSenseCode = 0, additionalSenseCodeQualifier = 0 } = sense ?? {};
    const numbers = [status, key, additionalSenseCode, additionalSenseCodeQualifier];
    const outcome = numbers.map((number) => number.toString(16)).join("/");
    // With CHECK CONDITION, tgtd sends what its buffer has held before.
    return [outcome, status === 0 ? Buffer.from(dataIn).toString("hex") : ""];
  }
}

async function askAll(port: number, examples: readonly UnitExample[]): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (const example of examples) {
    const session = await connect({
      address: "127.0.0.1",
      port,
      initiatorName: "iqn.2026-01.com.example:host",
      targetName: nameOf(example.tid),
    });
    for (const question of questionsFor(example)) {
      const [outcome = "", hex = ""] = await ask(session, example.lun, question);
      answers.push({ example, question, outcome, data: Buffer.from(hex, "hex") });
    }
    await session.logout();
  }
  return answers;
}

function nameOf(tid: number): string {
  return `iqn.2026-01.com.example:t${tid}`;
}

function tids(): number[] {
  return [...new Set(UNIT_EXAMPLES.map(({ tid }) => tid))];
}

/** What our units answer over iSCSI. */
export async function ourAnswers(): Promise<Answer[]> {
  const targets = tids().map((tid) => ({ name: nameOf(tid), units: [] }));
  const target = await InProcessTarget.start({ targets });
  for (const example of UNIT_EXAMPLES) {
    const found = target.server.targets.get(nameOf(example.tid));
    found?.device.attach(example.lun, unitOf(example));
  }
  try {
    return await askAll(target.port, UNIT_EXAMPLES);
  } finally {
    await target.close();
  }
}

async function make(tgtd: RealTgtd, example: UnitExample): Promise<void> {
  const { tid, lun, blockBytes = 512, controller = false, parameters = [] } = example;
  const unit = `--mode logicalunit --tid ${tid} --lun ${lun}`;
  if (!controller) await must(tgtd, `--op new ${unit} -b disk --blocksize ${blockBytes}`);
  for (const parameter of parameters) {
    const { status } = await tgtd.tgtadm(...`--op update ${unit} --params`.split(" "), parameter);
    if (status !== 0) throw new Error(`tgtadm takes no ${parameter}`);
  }
}

/** What those of the real tgtd answer. */
export async function tgtdAnswers(): Promise<Answer[]> {
  const tgtd = await RealTgtd.start();
  try {
    tgtd.file("disk", DISK_BYTES);
    for (const tid of tids()) {
      await must(tgtd, `--op new --mode target --tid ${tid} -T ${nameOf(tid)}`);
      await must(tgtd, `--op bind --mode target --tid ${tid} -I ALL`);
    }
    for (const example of UNIT_EXAMPLES) await make(tgtd, example);
    return await askAll(tgtd.port, UNIT_EXAMPLES);
  } finally {
    await tgtd.dispose();
  }
}

function lineOf({ example, question, outcome, data }: Answer): string {
  return `${example.tid} ${example.lun} ${question.name}: ${outcome} ${data.toString("hex")}\n`;
}

/** All of them, as they are kept in the golden file. */
export function textOf(answers: readonly Answer[]): string {
  return answers.map(lineOf).join("");
}

/** As {@link textOf}, of what has to be the same here: the other bytes are "..". */
export function commonTextOf(answers: readonly Answer[]): string {
  return answers.map((answer) => maskedLine(lineOf(answer), answer.question)).join("");
}

function maskedLine(line: string, { same }: Question): string {
  const [, head = "", hex = ""] = /^(.*: \S+ )([0-9a-f]*)\n$/.exec(line) ?? [];
  const kept = (index: number): boolean => same.some(([from, to]) => index >= from && index < to);
  const bytes = hex.match(/../g) ?? [];
  const last = bytes.findLastIndex((_, index) => kept(index));
  return `${head}${bytes
    .slice(0, last + 1)
    .map((byte, index) => (kept(index) ? byte : ".."))
    .join("")}\n`;
}

/** As {@link commonTextOf}, of the text of a golden file. */
export function commonTextOfGolden(text: string): string {
  const questions = UNIT_EXAMPLES.flatMap((example) => questionsFor(example));
  const lines = text.split(/(?<=\n)/);
  if (lines.length !== questions.length) return "not of these questions";
  return lines
    .map((line, index) => maskedLine(line, questions[index] ?? { name: "", cdb: "", same: [] }))
    .join("");
}
