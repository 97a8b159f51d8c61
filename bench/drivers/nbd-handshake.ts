import type { Socket } from "node:net";
import type { Load } from "../../src/initiator/load.ts";

/** Fixed newstyle negotiation of NBD, by the option that every server knows: NBD_OPT_EXPORT_NAME. */
const GREETING_BYTES = 18;
const ANSWER_BYTES = 10;
const FIXED_NEWSTYLE_NO_ZEROES = 3;
const OPT_EXPORT_NAME = 1;

const FLAG_READ_ONLY = 1 << 1;
const FLAG_FLUSH = 1 << 2;
const FLAG_TRIM = 1 << 5;

/** So many bytes, all that come until then. */
function take(socket: Socket, count: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let bytes = Buffer.alloc(0);
    const end = (): void => {
      socket.off("data", onData).off("close", onClose).off("error", reject);
    };
    const onData = (chunk: Buffer): void => {
      bytes = Buffer.concat([bytes, chunk]);
      if (bytes.length < count) return;
      end();
      resolve(bytes);
    };
    const onClose = (): void => {
      end();
      reject(new Error("the NBD server ends the negotiation"));
    };
    socket.on("data", onData).once("close", onClose).once("error", reject);
  });
}

/** Rejects where the server cannot do what the load needs. */
export async function negotiateNbd(socket: Socket, load: Load): Promise<void> {
  const greeting = await take(socket, GREETING_BYTES);
  if (greeting.toString("latin1", 0, 16) !== "NBDMAGICIHAVEOPT") {
    throw new Error("this is no NBD server of the new style");
  }
  const request = Buffer.alloc(20);
  request.writeUInt32BE(FIXED_NEWSTYLE_NO_ZEROES, 0);
  request.write("IHAVEOPT", 4, "latin1");
  request.writeUInt32BE(OPT_EXPORT_NAME, 12);
  const answered = take(socket, ANSWER_BYTES);
  socket.write(request);
  const answer = await answered;
  const bytes = Number(answer.readBigUInt64BE(0));
  const flags = answer.readUInt16BE(8);
  const complain = (wrong: boolean, message: string): void => {
    if (wrong) throw new Error(message);
  };
  complain(bytes < load.capacityBlocks * load.blockBytes, `the export has ${bytes} bytes only`);
  complain(load.kind !== "read" && (flags & FLAG_READ_ONLY) !== 0, "the export is read-only");
  complain(load.kind === "unmap" && (flags & FLAG_TRIM) === 0, "the server does not trim");
  complain(load.flushEvery !== undefined && (flags & FLAG_FLUSH) === 0, "it does not flush");
}
