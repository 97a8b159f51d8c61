import { createServer, type Server } from "node:net";
import { connect, type ConnectOptions } from "../../src/initiator/connect.ts";
import { Connection } from "../../src/initiator/connection.ts";
import type { ReceivedPdu } from "../../src/initiator/pdu-reader.ts";
import type { InitiatorSession } from "../../src/initiator/session.ts";
import { encodeText, type TextPair } from "../../src/initiator/text-keys.ts";
import {
  BASIC_HEADER_BYTES,
  opcodeOf,
  setTargetNumbers,
} from "../../src/iscsi/pdu/basic-header.ts";
import { decodeLoginRequest, encodeLoginResponse } from "../../src/iscsi/pdu/login.ts";
import { Opcode } from "../../src/iscsi/pdu/opcode.ts";
import { getUint32BE } from "../../src/util/bytes.ts";

/** What the test does with a PDU in full-feature phase. */
export type Script = (pdu: ReceivedPdu, peer: ScriptedPeer) => void;

/** The target's end of one connection, on which the test says what it likes, right or wrong. */
export class ScriptedPeer {
  readonly connection: Connection;
  statSn = 1;
  expCmdSn = 1;
  maxCmdSn = 1000;

  constructor(connection: Connection) {
    this.connection = connection;
  }

  /** Sends a PDU with the numbers as they stand; one that carries a status takes a StatSN. */
  send(encode: (header: Uint8Array) => void, data?: Uint8Array, withStatus = true): void {
    const header = new Uint8Array(BASIC_HEADER_BYTES);
    encode(header);
    setTargetNumbers(header, 0, withStatus ? this.statSn : 0, this.expCmdSn, this.maxCmdSn);
    if (withStatus) this.statSn += 1;
    this.connection.send(header, data);
  }
}

/** A target that agrees to every login with the given keys, and then follows the test's script. */
export class ScriptedTarget {
  readonly port: number;
  readonly #server: Server;
  readonly #connections: Connection[];

  private constructor(server: Server, port: number, connections: Connection[]) {
    this.#server = server;
    this.port = port;
    this.#connections = connections;
  }

  static async start(
    script: Script,
    keys: readonly TextPair[] = [],
    maxCmdSn = 1000,
  ): Promise<ScriptedTarget> {
    const connections: Connection[] = [];
    const server = createServer((socket) => {
      const connection = new Connection(socket);
      connection.setReceiveLimit(0xff_ffff);
      connections.push(connection);
      const peer = new ScriptedPeer(connection);
      peer.maxCmdSn = maxCmdSn;
      connection.listen(
        (pdu) => {
          if (opcodeOf(pdu.header, 0) === Opcode.loginRequest) answerLogin(peer, pdu, keys);
          else script(pdu, peer);
        },
        () => undefined,
      );
    });
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    const address = server.address();
    const port = address !== null && typeof address === "object" ? address.port : 0;
    return new ScriptedTarget(server, port, connections);
  }

  connect(options: Partial<ConnectOptions> = {}): Promise<InitiatorSession> {
    return connect({
      address: "127.0.0.1",
      port: this.port,
      initiatorName: "iqn.2026-11.net.example:initiator",
      targetName: "iqn.2026-11.net.example:scripted",
      ...options,
    });
  }

  async close(): Promise<void> {
    for (const connection of this.#connections) connection.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

function answerLogin(peer: ScriptedPeer, pdu: ReceivedPdu, keys: readonly TextPair[]): void {
  const request = decodeLoginRequest(pdu.header, 0);
  const operational = request.currentStage === 1;
  const data = operational ? encodeText(keys) : new Uint8Array(0);
  const header = new Uint8Array(BASIC_HEADER_BYTES);
  const response = {
    transit: request.transit,
    continued: false,
    currentStage: request.currentStage,
    nextStage: request.nextStage,
    versionMax: 0,
    versionActive: 0,
    isid: request.isid,
    tsih: operational ? 1 : 0,
    initiatorTaskTag: request.initiatorTaskTag,
    statSn: peer.statSn,
    expCmdSn: request.cmdSn,
    maxCmdSn: peer.maxCmdSn,
    statusClass: 0,
    statusDetail: 0,
  };
  encodeLoginResponse(header, 0, response, data.length);
  peer.statSn += 1;
  peer.connection.send(header, data);
}

/** The initiator task tag of a PDU. */
export function tagOf(pdu: ReceivedPdu): number {
  return getUint32BE(pdu.header, 16);
}
