import type { Duplex } from "node:stream";
import type { Clock } from "../../util/clock.ts";
import type { Log } from "../../util/log.ts";
import { answerEvent, writeAnswer } from "./event.ts";
import { EVENT_BYTES_MAX, EVENT_CONNECTIONS_MAX, EVENT_IDLE_MS_MAX } from "./limits.ts";
import { isAnswer, MessageReader } from "./message.ts";
import type { IsnsNetwork, Listening } from "./network.ts";
import { IsnsProtocolError } from "./protocol-error.ts";

export interface EventServerOptions {
  readonly network: IsnsNetwork;
  readonly clock: Clock;
  readonly log: Log;
  /** Something has changed for a target. */
  readonly onChange: (target: string) => void;
}

/** Listens to what servers say by themselves. What comes here is only a reason to ask: whoever connects can change nothing. */
export class EventServer {
  readonly #options: EventServerOptions;
  readonly #streams = new Set<Duplex>();
  readonly #listening: Listening;

  private constructor(options: EventServerOptions, listening: Listening) {
    this.#options = options;
    this.#listening = listening;
  }

  static async open(options: EventServerOptions): Promise<EventServer> {
    let server: EventServer | null = null;
    const listening = await options.network.listen((stream) => {
      if (server === null) stream.destroy();
      else server.#accept(stream);
    });
    server = new EventServer(options, listening);
    return server;
  }

  get port(): number {
    return this.#listening.port;
  }

  close(): void {
    this.#listening.close();
    for (const stream of this.#streams) stream.destroy();
  }

  #accept(stream: Duplex): void {
    stream.on("error", () => undefined);
    if (this.#streams.size >= EVENT_CONNECTIONS_MAX) {
      stream.destroy();
      return;
    }
    this.#streams.add(stream);
    const { clock, log } = this.#options;
    const reader = new MessageReader(EVENT_BYTES_MAX);
    let idle = clock.after(EVENT_IDLE_MS_MAX, () => stream.destroy());
    stream.on("close", () => {
      idle.cancel();
      this.#streams.delete(stream);
    });
    stream.on("data", (chunk: Buffer) => {
      idle.cancel();
      idle = clock.after(EVENT_IDLE_MS_MAX, () => stream.destroy());
      try {
        for (const message of reader.push(chunk)) {
          // Nothing is asked here. Answers may be long, and would be put together for nothing.
          if (isAnswer(message)) throw new IsnsProtocolError("nothing was asked");
          const { answer, changeFor } = answerEvent(message);
          writeAnswer(stream, answer);
          if (changeFor !== null) this.#options.onChange(changeFor);
        }
      } catch (error) {
        log.warn({ error }, "iSNS: not understood, hung up");
        stream.destroy();
      }
    });
  }
}
