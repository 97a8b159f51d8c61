import { createServer, get, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { EventLog } from "../../../src/control/http/event-log.ts";
import { EventStreams } from "../../../src/control/http/event-stream.ts";
import { ManualClock } from "../../support/manual-clock.ts";

describe("the log of events", () => {
  it("tells what came after a number, as long as it is kept", () => {
    const log = new EventLog("run", 3);
    expect([log.since(0), log.since(1), log.last]).toEqual([[], null, 0]);
    for (const name of ["a", "b", "c", "d"]) log.publish("thing", { name });
    expect(log.since(2)?.map(({ number, data }) => [number, data])).toEqual([
      [3, '{"name":"c"}'],
      [4, '{"name":"d"}'],
    ]);
    expect(log.since(1)).toHaveLength(3);
    expect(log.since(4)).toEqual([]);
    expect([log.since(0), log.since(5)]).toEqual([null, null]);
  });

  it("is bounded in characters, too", () => {
    const log = new EventLog("run");
    for (let count = 0; count < 20; count += 1) log.publish("thing", { text: "x".repeat(2 ** 20) });
    expect(log.since(0)).toBeNull();
    expect(log.since(17)).toHaveLength(3);
  });

  it("tells listeners until they have heard enough", () => {
    const log = new EventLog("run");
    const heard: string[] = [];
    const stop = log.subscribe(({ data }) => void heard.push(data));
    log.publish("thing", { a: 1 });
    stop();
    log.publish("thing", { a: 2 });
    expect(heard).toEqual(['{"a":1}']);
  });

  it("tells what nobody misses to those that listen, and does not keep it", () => {
    const log = new EventLog("run", 2);
    const heard: unknown[] = [];
    log.subscribe(({ number, type, data }) => void heard.push([number, type, data]));
    log.publish("thing", { a: 1 });
    for (let done = 0; done < 5; done += 1) log.tell("job", { done });
    log.publish("thing", { a: 2 });
    expect(heard).toHaveLength(7);
    expect(heard[1]).toEqual([null, "job", '{"done":0}']);
    expect(log.since(0)?.map(({ number }) => number)).toEqual([1, 2]);
  });
});

describe("streams of events", () => {
  let log: EventLog;
  let clock: ManualClock;
  let streams: EventStreams;
  let server: Server;
  const readers: IncomingMessage[] = [];

  beforeEach(async () => {
    log = new EventLog("run");
    clock = new ManualClock();
    streams = new EventStreams(log, clock);
    server = createServer((request, response) => {
      try {
        streams.start(response, request.headers["last-event-id"] as string | undefined);
      } catch {
        response.writeHead(409).end();
      }
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  });

  afterEach(() => {
    for (const reader of readers.splice(0)) reader.destroy();
    server.closeAllConnections();
    server.close();
  });

  function read(lastEventId?: string): Promise<IncomingMessage> {
    const { port } = server.address() as AddressInfo;
    const headers = lastEventId === undefined ? {} : { "last-event-id": lastEventId };
    return new Promise((resolve, reject) => {
      get({ port, host: "127.0.0.1", headers }, (response) => {
        readers.push(response);
        resolve(response);
      }).on("error", reject);
    });
  }

  /** Reads until the text ends in this. */
  async function until(reader: IncomingMessage, end: string): Promise<string> {
    let text = "";
    return new Promise((resolve, reject) => {
      reader.on("data", (chunk: Buffer) => {
        text += chunk.toString();
        if (text.endsWith(end)) resolve(text);
      });
      reader.on("end", () => reject(new Error(`it ended after ${text}`)));
    });
  }

  it("send what happens, and signs of life", async () => {
    const reader = await read();
    expect(reader.headers["content-type"]).toBe("text/event-stream");
    log.publish("pool", { pool: "tank" });
    const expected = ': connected\n\nid: run.1\nevent: pool\ndata: {"pool":"tank"}\n\n';
    expect(await until(reader, "}\n\n")).toBe(expected);
    const alive = until(reader, ": alive\n\n");
    clock.advance(15_000);
    await alive;
    const again = until(reader, ": alive\n\n");
    clock.advance(15_000);
    await again;
  });

  it("go on after the last event that was read", async () => {
    log.publish("thing", { a: 1 });
    log.publish("thing", { a: 2 });
    const text = await until(await read("run.1"), "}\n\n");
    expect(text).toContain('id: run.2\nevent: thing\ndata: {"a":2}\n\n');
    expect(text).not.toContain('{"a":1}');
  });

  it.each(["other.1", "run.9", "garbage", "run.-1", ""])("tell of a gap after %j", async (id) => {
    log.publish("thing", { a: 1 });
    expect(await until(await read(id), "{}\n\n")).toContain("id: run.1\nevent: gap\ndata: {}\n\n");
  });

  it("drop whoever does not read, and keep the others", async () => {
    const slow = await read();
    slow.pause();
    const quick = await read();
    quick.resume();
    const gone = new Promise((resolve) => slow.once("close", resolve));
    slow.on("error", () => undefined);
    expect(streams.readers).toBe(2);
    const filler = { text: "x".repeat(2 ** 18) };
    for (let count = 0; count < 400 && streams.readers === 2; count += 1) {
      log.publish("thing", filler);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(streams.readers).toBe(1);
    slow.resume();
    await gone;
  });

  it("are for so many readers at a time", async () => {
    for (let count = 0; count < 32; count += 1) expect((await read()).statusCode).toBe(200);
    expect((await read()).statusCode).toBe(409);
    readers[0]?.destroy();
    while (streams.readers === 32) await new Promise((resolve) => setImmediate(resolve));
    expect((await read()).statusCode).toBe(200);
  });

  it("end when the daemon does", async () => {
    const reader = await read();
    const ended = new Promise((resolve) => reader.resume().once("end", resolve));
    streams.close();
    await ended;
    while (streams.readers > 0) await new Promise((resolve) => setImmediate(resolve));
  });
});
