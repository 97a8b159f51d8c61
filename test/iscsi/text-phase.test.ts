import { describe, expect, it } from "vitest";

import { opcodeOf } from "../../src/iscsi/pdu/basic-header.ts";
import { Opcode, RESERVED_TAG } from "../../src/iscsi/pdu/opcode.ts";
import { RejectReason } from "../../src/iscsi/pdu/reject.ts";
import { decodeText, encodeTextRequest } from "../../src/iscsi/pdu/text.ts";
import { TextPhase } from "../../src/iscsi/text-phase.ts";
import { FullFeatureBench } from "./support/full-feature-bench.ts";

interface Request {
  readonly tag?: number;
  readonly transferTag?: number;
  readonly final?: boolean;
  readonly continued?: boolean;
}

function ask(bench: FullFeatureBench, text: string, request: Request = {}): void {
  const header = Buffer.alloc(48);
  const data = Buffer.from(text);
  encodeTextRequest(
    header,
    0,
    {
      immediate: true,
      final: request.final ?? true,
      continued: request.continued ?? false,
      initiatorTaskTag: request.tag ?? 1,
      targetTransferTag: request.transferTag ?? RESERVED_TAG,
      cmdSn: 100,
      expStatSn: 0,
    },
    data.length,
  );
  bench.receive(header, data);
}

function answers(bench: FullFeatureBench): { text: string; final: boolean; transferTag: number }[] {
  return bench.pdus
    .filter(({ header }) => opcodeOf(header, 0) === Opcode.textResponse)
    .map(({ header, data }) => {
      const { final, targetTransferTag } = decodeText(header, 0);
      return { text: data.toString(), final, transferTag: targetTransferTag };
    });
}

describe("TextPhase", () => {
  it("answers in one PDU what fits in one", () => {
    const bench = new FullFeatureBench();
    expect(bench.text).toBeInstanceOf(TextPhase);
    bench.targets = [{ key: "TargetName", value: "iqn.2026-11.net.example:disk" }];
    ask(bench, "SendTargets=All\0X-nonsense=1\0");
    expect(answers(bench)).toEqual([
      {
        text: "TargetName=iqn.2026-11.net.example:disk\0X-nonsense=NotUnderstood\0",
        final: true,
        transferTag: RESERVED_TAG,
      },
    ]);
  });

  it("hands a long answer out in pieces of what the initiator takes, under one tag", () => {
    const bench = new FullFeatureBench();
    bench.parameters.initiatorMaxRecvDataSegmentLengthBytes = 512;
    bench.targets = Array.from({ length: 50 }, (_, index) => ({
      key: "TargetName",
      value: `iqn.2026-11.net.example:disk${index}`,
    }));
    ask(bench, "SendTargets=All\0");
    for (;;) {
      const last = answers(bench).at(-1);
      if (last === undefined || last.final) break;
      ask(bench, "", { transferTag: last.transferTag });
    }
    const all = answers(bench);
    expect(all.slice(0, -1).every(({ text }) => text.length === 512)).toBe(true);
    expect(new Set(all.slice(0, -1).map(({ transferTag }) => transferTag)).size).toBe(1);
    const expected = bench.targets.map(({ key, value }) => `${key}=${value}\0`).join("");
    expect(all.map(({ text }) => text).join("")).toBe(expected);
  });

  it("gives an exchange up for one with another tag", () => {
    const bench = new FullFeatureBench();
    ask(bench, "SendTargets=", { final: false, continued: true });
    ask(bench, "X-a=1\0", { tag: 2 });
    expect(answers(bench).at(-1)).toMatchObject({ text: "X-a=NotUnderstood\0", final: true });
    ask(bench, "All\0", { transferTag: answers(bench)[0]?.transferTag ?? 0 });
    expect(bench.rejects).toEqual([RejectReason.protocolError]);
  });

  it("gives each exchange another tag, none of which an R2T has", () => {
    const bench = new FullFeatureBench();
    for (let tag = 0; tag < 5; tag += 1) ask(bench, "X-", { tag, final: false, continued: true });
    const tags = answers(bench).map(({ transferTag }) => transferTag);
    expect(new Set(tags).size).toBe(5);
    expect(tags.every((tag) => tag >= 0xfffe_0000 && tag !== RESERVED_TAG)).toBe(true);
  });

  it("lets the initiator declare its segment length anew, and rejects one that is out of range", () => {
    const bench = new FullFeatureBench();
    ask(bench, "MaxRecvDataSegmentLength=1024\0");
    expect(bench.parameters.initiatorMaxRecvDataSegmentLengthBytes).toBe(1024);
    ask(bench, "MaxRecvDataSegmentLength=511\0", { tag: 2 });
    expect(bench.rejects).toEqual([RejectReason.protocolError]);
    expect(bench.parameters.initiatorMaxRecvDataSegmentLengthBytes).toBe(1024);
  });
});
