import { connect as connectSocket, type Socket } from "node:net";
import { crc32c } from "../../native-free/crc32c.ts";
import { BASIC_HEADER_BYTES, DIGEST_BYTES, paddedBytes } from "../iscsi/pdu/basic-header.ts";
import { InitiatorError } from "./initiator-error.ts";
import { CONNECT_TIMEOUT_MS, DEFAULT_DATA_SEGMENT_BYTES } from "./limits.ts";
import { PduReader, type ReceivedPdu } from "./pdu-reader.ts";

/** Sees every PDU of a connection; tests record sessions with it. */
export interface ConnectionObserver {
  /** The bytes of one PDU as they go out, digests included. */
  sent?(bytes: Uint8Array): void;
  received?(pdu: ReceivedPdu): void;
}

const NOTHING = new Uint8Array(0);

function putDigest(into: Uint8Array, offset: number, digest: number): void {
  into[offset] = digest;
  into[offset + 1] = digest >>> 8;
  into[offset + 2] = digest >>> 16;
  into[offset + 3] = digest >>> 24;
}

/** Which digests a connection has on, from the end of its login. */
export interface DigestSwitches {
  readonly header: boolean;
  readonly data: boolean;
}

/** One PDU as it goes over the wire: header, additional header, digests and padding. */
export function framePdu(
  header: Uint8Array,
  additionalHeader: Uint8Array,
  data: Uint8Array,
  digests: DigestSwitches,
): Buffer {
  const headerBytes = BASIC_HEADER_BYTES + additionalHeader.length;
  const dataStart = headerBytes + (digests.header ? DIGEST_BYTES : 0);
  const dataEnd = dataStart + paddedBytes(data.length);
  const dataDigest = digests.data && data.length > 0;
  const frame = Buffer.alloc(dataEnd + (dataDigest ? DIGEST_BYTES : 0));
  frame.set(header, 0);
  frame.set(additionalHeader, BASIC_HEADER_BYTES);
  if (digests.header) putDigest(frame, headerBytes, crc32c(frame, 0, headerBytes));
  frame.set(data, dataStart);
  if (dataDigest) putDigest(frame, dataEnd, crc32c(frame, dataStart, dataEnd));
  return frame;
}

/**
 * A TCP connection that carries PDUs. It knows framing and digests and nothing of sessions.
 * PDUs are parsed only while somebody wants them, so that digests can be switched on between two of them.
 */
export class Connection {
  readonly #socket: Socket;
  readonly #reader: PduReader = new PduReader(DEFAULT_DATA_SEGMENT_BYTES);
  readonly #observer: ConnectionObserver;
  #digests: DigestSwitches = { header: false, data: false };
  #sink: ((pdu: ReceivedPdu) => void) | null = null;
  #closed: InitiatorError | null = null;
  #onClose: (error: InitiatorError) => void = () => undefined;
  #corked = false;
  readonly #uncork = (): void => {
    this.#corked = false;
    this.#socket.uncork();
  };

  constructor(socket: Socket, observer: ConnectionObserver = {}) {
    this.#socket = socket;
    this.#observer = observer;
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => {
      this.#reader.push(chunk);
      this.#deliver();
    });
    socket.on("error", (cause) => this.#end(`the connection broke: ${cause.message}`, cause));
    socket.on("end", () => this.#end("the target closed the connection"));
    socket.on("close", () => this.#end("the connection is closed"));
  }

  static open(
    address: string,
    port: number,
    observer: ConnectionObserver = {},
    timeoutMs: number = CONNECT_TIMEOUT_MS,
  ): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const socket = connectSocket({ host: address, port });
      const where = `${address} port ${port}`;
      const fail = (message: string, cause?: unknown): void => {
        socket.destroy();
        reject(new InitiatorError("connect", message, { cause }));
      };
      const timer = setTimeout(() => fail(`no connection to ${where} in time`), timeoutMs);
      const onError = (cause: Error): void => {
        clearTimeout(timer);
        fail(`no connection to ${where}: ${cause.message}`, cause);
      };
      socket.once("error", onError);
      socket.once("connect", () => {
        clearTimeout(timer);
        socket.off("error", onError);
        resolve(new Connection(socket, observer));
      });
    });
  }

  /** Why the connection is over, or null while it lives. */
  get closed(): InitiatorError | null {
    return this.#closed;
  }

  get localAddress(): string {
    return this.#socket.localAddress ?? "";
  }

  /** The socket, for tests that have to misbehave below the level of PDUs. */
  get socket(): Socket {
    return this.#socket;
  }

  get digests(): DigestSwitches {
    return this.#digests;
  }

  /** Call between two PDUs: right after the last Login Response, before anything else is wanted. */
  setDigests(digests: DigestSwitches): void {
    this.#digests = digests;
    this.#reader.headerDigest = digests.header;
    this.#reader.dataDigest = digests.data;
  }

  setReceiveLimit(dataSegmentBytesMax: number): void {
    this.#reader.dataSegmentBytesMax = dataSegmentBytesMax;
  }

  /** Sends one PDU; everything that is sent in one turn of the event loop leaves in one write. */
  send(
    header: Uint8Array,
    data: Uint8Array = NOTHING,
    additionalHeader: Uint8Array = NOTHING,
  ): void {
    const frame = framePdu(header, additionalHeader, data, this.#digests);
    this.#observer.sent?.(frame);
    this.sendBytes(frame);
  }

  /** Bytes as they are, for tests that send what no PDU looks like. */
  sendBytes(bytes: Uint8Array): void {
    if (this.#closed !== null) return;
    if (!this.#corked) {
      this.#corked = true;
      this.#socket.cork();
      process.nextTick(this.#uncork);
    }
    this.#socket.write(bytes);
  }

  /** The next PDU. Rejects when the connection ends or `timeoutMs` have passed. */
  receive(timeoutMs: number): Promise<ReceivedPdu> {
    return new Promise((resolve, reject) => {
      const finish = (): void => {
        clearTimeout(timer);
        this.#sink = null;
        this.#onClose = () => undefined;
      };
      const timer = setTimeout(() => {
        finish();
        reject(new InitiatorError("timeout", "the target does not answer"));
      }, timeoutMs);
      this.listen(
        (pdu) => {
          finish();
          resolve(pdu);
        },
        (error) => {
          finish();
          reject(error);
        },
      );
    });
  }

  /** Hands over every PDU from now on, and the end of the connection, once. */
  listen(sink: (pdu: ReceivedPdu) => void, onClose: (error: InitiatorError) => void): void {
    this.#sink = sink;
    this.#onClose = onClose;
    this.#deliver();
    if (this.#closed !== null && this.#sink !== null) onClose(this.#closed);
  }

  /** Ends the connection; what waits in it fails with `error`. */
  destroy(error: InitiatorError = new InitiatorError("closed", "this side closed")): void {
    this.#finish(error);
    this.#socket.destroy();
  }

  #deliver(): void {
    try {
      while (this.#sink !== null) {
        const pdu = this.#reader.next();
        if (pdu === undefined) return;
        this.#observer.received?.(pdu);
        this.#sink(pdu);
      }
    } catch (error) {
      if (!(error instanceof InitiatorError)) throw error;
      this.destroy(error);
    }
  }

  #end(message: string, cause?: unknown): void {
    this.#finish(new InitiatorError("closed", message, { cause }));
    this.#socket.destroy();
  }

  #finish(error: InitiatorError): void {
    if (this.#closed !== null) return;
    this.#closed = error;
    this.#onClose(error);
  }
}
