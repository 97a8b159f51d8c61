import { open, type FileHandle } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import { dirname } from "node:path";
import { type FileLock, FileLockedError, lockFile } from "../../../../native-free/file-lock.ts";
import { makeFolder } from "../../../../native-free/make-folder.ts";
import type { Log } from "../../../util/log.ts";
import { listenOnSocket } from "../../control-socket.ts";
import { StartError } from "../../start-error.ts";
import { decodeRequest, REQUEST_HEADER_BYTES, requestBytes, type TgtRequest } from "../request.ts";
import { encodeResponse, type TgtResponse } from "../response.ts";
import { ANSWER_MS_MAX, CONNECTIONS_MAX, REQUEST_MS_MAX } from "./limits.ts";

export interface TgtServerOptions {
  readonly log: Log;
  /** Never rejects. */
  readonly execute: (request: TgtRequest) => Promise<TgtResponse>;
  /** Tests are shorter of time. */
  readonly requestMsMax?: number;
}

const OWNER_ONLY = 0o600;
const FOLDER_MODE = 0o755;

/** The `.lock` file beside the socket, by which daemons of tgt keep each other from one control port. */
interface HeldLock {
  readonly file: FileHandle;
  readonly lock: FileLock;
}

/**
 * Serves tgt's management protocol on a unix socket: one request and one answer for each connection. The kernel lets only the owner
 * and the superuser connect, to whom tgtd would not answer.
 */
export class TgtServer {
  readonly #options: TgtServerOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #held: HeldLock | null = null;
  #running = 0;
  #idle: () => void = () => undefined;

  constructor(options: TgtServerOptions) {
    this.#options = options;
    this.#server = createServer({ allowHalfOpen: true }, (socket) => this.#accept(socket));
    this.#server.maxConnections = CONNECTIONS_MAX;
  }

  /** @throws {StartError} another daemon has the control port, or the system refuses */
  async listen(path: string): Promise<void> {
    await makeFolder(dirname(path), FOLDER_MODE);
    this.#held = await takeLock(`${path}.lock`);
    try {
      await listenOnSocket(this.#server, path);
    } catch (error) {
      await this.#release();
      throw error;
    }
  }

  /** No new requests; resolves when those that run have been answered. The socket's file is gone then. */
  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    if (this.#running > 0) await new Promise<void>((resolve) => (this.#idle = resolve));
    // Answers are with the kernel by now; whoever keeps its end open is not waited for.
    for (const socket of this.#sockets) socket.destroy();
    await closed;
    await this.#release();
  }

  async #release(): Promise<void> {
    const held = this.#held;
    this.#held = null;
    await held?.lock.release();
    await held?.file.close();
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket);
    let received: Buffer = Buffer.alloc(0);
    const tooLong = setTimeout(
      () => socket.destroy(),
      this.#options.requestMsMax ?? REQUEST_MS_MAX,
    );
    socket.on("close", () => {
      clearTimeout(tooLong);
      this.#sockets.delete(socket);
    });
    // Whoever does not wait for the answer does not get it.
    socket.on("error", () => undefined);
    socket.on("end", () => socket.end());
    const take = (chunk: Buffer): void => {
      received = Buffer.concat([received, chunk]);
      if (received.length < REQUEST_HEADER_BYTES) return;
      const length = requestBytes(received);
      if (typeof length === "number" && received.length < length) return;
      clearTimeout(tooLong);
      socket.off("data", take);
      socket.removeAllListeners("end");
      const request = decodeRequest(received);
      if (typeof request === "string") {
        this.#options.log.debug({ fault: request }, "what came is no request of tgtadm's");
        socket.destroy();
      } else void this.#answer(socket, request);
    };
    socket.on("data", take);
  }

  async #answer(socket: Socket, request: TgtRequest): Promise<void> {
    this.#running += 1;
    // What else comes is not looked at; without this, the end of the other side would not be seen.
    socket.resume();
    try {
      const bytes = encodeResponse(await this.#options.execute(request));
      socket.setTimeout(ANSWER_MS_MAX, () => socket.destroy());
      await new Promise<void>((resolve) => {
        socket.once("close", resolve);
        socket.end(bytes, resolve);
      });
    } finally {
      this.#running -= 1;
      if (this.#running === 0) this.#idle();
    }
  }
}

async function takeLock(path: string): Promise<HeldLock> {
  const file = await open(path, "a", OWNER_ONLY);
  try {
    return { file, lock: await lockFile(file.fd, path) };
  } catch (error) {
    await file.close();
    if (!(error instanceof FileLockedError)) throw error;
    throw new StartError(`another tgtd is using ${path}`, error);
  }
}
