import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { requestBytes } from "../../../../src/control/tgt/request.ts";
import { encodeResponse, type TgtResponse } from "../../../../src/control/tgt/response.ts";

/** Stands in for tgtd: keeps what it is asked, and answers what it is told to. */
export class RecordingServer {
  /** For TGT_IPC_SOCKET. The control port is 0. */
  readonly socketBase: string;
  /** What it answers next: an answer, or bytes as they are. */
  answer: TgtResponse | Uint8Array = { error: 0, text: "" };
  /** Closes with the bytes of the request unread. */
  isRude = false;
  /** Listens no more once it has answered. */
  endsAfterAnswer = false;
  readonly #folder: string;
  readonly #server: Server;
  #requests: Buffer[] = [];

  private constructor() {
    this.#folder = mkdtempSync(join(tmpdir(), "thinlun-tgtadm-"));
    this.socketBase = join(this.#folder, "socket");
    this.#server = createServer({ pauseOnConnect: true }, (socket) => {
      socket.on("error", () => undefined);
      if (this.isRude) {
        setTimeout(() => socket.destroy(), 20);
        return;
      }
      let sent: Buffer = Buffer.alloc(0);
      socket.on("data", (chunk: Buffer) => {
        sent = Buffer.concat([sent, chunk]);
        const length = requestBytes(sent);
        if (typeof length !== "number" || sent.length < length) return;
        this.#requests.push(sent);
        if (this.endsAfterAnswer) this.#server.close();
        socket.end(this.answer instanceof Uint8Array ? this.answer : encodeResponse(this.answer));
      });
      socket.resume();
    });
  }

  static async start(): Promise<RecordingServer> {
    const server = new RecordingServer();
    server.#server.listen(`${server.socketBase}.0`);
    await once(server.#server, "listening");
    return server;
  }

  /** What it was asked since the last time, in hexadecimal. */
  take(): string[] {
    const taken = this.#requests.map((bytes) => bytes.toString("hex"));
    this.#requests = [];
    return taken;
  }

  dispose(): void {
    this.#server.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
