import { createConnection, type Socket } from "node:net";
import {
  decodeResponse,
  RESPONSE_HEADER_BYTES,
  responseBytes,
} from "../../../control/tgt/response.ts";
import { bytesOf } from "../byte-words.ts";

/** One request of tgt's management protocol, and the answer to it. */

/** What the name of a unix socket has room for in sockaddr_un, without the NUL. */
export const SOCKET_PATH_BYTES_MAX = 107;

/**
 * `unreachable`: nobody listens, or not for this user. `unsent`: the connection ended before the request was out. `reset`: it
 * broke after that. `silent`: it was closed without an answer. `partial`: it was closed within the header of an answer. `broken`:
 * the header says what cannot be, or less text came than it says.
 */
export type ExchangeFault = "unreachable" | "unsent" | "reset" | "silent" | "partial" | "broken";

export interface Answer {
  readonly error: number;
  /** To the first NUL, one character a byte. */
  readonly text: string;
}

/** Asks the daemon behind a unix socket, and waits for as long as it takes. Never rejects. */
export function exchange(request: Uint8Array, socketPath: string): Promise<Answer | ExchangeFault> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let [receivedBytes, answerBytes] = [0, -1];
    let [isConnected, isSent] = [false, false];
    const socket = connect(socketPath);
    const finish = (result: Answer | ExchangeFault): void => {
      resolve(result);
      socket.destroy();
    };
    socket.on("connect", () => {
      isConnected = true;
      socket.write(request, () => (isSent = true));
    });
    socket.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      receivedBytes += chunk.length;
      if (answerBytes === -1) {
        const length = responseBytes(Buffer.concat(chunks));
        if (length === "incomplete") return;
        if (typeof length === "string") return finish("broken");
        answerBytes = length;
      }
      if (receivedBytes < answerBytes) return;
      finish(answerOf(Buffer.concat(chunks).subarray(0, answerBytes)));
    });
    socket.on("end", () => {
      if (receivedBytes === 0) finish("silent");
      else finish(receivedBytes < RESPONSE_HEADER_BYTES ? "partial" : "broken");
    });
    socket.on("error", () => {
      if (!isConnected) finish("unreachable");
      else finish(isSent ? "reset" : "unsent");
    });
  });
}

/** Whether somebody listens at a unix socket. */
export function isListening(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(socketPath);
    const finish = (result: boolean): void => {
      resolve(result);
      socket.destroy();
    };
    socket.on("connect", () => finish(true));
    socket.on("error", () => finish(false));
  });
}

/** The path may be of any bytes; Node.js takes UTF-8. */
function connect(socketPath: string): Socket {
  return createConnection({ path: bytesOf(socketPath).toString("utf8") });
}

function answerOf(bytes: Buffer): Answer | ExchangeFault {
  const response = decodeResponse(bytes);
  if (typeof response === "string") return "broken";
  // Aliases of initiators are bytes from the network: what is printed is what came.
  const text = bytes.toString("latin1", RESPONSE_HEADER_BYTES);
  const end = text.indexOf("\0");
  return { error: response.error, text: end === -1 ? text : text.slice(0, end) };
}
