import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { Duplex } from "node:stream";
import { afterEach, describe, expect, it } from "vitest";

import { ConnectionSocket, type SocketEvents } from "../../src/iscsi/socket.ts";
import { eventually } from "../support/in-process-target.ts";

/** Keeps what it is told. */
class Events implements SocketEvents {
  /** Small, so that a message needs several reads. */
  memory: Buffer = Buffer.alloc(1000);
  received: Buffer[] = [];
  sentCount = 0;
  closes: (Error | null)[] = [];
  chosenByRuntime = 0;

  receiveBuffer(): Buffer {
    return this.memory;
  }

  onReceive(count: number, bytes: Buffer | null): void {
    if (bytes !== null) this.chosenByRuntime += 1;
    this.received.push(Buffer.from((bytes ?? this.memory).subarray(0, count)));
    this.memory.fill(0);
  }

  onSent(): void {
    this.sentCount += 1;
  }

  onClose(error: Error | null): void {
    this.closes.push(error);
  }

  get receivedBytes(): number {
    return this.received.reduce((sum, { length }) => sum + length, 0);
  }
}

interface Pair {
  readonly socket: ConnectionSocket;
  readonly events: Events;
  readonly peer: Socket;
  readonly server: Server;
}

let pair: Pair | null = null;

afterEach(async () => {
  if (pair === null) return;
  const { socket, peer, server } = pair;
  pair = null;
  socket.destroy();
  peer.destroy();
  if (server.listening) await new Promise((resolve) => server.close(resolve));
});

async function open(): Promise<Pair> {
  const server = createServer({ pauseOnConnect: true });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const accepting = once(server, "connection");
  const peer = connect(address.port, "127.0.0.1");
  peer.on("error", () => undefined);
  const [accepted] = (await accepting) as [Socket];
  const events = new Events();
  pair = { socket: new ConnectionSocket(accepted, events), events, peer, server };
  return pair;
}

const DATA = Buffer.from(Array.from({ length: 5000 }, (_, index) => index % 251));

describe("ConnectionSocket", () => {
  it("receives into the memory that it is given, and sends chunks in order", async () => {
    const { socket, events, peer } = await open();
    peer.write(DATA);
    await eventually(() => events.receivedBytes === DATA.length, "all is received");
    expect(Buffer.concat(events.received).equals(DATA)).toBe(true);
    expect(events.chosenByRuntime).toBe(0);
    expect(events.received.length).toBeGreaterThanOrEqual(5);
    const back: Buffer[] = [];
    peer.on("data", (chunk: Buffer) => back.push(chunk));
    socket.send([DATA.subarray(0, 10), DATA.subarray(10, 2000)]);
    socket.send([DATA.subarray(2000)]);
    await eventually(() => events.sentCount === 2, "both are sent");
    await eventually(() => Buffer.concat(back).length === DATA.length, "all arrives");
    expect(Buffer.concat(back).equals(DATA)).toBe(true);
  });

  it("stops receiving and goes on", async () => {
    const { socket, events, peer } = await open();
    socket.pause();
    peer.write(DATA);
    for (let turn = 0; turn < 50; turn += 1) await new Promise((done) => setImmediate(done));
    expect(events.receivedBytes).toBe(0);
    socket.resume();
    await eventually(() => events.receivedBytes === DATA.length, "all is received");
  });

  it("tells once that the peer has gone, and nothing after it", async () => {
    const { socket, events, peer } = await open();
    peer.end();
    await eventually(() => events.closes.length === 1, "it is told");
    socket.send([DATA]);
    socket.destroy();
    for (let turn = 0; turn < 20; turn += 1) await new Promise((done) => setImmediate(done));
    expect(events.closes).toEqual([null]);
    expect(events.sentCount).toBe(0);
  });

  it("tells of a reset with its error", async () => {
    const { events, peer } = await open();
    peer.resetAndDestroy();
    await eventually(() => events.closes.length === 1, "it is told");
    expect(events.closes[0]).toMatchObject({ code: "ECONNRESET" });
  });

  it("sends what is queued before it ends, and nothing that comes later", async () => {
    const { socket, events, peer } = await open();
    const back: Buffer[] = [];
    peer.on("data", (chunk: Buffer) => back.push(chunk));
    socket.send([DATA]);
    socket.end();
    socket.send([DATA]);
    await eventually(() => events.closes.length === 1, "it closes");
    await eventually(() => Buffer.concat(back).length >= DATA.length, "all arrives");
    expect(Buffer.concat(back).equals(DATA)).toBe(true);
  });

  /** The server counted the empty shell of the accepted socket as open, and never closed. */
  it("does not keep the server that accepted it from closing", async () => {
    const { server } = await open();
    await new Promise((resolve) => server.close(resolve));
  });
});

/** A stream in place of a socket: it has no handle, as a socket of another runtime may have none. */
class Handleless extends Duplex {
  readonly written: Buffer[] = [];

  setNoDelay(): this {
    return this;
  }

  override _read(): void {
    // The test pushes.
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.written.push(Buffer.from(chunk));
    done();
  }
}

/** A stream whose writes fail, as they do when the peer has reset the connection. */
class Failing extends Handleless {
  override _write(_chunk: Buffer, _encoding: string, done: (error?: Error) => void): void {
    setImmediate(done, new Error("reset"));
  }
}

describe("writes that fail", () => {
  /** They were, and whoever then sent more got more answers than there were writes. */
  it("are not taken for finished ones", async () => {
    const events = new Events();
    const stream = new Failing() as unknown as Socket;
    const socket = new ConnectionSocket(stream, events);
    for (let count = 0; count < 3; count += 1) socket.send([DATA.subarray(0, 5), DATA.subarray(5)]);
    await eventually(() => events.closes.length === 1, "it closes");
    expect(events.closes).toMatchObject([{ message: "reset" }]);
    expect(events.sentCount).toBe(0);
  });
});

describe("a socket without a handle", () => {
  it("does the same with memory that the runtime chose", async () => {
    const stream = new Handleless({ allowHalfOpen: false });
    const events = new Events();
    const socket = new ConnectionSocket(stream as unknown as Socket, events);
    stream.push(DATA);
    await eventually(() => events.receivedBytes === DATA.length, "all is received");
    expect(Buffer.concat(events.received).equals(DATA)).toBe(true);
    expect(events.chosenByRuntime).toBeGreaterThan(0);
    socket.send([DATA.subarray(0, 5), DATA.subarray(5)]);
    await eventually(() => events.sentCount === 1, "it is sent");
    expect(Buffer.concat(stream.written).equals(DATA)).toBe(true);
    stream.push(null);
    await eventually(() => events.closes.length === 1, "it closes");
    expect(events.closes).toEqual([null]);
  });
});
