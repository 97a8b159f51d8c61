import { connect as connectSocket, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { encodeLun, additionalHeaderOf } from "../../src/initiator/command.ts";
import { connect, randomIsid } from "../../src/initiator/connect.ts";
import { Connection } from "../../src/initiator/connection.ts";
import { immediateBytesOf, unsolicitedBytesOf } from "../../src/initiator/data-out-sender.ts";
import { discover } from "../../src/initiator/discovery.ts";
import { InitiatorError } from "../../src/initiator/initiator-error.ts";
import { LoadGenerator } from "../../src/initiator/load-generator.ts";
import { login } from "../../src/initiator/login.ts";
import { DEFAULT_OFFERS, defaultParameters } from "../../src/initiator/parameters.ts";
import { PendingCommand } from "../../src/initiator/pending-command.ts";
import * as scsi from "../../src/initiator/scsi.ts";
import { InitiatorSession } from "../../src/initiator/session.ts";
import { patternFor, verifyRange } from "../../src/initiator/verify-range.ts";
import {
  DISK_BYTES,
  eventually,
  INITIATOR_NAME,
  InProcessTarget,
  TARGET_NAME,
} from "../support/in-process-target.ts";

let target: InProcessTarget;
beforeAll(async () => {
  target = await InProcessTarget.start();
});
afterAll(async () => {
  await target.close();
});

describe("SCSI commands by name", () => {
  it("do what they say", async () => {
    const session = await target.connect();
    expect(await scsi.inquiry(session, 0)).toMatchObject({
      peripheralQualifier: 0,
      deviceType: 0,
      vendor: "THINLUN",
    });
    expect(await scsi.readCapacity16(session, 0)).toMatchObject({
      blocks: DISK_BYTES / 512,
      blockBytes: 512,
    });
    expect(await scsi.reportLuns(session)).toEqual([0]);
    expect((await scsi.vitalProductData(session, 0, 0x00))[1]).toBe(0);
    await scsi.testUnitReady(session, 0);
    const range = { lun: 0, lba: 16, blocks: 8, blockBytes: 512 };
    const data = Buffer.alloc(4096, "pattern ");
    await scsi.write(session, range, data, true);
    expect(Buffer.compare(await scsi.read(session, range), data)).toBe(0);
    await scsi.synchronizeCache(session, 0);
    await scsi.unmap(session, range);
    expect(Buffer.compare(await scsi.read(session, range), Buffer.alloc(4096))).toBe(0);
    await session.logout();
  });

  it("fail with what the target said", async () => {
    const session = await target.connect();
    const beyond = { lun: 0, lba: DISK_BYTES / 512, blocks: 1, blockBytes: 512 };
    const error: unknown = await scsi.read(session, beyond).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(InitiatorError);
    expect(error).toMatchObject({
      kind: "check-condition",
      message: "READ (16): ILLEGAL REQUEST (5/21/00)",
      context: { status: 2, sense: { key: 5, additionalSenseCode: 0x21 } },
    });
    await expect(scsi.testUnitReady(session, 5)).rejects.toThrow(/5\/25\/00/);
    await session.logout();
  });
});

describe("connecting", () => {
  it("says where nobody listens", async () => {
    const options = {
      address: "127.0.0.1",
      port: 1,
      initiatorName: INITIATOR_NAME,
      targetName: TARGET_NAME,
    };
    await expect(connect(options)).rejects.toThrow(/no connection to 127.0.0.1 port 1/);
  });

  it("makes ISIDs of the random kind, each its own", () => {
    const isids = Array.from({ length: 50 }, randomIsid);
    expect(new Set(isids).size).toBe(50);
    for (const isid of isids) expect(isid).toMatch(/^80[0-9a-f]{10}$/);
  });

  it("discovers", async () => {
    const portal = { address: "127.0.0.1", port: target.port, initiatorName: INITIATOR_NAME };
    expect(await discover(portal)).toEqual([
      {
        name: TARGET_NAME,
        portals: [{ address: "127.0.0.1", port: target.port, portalGroupTag: 1 }],
      },
    ]);
  });
});

describe("verifying a range", () => {
  const range = { lun: 0, blockBytes: 512, startBlock: 1000, blocks: 9000, seed: 0x1234_5678 };

  it("leaves what was there, and tells how far it is", async () => {
    const session = await target.connect();
    const old = Buffer.alloc(9000 * 512, "precious data ");
    const whole = { lun: 0, lba: 1000, blocks: 9000, blockBytes: 512 };
    await scsi.write(session, whole, old);
    const progress: number[] = [];
    const result = await verifyRange(session, range, {
      advanced: (done) => void progress.push(done),
    });
    expect(result).toEqual({ checkedBytes: 9000 * 512, stoppedEarly: false });
    expect(progress.at(-1)).toBe(9000 * 512);
    expect(progress.length).toBeGreaterThan(4);
    expect(Buffer.compare(await scsi.read(session, whole), old)).toBe(0);
    await session.logout();
  });

  it("stops between two pieces when asked to", async () => {
    const session = await target.connect();
    let asked = 0;
    const result = await verifyRange(session, range, { stopped: () => ++asked > 2 });
    expect(result).toEqual({ checkedBytes: 2 * 1024 * 1024, stoppedEarly: true });
    await session.logout();
  });

  it("finds data that are not what was written, and restores all the same", async () => {
    const session = await target.connect();
    const before = await scsi.read(session, { lun: 0, lba: 1000, blocks: 8, blockBytes: 512 });
    const execute = session.execute.bind(session);
    let reads = 0;
    session.execute = async (command) => {
      const result = await execute(command);
      // The second read is the one that looks at the pattern.
      if (command.cdb[0] === 0x88 && ++reads === 2)
        result.dataIn[777] = (result.dataIn[777] ?? 0) ^ 1;
      return result;
    };
    const small = { ...range, blocks: 8 };
    await expect(verifyRange(session, small)).rejects.toThrow(
      `byte ${1000 * 512 + 777} reads back`,
    );
    session.execute = execute;
    const after = await scsi.read(session, { lun: 0, lba: 1000, blocks: 8, blockBytes: 512 });
    expect(Buffer.compare(after, before)).toBe(0);
    await session.logout();
  });

  it("writes nothing twice: each 8 bytes name their place and run", () => {
    const pattern = patternFor(range, 3, 2);
    const words = new Set<string>();
    for (let at = 0; at < pattern.length; at += 8) {
      words.add(Buffer.from(pattern).toString("hex", at, at + 8));
    }
    expect(words.size).toBe(pattern.length / 8);
    expect(Buffer.compare(patternFor({ ...range, seed: 1 }, 3, 2), pattern)).not.toBe(0);
  });
});

describe("a load generator", () => {
  it.each([
    ["read", "random", 4096, {}],
    ["write", "sequential", 4096, {}],
    ["write", "random", 524_288, {}],
    ["write", "random", 65_536, { initialR2t: true, immediateData: false }],
    ["mixed", "random", 4096, {}, { flushEvery: 5 }],
    ["unmap", "random", 65_536, {}],
    ["mixed", "random", 524_288, { headerDigest: "required", dataDigest: "required" }],
    ["unmap", "random", 4096, { headerDigest: "required", dataDigest: "required" }],
  ] as const)(
    "keeps %ss going, %s, %i bytes each, %o",
    async (kind, pattern, commandBytes, changes, more: { readonly flushEvery?: number } = {}) => {
      let receive: ((bytes: Buffer, count: number) => void) | null = null;
      const buffer = Buffer.alloc(65_536);
      const socket = await new Promise<Socket>((resolve, reject) => {
        const created: Socket = connectSocket({
          host: "127.0.0.1",
          port: target.port,
          onread: {
            buffer,
            callback: (count) => {
              if (receive === null) created.emit("data", Buffer.from(buffer.subarray(0, count)));
              else receive(buffer, count);
              return true;
            },
          },
        });
        created.once("connect", () => resolve(created));
        created.once("error", reject);
      });
      const connection = new Connection(socket);
      const names = { initiatorName: INITIATOR_NAME, targetName: TARGET_NAME };
      const offers = { ...DEFAULT_OFFERS, ...changes };
      const intent = { ...names, sessionType: "normal", offers } as const;
      const isid = randomIsid();
      const result = await login(connection, intent, { isid, tsih: 0, cid: 0 });
      const session = new InitiatorSession(connection, result, { isid, cid: 0 });
      await scsi.testUnitReady(session, 0);
      const { cmdSn, expStatSn, maxCmdSn } = session.numbers;
      const shape = { kind, pattern, lun: 0, commandBytes, queueDepth: 8, ...more };
      const load = { ...shape, blockBytes: 512, capacityBlocks: DISK_BYTES / 512 };
      const failures: InitiatorError[] = [];
      const generator = new LoadGenerator(
        socket,
        { ...result, cmdSn, expStatSn, maxCmdSn },
        load,
        (error) => void failures.push(error),
      );
      receive = (bytes, count) => generator.receive(bytes, count);
      generator.start();
      await eventually(
        () => generator.counts.commands > 200 || failures.length > 0,
        "commands run",
      );
      await generator.stop();
      expect(failures).toEqual([]);
      const { counts } = generator;
      expect(counts.latencyUs(0.5)).toBeLessThanOrEqual(counts.latencyUs(0.99));
      socket.destroy();
    },
  );
});

describe("the pieces of a command", () => {
  it("address LUNs as SAM-5 has it", () => {
    expect(Buffer.from(encodeLun(7)).toString("hex")).toBe("0007000000000000");
    expect(Buffer.from(encodeLun(300)).toString("hex")).toBe("412c000000000000");
  });

  it("put what does not fit the header into additional ones", () => {
    const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
    expect(hex(additionalHeaderOf({ lun: 0, cdb: new Uint8Array(16) }))).toBe("");
    const cdb = Uint8Array.from({ length: 18 }, (_, index) => index);
    expect(hex(additionalHeaderOf({ lun: 0, cdb }))).toBe("0003010010110000");
    const both = {
      lun: 0,
      cdb: cdb.subarray(0, 16),
      dataOut: new Uint8Array(1),
      expectedInBytes: 0x0a0b,
    };
    expect(hex(additionalHeaderOf(both))).toBe("0005020000000a0b");
  });

  it("send as much unasked as was agreed on", () => {
    const parameters = {
      ...defaultParameters(DEFAULT_OFFERS),
      firstBurstLength: 1000,
      targetMaxRecvDataSegmentLength: 600,
    };
    const cases = [
      { immediateData: true, initialR2t: false, expected: [600, 1000] },
      { immediateData: true, initialR2t: true, expected: [600, 600] },
      { immediateData: false, initialR2t: false, expected: [0, 1000] },
      { immediateData: false, initialR2t: true, expected: [0, 0] },
    ];
    for (const { expected, ...changes } of cases) {
      const agreed = { ...parameters, ...changes };
      expect([immediateBytesOf(agreed, 5000), unsolicitedBytesOf(agreed, 5000)]).toEqual(expected);
      expect(unsolicitedBytesOf(agreed, 10)).toBeLessThanOrEqual(10);
    }
  });

  it("count their R2Ts", () => {
    const pending = new PendingCommand(
      { lun: 0, cdb: new Uint8Array(6) },
      () => undefined,
      () => undefined,
    );
    pending.countReadyToTransfer(0);
    expect(() => pending.countReadyToTransfer(2)).toThrow(/R2TSN 2 where 1/);
  });
});
