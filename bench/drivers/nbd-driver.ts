import type { Socket } from "node:net";
import { LatencyCounts } from "../../src/initiator/latency-counts.ts";
import { LoadAction, type Load } from "../../src/initiator/load.ts";
import { LoadPlan } from "../../src/initiator/load-plan.ts";
import { setUint32BE, setUint64BE } from "../../src/util/bytes.ts";
import type { Driver, DriverCounts } from "./driver.ts";
import { negotiateNbd } from "./nbd-handshake.ts";
import { openReceivingSocket } from "./receiving-socket.ts";

/** The NBD protocol, doc/proto.md of its reference implementation: requests and simple replies. */
const REQUEST_MAGIC = 0x2560_9513;
const REPLY_MAGIC = 0x6744_6698;
const REQUEST_BYTES = 28;
const REPLY_BYTES = 16;
const COOKIE_LOW = 12;
const OFFSET = 16;
const NBD_TYPE: Readonly<Record<LoadAction, number>> = {
  [LoadAction.read]: 0,
  [LoadAction.write]: 1,
  [LoadAction.flush]: 3,
  [LoadAction.unmap]: 4,
};

/** The same loads as over iSCSI, of the same plan, over NBD. */
class NbdDriver implements Driver {
  readonly exhausted: Promise<void> = new Promise(() => undefined);
  readonly #socket: Socket;
  readonly #load: Load;
  readonly #plan: LoadPlan;
  readonly #onFailure: (error: Error) => void;
  /** By action and place in the queue. */
  readonly #frames: Buffer[] = [];
  readonly #actions: LoadAction[] = [];
  readonly #sentMs: Float64Array;
  readonly #header: Buffer = Buffer.alloc(REPLY_BYTES);
  #headerBytes = 0;
  #skipBytes = 0;
  #free: number[] = [];
  #inFlight = 0;
  readonly #latencies: LatencyCounts = new LatencyCounts();
  #bytes = 0;
  #sinceMs = 0;
  #stopping = false;
  #onIdle: () => void = () => undefined;

  constructor(socket: Socket, load: Load, onFailure: (error: Error) => void) {
    this.#socket = socket;
    this.#load = load;
    this.#plan = new LoadPlan(load);
    this.#onFailure = onFailure;
    this.#sentMs = new Float64Array(load.queueDepth);
    for (const action of this.#plan.actions) {
      for (let slot = 0; slot < load.queueDepth; slot += 1) {
        this.#frames[action * load.queueDepth + slot] = this.#frame(action, slot);
      }
    }
  }

  start(): void {
    this.reset();
    this.#free = Array.from({ length: this.#load.queueDepth }, (_, slot) => slot);
    this.#send();
  }

  reset(): void {
    this.#latencies.clear();
    this.#bytes = 0;
    this.#sinceMs = performance.now();
  }

  get counts(): DriverCounts {
    const latencies = this.#latencies.copy();
    const elapsedMs = performance.now() - this.#sinceMs;
    return { commands: latencies.count, bytes: this.#bytes, elapsedMs, latencies };
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

  receive(bytes: Buffer, count: number): void {
    let at = 0;
    while (at < count) {
      if (this.#skipBytes > 0) {
        const skipped = Math.min(this.#skipBytes, count - at);
        this.#skipBytes -= skipped;
        at += skipped;
        if (this.#skipBytes === 0) this.#complete();
        continue;
      }
      const part = Math.min(REPLY_BYTES - this.#headerBytes, count - at);
      bytes.copy(this.#header, this.#headerBytes, at, at + part);
      this.#headerBytes += part;
      at += part;
      if (this.#headerBytes === REPLY_BYTES) this.#onReply();
    }
    this.#send();
  }

  #onReply(): void {
    this.#headerBytes = 0;
    const error = this.#header.readUInt32BE(4);
    if (this.#header.readUInt32BE(0) !== REPLY_MAGIC || error !== 0) {
      this.#onFailure(new Error(`a request over NBD ended with error ${error}`));
      return;
    }
    const reads = this.#actions[this.#header.readUInt32BE(COOKIE_LOW)] === LoadAction.read;
    if (reads) this.#skipBytes = this.#load.commandBytes;
    else this.#complete();
  }

  #complete(): void {
    const slot = this.#header.readUInt32BE(COOKIE_LOW);
    const action = this.#actions[slot];
    this.#latencies.record((performance.now() - (this.#sentMs[slot] ?? 0)) * 1000);
    if (action === LoadAction.read || action === LoadAction.write) {
      this.#bytes += this.#load.commandBytes;
    }
    this.#inFlight -= 1;
    if (!this.#stopping) this.#free.push(slot);
    else if (this.#inFlight === 0) this.#onIdle();
  }

  #send(): void {
    if (this.#stopping || this.#free.length === 0) return;
    const nowMs = performance.now();
    this.#socket.cork();
    for (const slot of this.#free) {
      const action = this.#plan.nextAction(slot);
      const frame = this.#frames[action * this.#load.queueDepth + slot];
      if (frame === undefined) throw new Error("each place has a frame");
      if (action !== LoadAction.flush) {
        const block = this.#plan.nextBlock(slot, action);
        setUint64BE(frame, OFFSET, block * this.#load.blockBytes);
      }
      this.#actions[slot] = action;
      this.#sentMs[slot] = nowMs;
      this.#inFlight += 1;
      this.#socket.write(frame);
    }
    this.#socket.uncork();
    this.#free.length = 0;
  }

  #frame(action: LoadAction, slot: number): Buffer {
    const { commandBytes } = this.#load;
    const writes = action === LoadAction.write;
    const frame = Buffer.alloc(REQUEST_BYTES + (writes ? commandBytes : 0), 0x5a);
    frame.fill(0, 0, REQUEST_BYTES);
    setUint32BE(frame, 0, REQUEST_MAGIC);
    frame.writeUInt16BE(NBD_TYPE[action], 6);
    setUint32BE(frame, COOKIE_LOW, slot);
    if (action !== LoadAction.flush) setUint32BE(frame, 24, commandBytes);
    return frame;
  }
}

/** The export without a name, of a server on loopback. */
export async function openNbdDriver(
  port: number,
  load: Load,
  onFailure: (error: Error) => void,
): Promise<Driver> {
  const { socket, take } = await openReceivingSocket(port);
  await negotiateNbd(socket, load);
  socket.once("error", onFailure);
  socket.once("close", () => onFailure(new Error("the NBD server closed the connection")));
  const driver = new NbdDriver(socket, load, onFailure);
  take((bytes, count) => driver.receive(bytes, count));
  return driver;
}
