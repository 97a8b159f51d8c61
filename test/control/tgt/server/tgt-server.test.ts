import { mkdtemp, rm, stat } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { encodeRequest, NO_LUN, type TgtRequest } from "../../../../src/control/tgt/request.ts";
import { decodeResponse } from "../../../../src/control/tgt/response.ts";
import { TgtServer } from "../../../../src/control/tgt/server/tgt-server.ts";
import { chooseSeed, SeededRandom } from "../../../../src/util/random.ts";
import { recordingLog } from "../../../support/recording-log.ts";

const REQUEST: TgtRequest = {
  mode: 1,
  operation: 2,
  driver: "iscsi",
  targetId: -1,
  sessionId: 0n,
  lun: NO_LUN,
  connectionId: 0,
  hostNumber: 0,
  deviceType: 0,
  accountDirection: 0,
  pack: 0,
  force: 0,
  text: "a=b",
};

/** Longer than any request may take here. */
const REQUEST_MS_MAX = 50;
const FUZZ_ROUNDS = 200;
const OWNER_ONLY = 0o600;

let folder: string;
let server: TgtServer;
let asked: TgtRequest[];
let answer: (request: TgtRequest) => Promise<{ error: number; text: string }>;

function newServer(): TgtServer {
  const execute = (request: TgtRequest) => {
    asked.push(request);
    return answer(request);
  };
  return new TgtServer({ log: recordingLog([]), execute, requestMsMax: REQUEST_MS_MAX });
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "thinlun-tgt-"));
  asked = [];
  answer = () => Promise.resolve({ error: 0, text: "the answer" });
  server = newServer();
  await server.listen(path());
});

afterEach(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

function path(): string {
  return join(folder, "sub", "socket.7");
}

/** What comes back until the other side ends. */
function exchange(send: (socket: Socket) => void): Promise<Buffer> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const socket = connect(path(), () => send(socket));
    socket.on("data", (chunk: Buffer) => void chunks.push(chunk));
    socket.on("error", () => undefined);
    socket.on("close", () => resolve(Buffer.concat(chunks)));
  });
}

describe("the socket of tgtadm", () => {
  it("is its owner's alone", async () => {
    expect((await stat(path())).mode & 0o777).toBe(OWNER_ONLY);
    expect((await stat(`${path()}.lock`)).isFile()).toBe(true);
  });

  it("has one daemon", async () => {
    await expect(newServer().listen(path())).rejects.toThrow(/another tgtd is using/);
    await server.close();
    const next = newServer();
    await next.listen(path());
    await next.close();
  });

  it("takes a request in pieces, and answers it once", async () => {
    const bytes = encodeRequest(REQUEST);
    const response = await exchange((socket) => {
      socket.write(bytes.subarray(0, 3));
      setImmediate(() => socket.write(bytes.subarray(3, 121)));
      setTimeout(() => socket.write(Buffer.concat([bytes.subarray(121), bytes])), 5);
    });
    expect(decodeResponse(response)).toEqual({ error: 0, text: "the answer" });
    expect(asked).toEqual([REQUEST]);
  });

  it("closes on whoever is too slow, ends half way, or sends what is no request", async () => {
    const bytes = encodeRequest(REQUEST);
    const tooLong = Uint8Array.from(bytes);
    tooLong.set([0xff, 0xff, 0xff, 0xff], 72);
    const cases: ((socket: Socket) => void)[] = [
      (socket) => socket.write(bytes.subarray(0, 119)),
      (socket) => socket.end(bytes.subarray(0, 121)),
      (socket) => socket.end(),
      (socket) => socket.write(tooLong),
      (socket) => socket.write(new Uint8Array(120)),
    ];
    for (const send of cases) expect(await exchange(send)).toHaveLength(0);
    expect(asked).toEqual([]);
  });

  it("survives garbage", async () => {
    const seed = chooseSeed(process.env);
    const random = new SeededRandom(seed);
    const natural = encodeRequest(REQUEST);
    for (let round = 0; round < FUZZ_ROUNDS; round += 1) {
      const bytes = Uint8Array.from(natural);
      for (let flips = random.below(8); flips >= 0; flips -= 1) {
        bytes[random.below(bytes.length)] = random.below(256);
      }
      const cut = bytes.subarray(0, random.below(bytes.length + 1));
      await exchange((socket) => socket.end(cut));
    }
    const response = await exchange((socket) => socket.write(natural));
    expect(decodeResponse(response), `seed ${seed}`).toMatchObject({ text: "the answer" });
  });

  it("ends although whoever was answered keeps its end open, as tgtadm does that waits for the end", async () => {
    const socket = connect({ path: path(), allowHalfOpen: true });
    const answered = new Promise((resolve) => socket.once("data", resolve));
    const gone = new Promise((resolve) => socket.once("close", resolve));
    socket.on("error", () => undefined);
    socket.write(encodeRequest(REQUEST));
    await answered;
    await server.close();
    socket.end();
    await gone;
  });

  it("ends when the requests that run are answered", async () => {
    let finish: () => void = () => undefined;
    answer = async () => {
      await new Promise<void>((resolve) => (finish = resolve));
      return { error: 5, text: "" };
    };
    const response = exchange((socket) => socket.write(encodeRequest(REQUEST)));
    while (asked.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    const idle = exchange(() => undefined);
    const closed = server.close();
    finish();
    expect(decodeResponse(await response)).toEqual({ error: 5, text: "" });
    await closed;
    expect(await idle).toHaveLength(0);
  });
});
