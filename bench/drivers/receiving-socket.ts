import { connect as connectSocket, type Socket } from "node:net";

export type Receive = (bytes: Buffer, count: number) => void;

const RECEIVE_BYTES = 1024 * 1024;

/** A socket that receives into one buffer once somebody takes it; until then it emits its data as sockets do. */
export interface ReceivingSocket {
  readonly socket: Socket;
  readonly take: (receive: Receive) => void;
}

export function openReceivingSocket(port: number): Promise<ReceivingSocket> {
  return new Promise((resolve, reject) => {
    const buffer = Buffer.allocUnsafe(RECEIVE_BYTES);
    let receive: Receive | null = null;
    const socket: Socket = connectSocket({
      host: "127.0.0.1",
      port,
      noDelay: true,
      onread: {
        buffer,
        callback: (count) => {
          if (receive === null) socket.emit("data", Buffer.from(buffer.subarray(0, count)));
          else receive(buffer, count);
          return true;
        },
      },
    });
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.off("error", reject);
      resolve({ socket, take: (next) => void (receive = next) });
    });
  });
}

/** The event loop never waits until the socket is closed. */
export function keepAwake(socket: Socket): void {
  const again = (): void => {
    if (!socket.destroyed) setImmediate(again);
  };
  again();
}
