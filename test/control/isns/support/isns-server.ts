import { type Duplex, duplexPair } from "node:stream";
import {
  type Attribute,
  addressOf,
  decodeAttributes,
  DELIMITER,
  encodeAttributes,
  numberAttribute,
  numberOf,
  textAttribute,
  textOf,
} from "../../../../src/control/isns/attribute.ts";
import {
  IsnsFlag,
  IsnsFunction,
  IsnsStatus,
  IsnsTag,
  NodeType,
  RESPONSE_BIT,
} from "../../../../src/control/isns/constants.ts";
import {
  decodeAnswer,
  encodeAnswer,
  encodeMessage,
  isAnswer,
  type IsnsAnswer,
  type IsnsMessage,
  MessageReader,
} from "../../../../src/control/isns/message.ts";
import type { IsnsNetwork } from "../../../../src/control/isns/network.ts";

interface Registered {
  readonly entity: string;
  readonly type: number;
}

const EVENT_PORT = 40_000;

/**
 * A double of an iSNS server, as RFC 4171 has them: entities with portals and nodes, discovery domains, notices and inquiries. It
 * keeps to one process; no socket is opened.
 */
export class FakeIsnsServer {
  readonly nodes = new Map<string, Registered>();
  /** ADDRESS:PORT and the portals' groups, as NODE ADDRESS:PORT GROUP. */
  readonly portals = new Set<string>();
  readonly groups = new Set<string>();
  /** Names that may see each other. Who is in none sees nobody. */
  readonly domains: Set<string>[] = [];
  /** What was asked, in a word each. */
  readonly asked: string[] = [];
  readonly wantNotices = new Set<string>();
  /** Which function is refused with which status. */
  readonly refused = new Map<number, number>();
  period = 300;
  /** How many connections are refused before the next one. */
  unreachable = 0;
  /** Requests are read and not answered. */
  isSilent = false;
  /** The ends of the connections, ours and those of the client. */
  readonly connections: Duplex[] = [];
  readonly clients: Duplex[] = [];
  #onStream: ((stream: Duplex) => void) | null = null;

  readonly network: IsnsNetwork = {
    connect: () => {
      if (this.unreachable > 0) {
        this.unreachable -= 1;
        return Promise.reject(new Error("ECONNREFUSED"));
      }
      const [client, server] = duplexPair();
      this.clients.push(client);
      this.#serve(server);
      return Promise.resolve(client);
    },
    listen: (onStream) => {
      this.#onStream = onStream;
      return Promise.resolve({ port: EVENT_PORT, close: () => (this.#onStream = null) });
    },
  };

  get isListenedTo(): boolean {
    return this.#onStream !== null;
  }

  register(name: string, type: number): void {
    this.nodes.set(name, { entity: `entity of ${name}`, type });
  }

  /** Connects to the client's port, says something and returns what it is answered. */
  async tell(functionId: number, attributes: readonly Attribute[]): Promise<IsnsAnswer> {
    const [client, server] = duplexPair();
    this.#onStream?.(client);
    const answer = await exchange(server, {
      functionId,
      flags: IsnsFlag.fromServer,
      transactionId: 7,
      payload: encodeAttributes(attributes),
    });
    server.end();
    return answer;
  }

  /** Tells a target that something has changed. */
  notify(target: string): Promise<IsnsAnswer> {
    return this.tell(IsnsFunction.notice, [
      textAttribute(IsnsTag.node, target),
      { tag: IsnsTag.timestamp, value: Buffer.alloc(8) },
      numberAttribute(IsnsTag.noticeBitmap, 8),
    ]);
  }

  #serve(stream: Duplex): void {
    this.connections.push(stream);
    const reader = new MessageReader();
    stream.on("data", (chunk: Buffer) => {
      for (const message of reader.push(chunk)) {
        const answer = this.#answer(message);
        if (this.isSilent) continue;
        stream.write(
          encodeMessage({
            functionId: message.functionId | RESPONSE_BIT,
            flags: IsnsFlag.fromServer,
            transactionId: message.transactionId,
            payload: encodeAnswer(answer),
          }),
        );
      }
    });
  }

  #answer({ functionId, flags, payload }: IsnsMessage): IsnsAnswer {
    const attributes = decodeAttributes(payload);
    const delimiter = attributes.findIndex(({ tag }) => tag === IsnsTag.delimiter);
    const [source] = attributes;
    if (source?.tag !== IsnsTag.node || delimiter < 1) {
      return { status: IsnsStatus.messageFormat, attributes: [] };
    }
    const key = attributes.slice(1, delimiter);
    const operating = attributes.slice(delimiter + 1);
    const status = this.refused.get(functionId);
    const name = textOf(source);
    switch (functionId) {
      case IsnsFunction.register:
        this.asked.push((flags & IsnsFlag.replace) === 0 ? "register" : "replace");
        if (status !== undefined) return { status, attributes: [] };
        return this.#register(key, operating, (flags & IsnsFlag.replace) !== 0);
      case IsnsFunction.deregister:
        this.asked.push("deregister");
        if (status !== undefined) return { status, attributes: [] };
        for (const attribute of operating) this.#forget(attribute);
        return { status: 0, attributes: [] };
      case IsnsFunction.registerNotices:
        this.asked.push(`notices ${name}`);
        if (status === undefined) this.wantNotices.add(name);
        return { status: status ?? 0, attributes: [] };
      case IsnsFunction.query:
        this.asked.push(`query ${name}`);
        return {
          status: status ?? 0,
          attributes: [...key, DELIMITER, ...this.#visible(name, key)],
        };
      default:
        return { status: IsnsStatus.functionUnsupported, attributes: [] };
    }
  }

  #register(
    key: readonly Attribute[],
    operating: readonly Attribute[],
    replace: boolean,
  ): IsnsAnswer {
    const [entityKey, entityAttribute] = [key[0], operating[0]];
    if (entityKey?.tag !== IsnsTag.entity || entityAttribute?.tag !== IsnsTag.entity) {
      return { status: IsnsStatus.messageFormat, attributes: [] };
    }
    const entity = textOf(entityKey);
    if (
      this.refused.has(IsnsFunction.inquiry) &&
      operating.some(({ tag }) => tag === IsnsTag.inquiryPort)
    ) {
      return { status: IsnsStatus.inquiriesUnavailable, attributes: [] };
    }
    if (replace) this.#forget(entityKey);
    let [node, address, groupNode] = ["", "", ""];
    for (const attribute of operating) {
      switch (attribute.tag) {
        case IsnsTag.portalAddress:
        case IsnsTag.groupAddress:
          address = addressOf(attribute);
          break;
        case IsnsTag.portalPort:
          this.portals.add(`${address}:${numberOf(attribute)}`);
          break;
        case IsnsTag.groupPort:
          address = `${address}:${numberOf(attribute)}`;
          break;
        case IsnsTag.node:
          node = textOf(attribute);
          break;
        case IsnsTag.nodeType:
          this.nodes.set(node, { entity, type: numberOf(attribute) });
          break;
        case IsnsTag.groupNode:
          groupNode = textOf(attribute);
          break;
        case IsnsTag.groupTag: {
          const group = attribute.value.length === 0 ? "none" : String(numberOf(attribute));
          this.groups.add(`${groupNode} ${address} ${group}`);
        }
      }
    }
    return {
      status: 0,
      attributes: [
        entityKey,
        DELIMITER,
        entityKey,
        numberAttribute(IsnsTag.registrationPeriod, this.period),
      ],
    };
  }

  #forget(attribute: Attribute): void {
    const name = textOf(attribute);
    if (attribute.tag === IsnsTag.node) {
      this.nodes.delete(name);
      this.wantNotices.delete(name);
      return;
    }
    this.portals.clear();
    this.groups.clear();
    for (const [node, { entity }] of this.nodes) if (entity === name) this.nodes.delete(node);
  }

  #visible(source: string, key: readonly Attribute[]): Attribute[] {
    const wanted = key[0] === undefined ? 0 : numberOf(key[0]);
    const seen = this.domains
      .filter((domain) => domain.has(source))
      .flatMap((domain) => [...domain]);
    return [...this.nodes]
      .filter(([name, { type }]) => seen.includes(name) && (type & wanted) !== 0)
      .flatMap(([name, { type }]) => [
        textAttribute(IsnsTag.node, name),
        numberAttribute(IsnsTag.nodeType, type),
      ]);
  }
}

/** Sends a message and waits for its answer. */
export function exchange(stream: Duplex, message: IsnsMessage): Promise<IsnsAnswer> {
  const reader = new MessageReader();
  return new Promise((resolve, reject) => {
    stream.on("data", (chunk: Buffer) => {
      for (const said of reader.push(chunk))
        if (isAnswer(said)) resolve(decodeAnswer(said.payload));
    });
    stream.on("close", () => reject(new Error("hung up")));
    stream.write(encodeMessage(message));
  });
}

export const INITIATOR: number = NodeType.initiator;
