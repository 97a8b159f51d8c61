import type { ServerResponse } from "node:http";
import type { Clock, Timer } from "../../util/clock.ts";
import { OperationError } from "../protocol.ts";
import type { ControlEvent, EventLog } from "./event-log.ts";

const EVENT_STREAM_TYPE = "text/event-stream";

/** Readers at a time: each holds a connection. */
const READERS_MAX = 32;

/** Proxies give up on what is silent for a minute, and a reader that is gone is noticed only when it is written to. */
const HEARTBEAT_MS = 15_000;

/** What waits for a reader before it is taken for one that has stopped reading. */
const WAITING_BYTES_MAX: number = 1024 * 1024;

const EVENT_ID = /^([0-9a-z-]{1,64})\.(\d{1,15})$/;

/** Sends events to whoever reads them, as the text/event-stream of the HTML standard has it. */
export class EventStreams {
  readonly #events: EventLog;
  readonly #clock: Clock;
  readonly #readers = new Set<ServerResponse>();

  constructor(events: EventLog, clock: Clock) {
    this.#events = events;
    this.#clock = clock;
  }

  get readers(): number {
    return this.#readers.size;
  }

  /**
   * Sends all events from now on, or from the one on that came last. Where some are lost in between, an event "gap" comes first: the
   * reader has to look at everything anew. Errors: busy: too many read.
   */
  start(response: ServerResponse, lastEventId: string | undefined): void {
    if (this.#readers.size >= READERS_MAX) {
      throw new OperationError("busy", `${READERS_MAX} others read events already`);
    }
    this.#readers.add(response);
    response.writeHead(200, { "content-type": EVENT_STREAM_TYPE, "cache-control": "no-store" });
    // A line of its own at once: the reader knows that it is connected.
    response.write(": connected\n\n");
    for (const event of this.#missed(lastEventId)) this.#send(response, event);
    const unsubscribe = this.#events.subscribe((event) => this.#send(response, event));
    let timer: Timer;
    const beat = (): void => {
      this.#write(response, ": alive\n\n");
      timer = this.#clock.after(HEARTBEAT_MS, beat);
    };
    timer = this.#clock.after(HEARTBEAT_MS, beat);
    response.on("error", () => undefined);
    response.once("close", () => {
      this.#readers.delete(response);
      unsubscribe();
      timer.cancel();
    });
  }

  /** Ends all of them: the daemon stops. */
  close(): void {
    for (const response of this.#readers) response.end();
  }

  #missed(lastEventId: string | undefined): readonly ControlEvent[] {
    if (lastEventId === undefined) return [];
    const [, run, number] = EVENT_ID.exec(lastEventId) ?? [];
    const missed = run === this.#events.run ? this.#events.since(Number(number)) : null;
    return missed ?? [{ number: this.#events.last, type: "gap", data: "{}" }];
  }

  #send(response: ServerResponse, { number, type, data }: ControlEvent): void {
    const id = number === null ? "" : `id: ${this.#events.run}.${number}\n`;
    this.#write(response, `${id}event: ${type}\ndata: ${data}\n\n`);
  }

  /** Whoever is slow is dropped, and comes back with the number of the last event that it has seen. */
  #write(response: ServerResponse, text: string): void {
    if (response.destroyed || response.writableEnded) return;
    response.write(text);
    if (response.writableLength > WAITING_BYTES_MAX) response.destroy();
  }
}
