import { createServer, type Socket } from "node:net";
import { ECHO_GREETING_BYTES } from "./echo-driver.ts";

/** The other side of the echo: a process of its own, as a target is. Prints its port as a line. */

const RECEIVE_BYTES = 1024 * 1024;

/** Answers each request that is there, all of them in one write. */
function serve(socket: Socket): void {
  socket.setNoDelay(true);
  socket.on("error", () => socket.destroy());
  let requestBytes = 0;
  let reply = Buffer.alloc(0);
  let waiting: Buffer | null = Buffer.alloc(0);
  let partBytes = 0;
  socket.on("data", (chunk: Buffer) => {
    let bytes = chunk.length;
    if (waiting !== null) {
      waiting = Buffer.concat([waiting, chunk]);
      if (waiting.length < ECHO_GREETING_BYTES) return;
      requestBytes = waiting.readUInt32BE(0);
      reply = Buffer.alloc(waiting.readUInt32BE(4));
      bytes = waiting.length - ECHO_GREETING_BYTES;
      waiting = null;
    }
    partBytes += bytes;
    if (partBytes < requestBytes) return;
    socket.cork();
    for (; partBytes >= requestBytes; partBytes -= requestBytes) socket.write(reply);
    socket.uncork();
  });
}

const server = createServer({ highWaterMark: RECEIVE_BYTES }, serve);
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (address !== null && typeof address === "object") process.stdout.write(`${address.port}\n`);
});
