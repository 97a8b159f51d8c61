import type { Socket } from "node:net";
import { expect, it } from "vitest";
import { BASIC_HEADER_BYTES, BasicHeaderOffset } from "../../src/iscsi/pdu/basic-header.ts";
import { Opcode } from "../../src/iscsi/pdu/opcode.ts";
import { LoadGenerator, type Load } from "../../src/initiator/load-generator.ts";
import { DEFAULT_OFFERS, defaultParameters } from "../../src/initiator/parameters.ts";

const LOAD: Load = {
  kind: "read",
  pattern: "sequential",
  lun: 0,
  commandBytes: 4096,
  queueDepth: 4,
  blockBytes: 512,
  capacityBlocks: 2048,
};

/** A generator whose PDUs are kept, and which is told whatever the test wants. */
function generate(load: Load, maxCmdSn: number, cmdSn = 10) {
  const sent: Buffer[] = [];
  const failures: string[] = [];
  const socket = {
    write: (bytes: Buffer) => void sent.push(Buffer.from(bytes)),
    cork: () => undefined,
    uncork: () => undefined,
  } as unknown as Socket;
  const parameters = defaultParameters(DEFAULT_OFFERS);
  const login = { parameters, tsih: 1, cmdSn, expStatSn: 1, maxCmdSn };
  const generator = new LoadGenerator(socket, login, load, ({ message }) => {
    failures.push(message);
  });
  const answer = (tag: number, max: number, status = 0): void => {
    const response = Buffer.alloc(BASIC_HEADER_BYTES);
    response[0] = Opcode.scsiResponse;
    response[1] = 0x80;
    response[3] = status;
    response.writeUInt32BE(tag, BasicHeaderOffset.initiatorTaskTag);
    response.writeUInt32BE(max >>> 0, BasicHeaderOffset.maxCmdSn);
    generator.receive(response, response.length);
  };
  const numbers = (): number[] => sent.map((pdu) => pdu.readUInt32BE(BasicHeaderOffset.cmdSn));
  return { generator, sent, failures, answer, numbers };
}

it("sends no more than the target has room for, and the rest once it has", async () => {
  const { generator, answer, numbers, failures } = generate(LOAD, 11);
  generator.start();
  expect(numbers()).toEqual([10, 11]);
  answer(0, 11);
  expect(numbers()).toEqual([10, 11]);
  answer(1, 13);
  expect(numbers()).toEqual([10, 11, 12, 13]);
  // What is less comes late, and takes no room away.
  answer(2, 12);
  expect(numbers()).toEqual([10, 11, 12, 13]);
  answer(3, 14);
  expect(numbers()).toEqual([10, 11, 12, 13, 14]);
  expect(generator.numbers).toMatchObject({ cmdSn: 15, maxCmdSn: 14 });
  const stopped = generator.stop();
  answer(0, 100);
  await stopped;
  expect(numbers()).toHaveLength(5);
  expect(failures).toEqual([]);
});

it("knows room over the end of the numbers", () => {
  const { generator, numbers } = generate(LOAD, 1, 0xffff_fffe);
  generator.start();
  expect(numbers()).toEqual([0xffff_fffe, 0xffff_ffff, 0, 1]);
});

it("counts flushes as commands without bytes, and sends to all LUNs in turn", () => {
  const load: Load = { ...LOAD, kind: "write", luns: [3, 4], flushEvery: 3 };
  const { generator, answer, sent } = generate(load, 100);
  generator.start();
  expect(sent.map((pdu) => pdu[BasicHeaderOffset.lun + 1])).toEqual([3, 4, 3, 4]);
  expect(sent.map((pdu) => pdu[32])).toEqual([0x8a, 0x8a, 0x8a, 0x91]);
  for (const tag of [0, 1, 2, 3]) answer(tag, 100);
  expect(generator.counts).toMatchObject({ commands: 4, bytes: 3 * 4096 });
  generator.reset();
  expect(generator.counts).toMatchObject({ commands: 0, bytes: 0 });
});

it("says what a command has failed with", () => {
  const { generator, answer, failures } = generate(LOAD, 100);
  generator.start();
  answer(0, 100, 2);
  expect(failures).toEqual(["a command under load ended with status 2"]);
});
