import type { Duplex } from "node:stream";
import { assert } from "../../util/assert.ts";
import type { Clock, Timer } from "../../util/clock.ts";
import { type Attribute, encodeAttributes } from "./attribute.ts";
import { IsnsFlag, RESPONSE_BIT } from "./constants.ts";
import { answerEvent, writeAnswer } from "./event.ts";
import { EVENT_BYTES_MAX, REQUEST_MS_MAX } from "./limits.ts";
import {
  decodeAnswer,
  encodeMessage,
  type IsnsAnswer,
  isAnswer,
  type IsnsMessage,
  MessageReader,
} from "./message.ts";

export interface ConnectionOptions {
  readonly stream: Duplex;
  readonly clock: Clock;
  readonly onChange: (target: string) => void;
}

interface Pending {
  readonly functionId: number;
  readonly transactionId: number;
  readonly resolve: (answer: IsnsAnswer) => void;
  readonly reject: (error: Error) => void;
  readonly timer: Timer;
}

const TRANSACTIONS = 0x1_0000;

/** A connection to a server: one request at a time. Servers may use it for what they have to say, too. */
export class IsnsConnection {
  readonly #options: ConnectionOptions;
  readonly #reader = new MessageReader(EVENT_BYTES_MAX);
  #pending: Pending | null = null;
  #transactionId = 0;
  #failure: Error | null = null;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    const { stream } = options;
    stream.on("data", (chunk: Buffer) => this.#receive(chunk));
    stream.on("error", (error) => this.#end(error));
    for (const event of ["end", "close"]) {
      stream.on(event, () => this.#end(new Error("the iSNS server hung up")));
    }
  }

  get isOpen(): boolean {
    return this.#failure === null;
  }

  /** Rejects when the server is gone, says nothing for too long, or makes no sense: the connection has ended then. */
  request(functionId: number, attributes: readonly Attribute[], flags = 0): Promise<IsnsAnswer> {
    assert(this.#pending === null, "one request at a time");
    if (this.#failure !== null) return Promise.reject(this.#failure);
    this.#transactionId = (this.#transactionId + 1) % TRANSACTIONS;
    const transactionId = this.#transactionId;
    const payload = encodeAttributes(attributes);
    return new Promise((resolve, reject) => {
      const timer = this.#options.clock.after(REQUEST_MS_MAX, () =>
        this.#end(new Error("the iSNS server does not answer")),
      );
      this.#pending = { functionId, transactionId, resolve, reject, timer };
      const message = { functionId, flags: flags | IsnsFlag.fromClient, transactionId, payload };
      this.#options.stream.write(encodeMessage(message));
    });
  }

  close(): void {
    this.#end(new Error("the connection to the iSNS server is not needed any more"));
  }

  #receive(chunk: Buffer): void {
    try {
      for (const message of this.#reader.push(chunk)) this.#take(message);
    } catch (error) {
      this.#end(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #take(message: IsnsMessage): void {
    if (!isAnswer(message)) {
      const { answer, changeFor } = answerEvent(message);
      writeAnswer(this.#options.stream, answer);
      if (changeFor !== null) this.#options.onChange(changeFor);
      return;
    }
    const pending = this.#pending;
    if (pending === null || pending.transactionId !== message.transactionId) return;
    if (message.functionId !== (pending.functionId | RESPONSE_BIT)) return;
    const answer = decodeAnswer(message.payload);
    this.#pending = null;
    pending.timer.cancel();
    pending.resolve(answer);
  }

  #end(error: Error): void {
    if (this.#failure !== null) return;
    this.#failure = error;
    const pending = this.#pending;
    this.#pending = null;
    pending?.timer.cancel();
    this.#options.stream.destroy();
    pending?.reject(error);
  }
}
