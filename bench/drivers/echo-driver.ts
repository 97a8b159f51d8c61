import type { Socket } from "node:net";
import { LatencyCounts } from "../../src/initiator/latency-counts.ts";
import type { Driver, DriverCounts } from "./driver.ts";
import { openReceivingSocket } from "./receiving-socket.ts";

/** The header that goes before the data in each direction, as that of iSCSI does. */
export const ECHO_HEADER_BYTES = 48;

/** What a connection says first: so many bytes ask, and so many answer. */
export const ECHO_GREETING_BYTES = 8;

export interface EchoShape {
  readonly requestBytes: number;
  readonly replyBytes: number;
  readonly depth: number;
}

/** Requests and replies of the sizes of a load over TCP, with nothing behind them: what the network costs, both sides awake or not. */
class EchoDriver implements Driver {
  readonly exhausted: Promise<void> = new Promise(() => undefined);
  readonly #socket: Socket;
  readonly #shape: EchoShape;
  readonly #request: Buffer;
  /** Replies come in the order of their requests. */
  readonly #sentMs: Float64Array;
  #first = 0;
  #inFlight = 0;
  #partBytes = 0;
  #latencies: LatencyCounts = new LatencyCounts();
  #sinceMs = 0;
  #stopping = false;
  #onIdle: () => void = () => undefined;

  constructor(socket: Socket, shape: EchoShape) {
    this.#socket = socket;
    this.#shape = shape;
    this.#request = Buffer.alloc(shape.requestBytes);
    this.#sentMs = new Float64Array(shape.depth);
  }

  start(): void {
    this.reset();
    this.#send(this.#shape.depth);
  }

  reset(): void {
    this.#latencies.clear();
    this.#sinceMs = performance.now();
  }

  get counts(): DriverCounts {
    const latencies = this.#latencies.copy();
    const { requestBytes, replyBytes } = this.#shape;
    return {
      commands: latencies.count,
      bytes: latencies.count * (requestBytes + replyBytes - 2 * ECHO_HEADER_BYTES),
      elapsedMs: performance.now() - this.#sinceMs,
      latencies,
    };
  }

  stop(): Promise<void> {
    this.#stopping = true;
    return new Promise((resolve) => {
      this.#onIdle = resolve;
      if (this.#inFlight === 0) resolve();
    });
  }

  close(): void {
    this.#socket.removeAllListeners("close");
    this.#socket.destroy();
  }

  receive(count: number): void {
    const bytes = this.#partBytes + count;
    const replies = Math.floor(bytes / this.#shape.replyBytes);
    this.#partBytes = bytes - replies * this.#shape.replyBytes;
    const nowMs = performance.now();
    for (let reply = 0; reply < replies; reply += 1) {
      this.#latencies.record((nowMs - (this.#sentMs[this.#first] ?? nowMs)) * 1000);
      this.#first = (this.#first + 1) % this.#shape.depth;
    }
    this.#inFlight -= replies;
    if (!this.#stopping) this.#send(replies);
    else if (this.#inFlight === 0) this.#onIdle();
  }

  #send(count: number): void {
    const nowMs = performance.now();
    this.#socket.cork();
    for (let index = 0; index < count; index += 1) {
      this.#sentMs[(this.#first + this.#inFlight) % this.#shape.depth] = nowMs;
      this.#inFlight += 1;
      this.#socket.write(this.#request);
    }
    this.#socket.uncork();
  }
}

export async function openEchoDriver(
  port: number,
  shape: EchoShape,
  onFailure: (error: Error) => void,
): Promise<Driver> {
  const { socket, take } = await openReceivingSocket(port);
  const greeting = Buffer.alloc(ECHO_GREETING_BYTES);
  greeting.writeUInt32BE(shape.requestBytes, 0);
  greeting.writeUInt32BE(shape.replyBytes, 4);
  const driver = new EchoDriver(socket, shape);
  take((_bytes, count) => driver.receive(count));
  socket.once("error", onFailure);
  socket.once("close", () => onFailure(new Error("the echo closed the connection")));
  socket.write(greeting);
  return driver;
}
