import { afterEach, describe, expect, it } from "vitest";
import { InitiatorError } from "../../src/initiator/initiator-error.ts";
import { cdb16, newCdb } from "../../src/initiator/scsi.ts";
import { SequenceNumbers } from "../../src/initiator/sequence-numbers.ts";
import { AsyncEvent, encodeAsyncMessage } from "../../src/iscsi/pdu/async-message.ts";
import {
  BASIC_HEADER_BYTES,
  opcodeOf,
  setTargetNumbers,
} from "../../src/iscsi/pdu/basic-header.ts";
import {
  DataInFlag,
  encodeDataIn,
  setDataInPosition,
  setDataInStatus,
} from "../../src/iscsi/pdu/data-in.ts";
import { encodeNopIn } from "../../src/iscsi/pdu/nop.ts";
import { Opcode, RESERVED_TAG } from "../../src/iscsi/pdu/opcode.ts";
import { encodeReadyToTransfer } from "../../src/iscsi/pdu/ready-to-transfer.ts";
import { encodeReject } from "../../src/iscsi/pdu/reject.ts";
import { encodeScsiResponse } from "../../src/iscsi/pdu/scsi-response.ts";
import { encodeTextResponse } from "../../src/iscsi/pdu/text.ts";
import { eventually } from "../support/in-process-target.ts";
import {
  ScriptedTarget,
  tagOf,
  type Script,
  type ScriptedPeer,
} from "../support/scripted-target.ts";

let target: ScriptedTarget;
afterEach(async () => {
  await target.close();
});

function good(peer: ScriptedPeer, initiatorTaskTag: number, residualFlags = 0): void {
  peer.send((header) =>
    encodeScsiResponse(header, 0, {
      residualFlags,
      response: 0,
      status: 0,
      initiatorTaskTag,
      expDataSn: 0,
      bidirectionalReadResidualBytes: 0,
      residualBytes: 0,
      dataSegmentBytes: 0,
    }),
  );
}

interface Piece {
  readonly dataSn: number;
  readonly bufferOffset: number;
  readonly flags: number;
}

function dataIn(peer: ScriptedPeer, tag: number, piece: Piece, data: Uint8Array): void {
  peer.send(
    (header) => {
      encodeDataIn(header, 0, piece.flags & DataInFlag.final, data.length, tag);
      setDataInPosition(header, 0, piece.dataSn, piece.bufferOffset);
      if ((piece.flags & DataInFlag.status) !== 0) setDataInStatus(header, 0, 0, 0, 0);
    },
    data,
    (piece.flags & DataInFlag.status) !== 0,
  );
}

async function failure(promise: Promise<unknown>): Promise<string> {
  const error: unknown = await promise.catch((reason: unknown) => reason);
  return error instanceof InitiatorError ? `${error.kind}: ${error.message}` : "no error";
}

const testUnitReady = { lun: 0, cdb: newCdb(6, 0x00) };
const FINAL = DataInFlag.final;
const LAST = DataInFlag.final | DataInFlag.status;

describe("a session", () => {
  it("keeps within the command window, and goes on when it opens", async () => {
    const seen: number[] = [];
    let peerOfAll: ScriptedPeer | undefined;
    const script: Script = (pdu, peer) => {
      peerOfAll = peer;
      seen.push(tagOf(pdu));
    };
    target = await ScriptedTarget.start(script, [], 2);
    const session = await target.connect();
    const all = [1, 2, 3, 4, 5].map(() => session.execute(testUnitReady));
    const settled = Promise.allSettled(all);
    const ahead = session.execute({ ...testUnitReady, immediate: true });
    await eventually(() => seen.length === 3, "two in the window came, and the immediate one");
    expect(session.outstanding).toBe(6);
    const peer = peerOfAll;
    if (peer === undefined) throw new Error("the target saw a command");
    peer.expCmdSn = 3;
    peer.maxCmdSn = 4;
    for (const tag of seen) good(peer, tag);
    expect((await ahead).status).toBe(0);
    await eventually(() => seen.length === 5, "the window opened for two more");
    session.destroy();
    const states = (await settled).map(({ status }) => status);
    expect(states).toEqual(["fulfilled", "fulfilled", "rejected", "rejected", "rejected"]);
  });

  it.each([
    [
      "a StatSN that is not the next",
      "StatSN",
      (peer: ScriptedPeer, tag: number) => {
        peer.statSn += 1;
        good(peer, tag);
      },
    ],
    [
      "an answer to no command",
      "not there",
      (peer: ScriptedPeer, tag: number) => good(peer, tag + 1),
    ],
    [
      "both residuals at once",
      "at once",
      (peer: ScriptedPeer, tag: number) => good(peer, tag, 0x06),
    ],
    [
      "DataSN out of order",
      "DataSN",
      (peer: ScriptedPeer, tag: number) =>
        dataIn(peer, tag, { dataSn: 1, bufferOffset: 0, flags: FINAL }, Buffer.alloc(4)),
    ],
    [
      "data out of order",
      "out of order",
      (peer: ScriptedPeer, tag: number) =>
        dataIn(peer, tag, { dataSn: 0, bufferOffset: 8, flags: FINAL }, Buffer.alloc(4)),
    ],
    [
      "more data than there is room for",
      "room",
      (peer: ScriptedPeer, tag: number) =>
        dataIn(peer, tag, { dataSn: 0, bufferOffset: 0, flags: FINAL }, Buffer.alloc(513)),
    ],
    [
      "a status in data that are not final",
      "not final",
      (peer: ScriptedPeer, tag: number) =>
        dataIn(
          peer,
          tag,
          { dataSn: 0, bufferOffset: 0, flags: DataInFlag.status },
          Buffer.alloc(4),
        ),
    ],
    [
      "an R2T for data that there are not",
      "does not have",
      (peer: ScriptedPeer, tag: number) =>
        peer.send(
          (header) => {
            const range = { r2tSn: 0, bufferOffset: 0, desiredDataTransferBytes: 4 };
            const tags = { initiatorTaskTag: tag, targetTransferTag: 1 };
            encodeReadyToTransfer(header, 0, new Uint8Array(8), { ...tags, ...range });
          },
          undefined,
          false,
        ),
    ],
    [
      "a PDU that a target does not send",
      "opcode 1",
      (peer: ScriptedPeer) => peer.send((header) => void (header[0] = 1)),
    ],
    [
      "sense that is shorter than it says",
      "shorter",
      (peer: ScriptedPeer, tag: number) =>
        peer.send(
          (header) =>
            encodeScsiResponse(header, 0, {
              residualFlags: 0,
              response: 0,
              status: 2,
              initiatorTaskTag: tag,
              expDataSn: 0,
              bidirectionalReadResidualBytes: 0,
              residualBytes: 0,
              dataSegmentBytes: 4,
            }),
          Uint8Array.of(0, 18, 0x70, 0),
        ),
    ],
  ] as const)("ends on %s", async (_name, words, misbehave) => {
    target = await ScriptedTarget.start((pdu, peer) => misbehave(peer, tagOf(pdu)));
    let closed = "";
    const session = await target.connect({
      events: { closed: (error) => void (closed = error.kind) },
    });
    const command = { lun: 0, cdb: cdb16(0x88, 0, 1), expectedInBytes: 512 };
    expect(await failure(session.execute(command))).toMatch(new RegExp(`^protocol: .*${words}`));
    expect(closed).toBe("protocol");
    expect(await failure(session.execute(command))).toMatch(/^protocol/);
    expect(await failure(session.ping())).toMatch(/^protocol/);
  });

  it("puts data together, and tells residual and sense", async () => {
    target = await ScriptedTarget.start((pdu, peer) => {
      const tag = tagOf(pdu);
      dataIn(peer, tag, { dataSn: 0, bufferOffset: 0, flags: 0 }, Buffer.from("abcd"));
      dataIn(peer, tag, { dataSn: 1, bufferOffset: 4, flags: LAST }, Buffer.from("ef"));
    });
    const session = await target.connect();
    const result = await session.execute({ lun: 0, cdb: cdb16(0x88, 0, 1), expectedInBytes: 512 });
    expect(Buffer.from(result.dataIn).toString()).toBe("abcdef");
    expect(result).toMatchObject({ status: 0, statusInData: true, dataInPdus: 2 });
  });

  it("answers a ping of the target, and not what only carries numbers", async () => {
    const answers: string[] = [];
    let pings = 0;
    target = await ScriptedTarget.start((pdu, peer) => {
      if (opcodeOf(pdu.header, 0) === Opcode.nopOut) {
        answers.push(Buffer.from(pdu.header).toString("hex", 16, 24));
        return;
      }
      for (const targetTransferTag of [RESERVED_TAG, 0x1234]) {
        const tags = { initiatorTaskTag: RESERVED_TAG, targetTransferTag };
        peer.send(
          (header) => encodeNopIn(header, 0, { lun: new Uint8Array(8), ...tags }, 0),
          undefined,
          false,
        );
      }
      good(peer, tagOf(pdu));
    });
    const session = await target.connect({ events: { pinged: () => void (pings += 1) } });
    await session.execute(testUnitReady);
    await session.execute(testUnitReady);
    expect(pings).toBe(2);
    expect(answers).toContain("ffffffff00001234");
  });

  it("tells a Reject to whom it concerns", async () => {
    const strays: number[] = [];
    target = await ScriptedTarget.start((pdu, peer) => {
      peer.send(
        (header) => encodeReject(header, 0, 9),
        new Uint8Array(BASIC_HEADER_BYTES).fill(0xff),
      );
      peer.send((header) => encodeReject(header, 0, 4), pdu.header);
    });
    const session = await target.connect({
      events: { rejected: (reason) => void strays.push(reason) },
    });
    expect(await failure(session.execute(testUnitReady))).toMatch(/^rejected: .*4/);
    expect(await failure(session.ping())).toMatch(/^rejected/);
    expect(await failure(session.text([["SendTargets", "All"]]))).toMatch(/^rejected/);
    expect(strays).toEqual([9, 9, 9]);
    expect(session.closed).toBeNull();
  });

  it("passes on asynchronous messages, and ends where they say so", async () => {
    const events: number[] = [];
    const parameters = { parameter1: 0, parameter2: 0, parameter3: 0 };
    target = await ScriptedTarget.start((_pdu, peer) => {
      for (const asyncEvent of [AsyncEvent.logoutRequested, AsyncEvent.sessionDropped]) {
        peer.send((header) => encodeAsyncMessage(header, 0, { asyncEvent, ...parameters }));
      }
    });
    const session = await target.connect({
      events: { asyncMessage: ({ asyncEvent }) => void events.push(asyncEvent) },
    });
    expect(await failure(session.execute(testUnitReady))).toMatch(/^closed: .*announced/);
    expect(events).toEqual([AsyncEvent.logoutRequested, AsyncEvent.sessionDropped]);
  });

  it("gives up on a command in time, and drops its late answer", async () => {
    const late: (() => void)[] = [];
    target = await ScriptedTarget.start((pdu, peer) => {
      if (late.length === 0) late.push(() => good(peer, tagOf(pdu)));
      else {
        for (const answer of late) answer();
        good(peer, tagOf(pdu));
      }
    });
    const session = await target.connect();
    expect(await failure(session.execute({ ...testUnitReady, timeoutMs: 20 }))).toMatch(/^timeout/);
    expect((await session.execute(testUnitReady)).status).toBe(0);
    expect(session.outstanding).toBe(0);
  });

  it("fetches long text with one tag, and gives the target's tag back", async () => {
    const asked: string[] = [];
    target = await ScriptedTarget.start((pdu, peer) => {
      asked.push(Buffer.from(pdu.header).toString("hex", 16, 24));
      const final = asked.length === 3;
      const targetTransferTag = final ? RESERVED_TAG : 0x77;
      const fields = { final, continued: !final, initiatorTaskTag: tagOf(pdu), targetTransferTag };
      const data = Buffer.from(["A=1\0B", "=2\0", "C=3\0"][asked.length - 1] ?? "");
      peer.send((header) => encodeTextResponse(header, 0, fields, data.length), data);
    });
    const session = await target.connect();
    expect(await session.text([["SendTargets", "All"]])).toEqual([
      ["A", "1"],
      ["B", "2"],
      ["C", "3"],
    ]);
    expect(asked.map((tags) => tags.slice(8))).toEqual(["ffffffff", "00000077", "00000077"]);
    expect(new Set(asked.map((tags) => tags.slice(0, 8))).size).toBe(1);
  });

  it("fails everything when the target goes away", async () => {
    target = await ScriptedTarget.start((_pdu, peer) => peer.connection.destroy());
    const session = await target.connect();
    const results = await Promise.all([
      failure(session.execute(testUnitReady)),
      failure(session.ping()),
      failure(session.manage({ functionCode: 5, lun: 0 })),
      failure(session.logout()),
    ]);
    for (const result of results) expect(result).toMatch(/^closed/);
    expect(session.outstanding).toBe(0);
  });
});

describe("sequence numbers", () => {
  it("of a target that goes back are not followed", async () => {
    target = await ScriptedTarget.start(() => undefined);
    const numbers = new SequenceNumbers({ cmdSn: 0xffff_fffe, maxCmdSn: 1, expStatSn: 5 });
    const header = new Uint8Array(BASIC_HEADER_BYTES);
    expect([numbers.take(false), numbers.take(true), numbers.take(false)]).toEqual([
      0xffff_fffe, 0xffff_ffff, 0xffff_ffff,
    ]);
    expect(numbers.windowOpen).toBe(true);
    setTargetNumbers(header, 0, 5, 3, 0xffff_fff0);
    numbers.see(header);
    expect(numbers.maxCmdSn).toBe(1);
    setTargetNumbers(header, 0, 5, 0, 10);
    numbers.see(header);
    expect([numbers.expCmdSn, numbers.maxCmdSn]).toEqual([0, 10]);
    numbers.seeStatus(header);
    expect(numbers.expStatSn).toBe(6);
    expect(() => numbers.seeStatus(header)).toThrow(/StatSN 5/);
  });
});
