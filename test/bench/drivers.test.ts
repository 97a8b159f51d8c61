import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { sumOf, type Driver } from "../../bench/drivers/driver.ts";
import { openEchoDriver } from "../../bench/drivers/echo-driver.ts";
import { openIscsiDriver } from "../../bench/drivers/iscsi-driver.ts";
import { openNbdDriver } from "../../bench/drivers/nbd-driver.ts";
import { tcpEcho } from "../../bench/peers/tcp-echo.ts";
import { LOADS } from "../../bench/loads.ts";
import { LatencyCounts } from "../../src/initiator/latency-counts.ts";
import type { Load } from "../../src/initiator/load.ts";
import {
  DISK_BYTES,
  eventually,
  InProcessTarget,
  TARGET_NAME,
} from "../support/in-process-target.ts";

const LOAD: Load = {
  kind: "mixed",
  pattern: "random",
  lun: 0,
  commandBytes: 4096,
  queueDepth: 4,
  blockBytes: 512,
  capacityBlocks: DISK_BYTES / 512,
  flushEvery: 7,
};

/** Keeps it busy for a while; its counts. */
async function keepBusy(driver: Driver, failures: readonly Error[]): Promise<void> {
  driver.start();
  await eventually(
    () => driver.counts.commands > 100 || failures.length > 0,
    "the driver is answered",
  );
  await driver.stop();
  expect(failures).toEqual([]);
  expect(driver.counts.bytes).toBeGreaterThan(0);
  expect(driver.counts.latencies.quantileUs(0.5)).toBeGreaterThanOrEqual(1);
  driver.close();
}

describe("the driver of iSCSI", () => {
  it("drives several sessions with digests, after a load that warms up", async () => {
    const target = await InProcessTarget.start();
    try {
      const failures: Error[] = [];
      const options = { port: target.port, targetName: TARGET_NAME, load: LOAD, digests: true };
      const warming = { warmUp: { ...LOAD, kind: "read" as const }, warmUpMs: 20, polls: true };
      const onFailure = (error: Error): void => void failures.push(error);
      const drivers = await Promise.all(
        [1, 2].map(() => openIscsiDriver({ ...options, ...warming, onFailure })),
      );
      await Promise.all(drivers.map((driver) => keepBusy(driver, failures)));
    } finally {
      await target.close();
    }
  });
});

const REQUEST_BYTES = 28;

/** An NBD server with a disk of zeros; `flags` of the export, and the error of each answer. */
class FakeNbd {
  readonly types: Set<number> = new Set();
  readonly #server: Server;
  readonly #error: number;

  constructor(flags: number, error = 0) {
    this.#error = error;
    this.#server = createServer((socket) => {
      socket.on("error", () => socket.destroy());
      socket.write(Buffer.from("NBDMAGICIHAVEOPT\0\x03", "latin1"));
      let state: "option" | "serving" = "option";
      let bytes = Buffer.alloc(0);
      socket.on("data", (chunk: Buffer) => {
        bytes = Buffer.concat([bytes, chunk]);
        if (state === "option" && bytes.length >= 20) {
          const answer = Buffer.alloc(10);
          answer.writeBigUInt64BE(BigInt(DISK_BYTES), 0);
          answer.writeUInt16BE(flags, 8);
          socket.write(answer);
          bytes = bytes.subarray(20);
          state = "serving";
        }
        if (state === "serving") bytes = this.#serve(socket, bytes);
      });
    });
  }

  #serve(socket: Socket, bytes: Buffer): Buffer<ArrayBuffer> {
    let rest = Buffer.from(bytes);
    while (rest.length >= REQUEST_BYTES) {
      const type = rest.readUInt16BE(6);
      const length = rest.readUInt32BE(24);
      const wholeBytes = REQUEST_BYTES + (type === 1 ? length : 0);
      if (rest.length < wholeBytes) break;
      this.types.add(type);
      const reply = Buffer.alloc(16 + (type === 0 ? length : 0));
      reply.writeUInt32BE(0x6744_6698, 0);
      reply.writeUInt32BE(this.#error, 4);
      rest.copy(reply, 8, 8, 16);
      socket.write(reply);
      rest = rest.subarray(wholeBytes);
    }
    return rest;
  }

  async listen(): Promise<number> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    const address = this.#server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  }

  close(): void {
    this.#server.close();
  }
}

describe("the driver of NBD", () => {
  const ALL_FLAGS = 0x2d;
  const servers: FakeNbd[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });
  const serve = async (flags: number, error = 0): Promise<{ server: FakeNbd; port: number }> => {
    const server = new FakeNbd(flags, error);
    servers.push(server);
    return { server, port: await server.listen() };
  };

  it.each([
    [{ ...LOAD }, [0, 1, 3]],
    [{ ...LOAD, kind: "unmap" as const, commandBytes: 65_536 }, [1, 3, 4]],
  ])("sends what the load says: %o", async (load, types) => {
    const { server, port } = await serve(ALL_FLAGS);
    const failures: Error[] = [];
    const driver = await openNbdDriver(port, load, (error) => void failures.push(error));
    await keepBusy(driver, failures);
    expect(server.types).toEqual(new Set(types));
  });

  it.each([
    ["is read-only", 0x07, LOAD, /read-only/],
    ["does not trim", 0x05, { ...LOAD, kind: "unmap" as const }, /does not trim/],
    ["does not flush", 0x01, LOAD, /does not flush/],
    ["is too small", ALL_FLAGS, { ...LOAD, capacityBlocks: DISK_BYTES }, /bytes only/],
  ] as const)("refuses an export that %s", async (_name, flags, load, complaint) => {
    const { port } = await serve(flags);
    await expect(openNbdDriver(port, load, () => undefined)).rejects.toThrow(complaint);
  });

  it("fails with the first error", async () => {
    const { port } = await serve(ALL_FLAGS, 28);
    const failed = new Promise<Error>((resolve) => {
      void openNbdDriver(port, LOAD, resolve).then((driver) => driver.start());
    });
    expect((await failed).message).toContain("error 28");
  });
});

describe("the echo", () => {
  it("answers requests with replies of the sizes of the load, by a process of its own", async () => {
    const [load] = LOADS.filter(({ id }) => id === "128k-sequential-write-d8");
    if (load === undefined) throw new Error("there is such a load");
    const echo = await tcpEcho.start({ folder: "", files: [] });
    try {
      const signal = new AbortController().signal;
      const request = {
        load,
        diskBytes: 1 << 28,
        seconds: 0.05,
        placement: "free",
        signal,
      } as const;
      const measured = await echo.measure(request);
      expect(measured.bytesPerSecond / measured.operationsPerSecond).toBeCloseTo(131_072, 3);
      expect(measured.cpuUsPerOperation).toBeGreaterThanOrEqual(0);
      expect(measured.residentBytes).toBeGreaterThan(1 << 20);
      expect(echo.isAlive()).toBe(true);
    } finally {
      await echo.stop();
    }
    expect(echo.isAlive()).toBe(false);
  });

  it("counts replies that come in pieces", async () => {
    const server = createServer({ noDelay: true }, (socket) => {
      socket.on("error", () => socket.destroy());
      socket.on("data", () => {
        socket.write(Buffer.alloc(30));
        setImmediate(() => socket.write(Buffer.alloc(70)));
      });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as { port: number };
    const failures: Error[] = [];
    const shape = { requestBytes: 48, replyBytes: 100, depth: 1 };
    const driver = await openEchoDriver(port, shape, (error) => void failures.push(error));
    await keepBusy(driver, failures);
    server.close();
  });
});

it("counts of sessions side by side add up, over the longest time", () => {
  const latencies = new LatencyCounts();
  latencies.record(5);
  const part = { commands: 1, bytes: 10, elapsedMs: 7, latencies };
  expect(sumOf([part, { ...part, elapsedMs: 9 }])).toMatchObject({
    commands: 2,
    bytes: 20,
    elapsedMs: 9,
  });
  expect(() => sumOf([])).toThrow(/has a session/);
});
