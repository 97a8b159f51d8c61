import { Socket } from "node:net";
import { assert } from "../util/assert.ts";
import type { SendSink } from "./send-queue.ts";

/** What a connection wants to know of its socket. Nothing is called after `onClose`. */
export interface SocketEvents {
  /** Memory to receive into next; asked for before each read. */
  receiveBuffer(): Buffer;
  /** `count` bytes stand at the start of what `receiveBuffer` gave, or in `bytes` where the runtime chose the memory. */
  onReceive(count: number, bytes: Buffer | null): void;
  /** The oldest `send` is done. */
  onSent(): void;
  /** The peer ended the stream, or an error did. */
  onClose(error: Error | null): void;
}

/** The accepted socket's handle, which the public types do not show. */
interface WithHandle {
  _handle?: unknown;
}

/**
 * The TCP socket of one connection. Node can receive into memory of ours (`onread`), but only for sockets that are made
 * with the option, and an accepted one is not; so the accepted socket's handle moves into a new Socket. Where a future
 * Node has no such handle, the socket's own 'data' events serve: slower, the same bytes.
 */
export class ConnectionSocket implements SendSink {
  readonly #socket: Socket;
  readonly #events: SocketEvents;
  #closed = false;
  #ending = false;
  readonly #onWritten: (error?: Error | null) => void;

  constructor(accepted: Socket, events: SocketEvents) {
    this.#events = events;
    this.#onWritten = (error) => {
      // Not sent: `onClose` follows. Whoever answered this with another `send` would write to a stream that is failing,
      // and the runtime calls more callbacks back then than there were writes.
      if (!this.#closed && (error === undefined || error === null)) this.#events.onSent();
    };
    this.#socket = this.#adopt(accepted);
    this.#socket.setNoDelay(true);
    let failure: Error | null = null;
    this.#socket.on("error", (error) => {
      failure = error;
    });
    this.#socket.on("end", () => this.#socket.destroy());
    this.#socket.on("close", () => {
      if (this.#closed) return;
      this.#closed = true;
      this.#events.onClose(failure);
    });
    this.#socket.resume();
  }

  #adopt(accepted: Socket): Socket {
    const holder = accepted as unknown as WithHandle;
    const handle = holder._handle;
    if (handle === null || typeof handle !== "object") {
      accepted.on("data", (chunk: Buffer) => this.#events.onReceive(chunk.length, chunk));
      return accepted;
    }
    holder._handle = null;
    // The empty shell ends here, or the listening server would count it as open for ever and never close.
    accepted.destroy();
    const options = {
      handle,
      allowHalfOpen: false,
      onread: {
        buffer: () => this.#events.receiveBuffer(),
        callback: (count: number): boolean => {
          this.#events.onReceive(count, null);
          return true;
        },
      },
    };
    return new Socket(options as ConstructorParameters<typeof Socket>[0]);
  }

  /** Sends the chunks in order, together. Failures end in `onClose`. */
  send(chunks: readonly Buffer[]): void {
    if (this.#closed || this.#ending) return;
    const last = chunks.length - 1;
    if (last > 0) this.#socket.cork();
    for (let index = 0; index <= last; index += 1) {
      const chunk = chunks[index];
      assert(chunk !== undefined, "chunks are dense");
      if (index === last) this.#socket.write(chunk, this.#onWritten);
      else this.#socket.write(chunk);
    }
    if (last > 0) this.#socket.uncork();
  }

  /** Stops and starts receiving. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Sends what is queued, then closes. */
  end(): void {
    this.#ending = true;
    this.#socket.end();
  }

  /** Closes at once. `onClose` follows in a later turn. */
  destroy(): void {
    this.#socket.destroy();
  }
}
