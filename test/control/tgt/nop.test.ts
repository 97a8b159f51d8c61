import { afterEach, describe, expect, it } from "vitest";
import { randomIsid } from "../../../src/initiator/connect.ts";
import { Connection } from "../../../src/initiator/connection.ts";
import { login } from "../../../src/initiator/login.ts";
import { DEFAULT_OFFERS } from "../../../src/initiator/parameters.ts";
import { opcodeOf } from "../../../src/iscsi/pdu/basic-header.ts";
import { Opcode } from "../../../src/iscsi/pdu/opcode.ts";
import { orWhyNot } from "../../device/loop-device.ts";
import { eventually } from "../../support/in-process-target.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { RealTgtd, tgtdMissing } from "./show/real-tgtd.ts";
import { INITIATOR, TgtBench } from "./support/tgt-bench.ts";

const missing = tgtdMissing();

const TARGET = "iqn.2026-01.com.example:one";
const ANSWER_MS = 20_000;

const NEW_TARGET = ["-o new -m target -t 1 -T", TARGET].join(" ");
const OPEN = "-o bind -m target -t 1 -I ALL";
const update = (key: string, value: string): string =>
  `-o update -m target -t 1 -n ${key} -v ${value}`;

let bench: TgtBench;
afterEach(async () => {
  await bench.dispose();
});

/** An initiator that logs in, and then answers nothing. */
async function silentInitiator(port: number): Promise<Connection> {
  const connection = await Connection.open("127.0.0.1", port);
  const intent = {
    initiatorName: INITIATOR,
    targetName: TARGET,
    sessionType: "normal",
    offers: DEFAULT_OFFERS,
  } as const;
  await login(connection, intent, { isid: randomIsid(), tsih: 0, cid: 0 });
  return connection;
}

/** How often it is asked before its connection ends. */
async function questionsUntilTheEnd(connection: Connection): Promise<number> {
  for (let count = 0; ; count += 1) {
    const pdu = await connection.receive(ANSWER_MS).catch(() => null);
    if (pdu === null) return connection.closed?.kind === "closed" ? count : -1;
    expect(opcodeOf(pdu.header, 0)).toBe(Opcode.nopIn);
  }
}

/** Seconds pass one by one, and what is sent in each of them leaves. */
async function pass(clock: ManualClock, seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second += 1) {
    clock.advance(1000);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe("an initiator of a target with nop_interval and nop_count", () => {
  it("that does not answer is dropped after so many questions, and one that answers stays", async () => {
    const clock = new ManualClock();
    bench = await TgtBench.start({ clock });
    await bench.must(NEW_TARGET, OPEN, update("nop_interval", "5"), update("nop_count", "3"));
    const dead = await silentInitiator(bench.port);
    const lively = await bench.login(TARGET);
    for (let asked = 0; asked < 3; asked += 1) {
      await pass(clock, 5);
      expect(opcodeOf((await dead.receive(ANSWER_MS)).header, 0)).toBe(Opcode.nopIn);
      // What it has been asked is answered before this is.
      await lively.ping();
    }
    expect(bench.harness.server.statistics.sessions).toBe(2);
    await pass(clock, 5);
    expect(await questionsUntilTheEnd(dead)).toBe(0);
    await eventually(() => bench.harness.server.statistics.sessions === 1, "it is gone");
    expect(lively.closed).toBeNull();
  });

  it("is never asked where the interval is set to nothing, and as ever where nothing is set", async () => {
    const clock = new ManualClock();
    bench = await TgtBench.start({ clock });
    await bench.must(NEW_TARGET, OPEN);
    const usual = await silentInitiator(bench.port);
    await bench.must(update("nop_interval", "0"));
    const never = await silentInitiator(bench.port);
    await pass(clock, 3600);
    expect(await questionsUntilTheEnd(usual)).toBeGreaterThan(0);
    expect(never.closed).toBeNull();
    expect(bench.harness.server.statistics.sessions).toBe(1);
    never.destroy();
  });
});

it("what tgtd was started with is shown of all targets that say nothing else", async () => {
  const options = [
    ["nop_interval", "7"],
    ["nop_count", "2"],
  ] as const;
  bench = await TgtBench.start({}, { nopOptions: new Map(options) });
  await bench.must(NEW_TARGET);
  const shown = await bench.must("-o show -m target");
  expect(shown).toContain("        State: ready\n        Nop interval: 7\n        Nop count: 2\n");
  expect(await bench.must("-o show -m target -t 1")).toMatch(/^nop_interval=7\nnop_count=2\n/);
  await bench.must(update("nop_interval", "9"));
  expect(await bench.must("-o show -m target -t 1")).toMatch(/^nop_interval=9\nnop_count=2\n/);
});

describe.skipIf(missing !== null)(`tgt's daemon${orWhyNot(missing)}`, () => {
  it("asks a silent initiator as often as ours does, and drops it", async () => {
    bench = await TgtBench.start();
    const theirs = await RealTgtd.start();
    try {
      const lines = [NEW_TARGET, OPEN, update("nop_interval", "1"), update("nop_count", "2")];
      await bench.must(...lines);
      for (const line of lines) await theirs.tgtadm(...line.split(" "));
      const initiators = [await silentInitiator(theirs.port), await silentInitiator(bench.port)];
      expect(await Promise.all(initiators.map(questionsUntilTheEnd))).toEqual([2, 2]);
    } finally {
      await theirs.dispose();
    }
  });
});
