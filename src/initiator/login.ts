import { randomBytes } from "node:crypto";
import { opcodeOf } from "../iscsi/pdu/basic-header.ts";
import {
  decodeLoginResponse,
  encodeLoginRequest,
  type LoginResponseFields,
} from "../iscsi/pdu/login.ts";
import { Opcode } from "../iscsi/pdu/opcode.ts";
import { BASIC_HEADER_BYTES } from "../iscsi/pdu/basic-header.ts";
import type { Connection } from "./connection.ts";
import { InitiatorError } from "./initiator-error.ts";
import {
  ANSWER_TIMEOUT_MS,
  DEFAULT_DATA_SEGMENT_BYTES,
  LOGIN_EXCHANGES_MAX,
  TEXT_BYTES_MAX,
} from "./limits.ts";
import { LoginDialog, type LoginIntent, type LoginStep } from "./login-dialog.ts";
import type { SessionParameters } from "./parameters.ts";
import { decodeText, encodeText, type TextPair } from "./text-keys.ts";

/** Which session a connection belongs to. */
export interface SessionIdentity {
  /** 12 hexadecimal digits; one that is in use reinstates the session that has it (RFC 7143 6.3.5). */
  readonly isid: string;
  readonly tsih: number;
  readonly cid: number;
}

export interface LoginResult {
  readonly parameters: SessionParameters;
  readonly tsih: number;
  /** The number of the first command. */
  readonly cmdSn: number;
  readonly expStatSn: number;
  readonly maxCmdSn: number;
}

const INITIAL_CMD_SN = 1;
const LOGIN_TASK_TAG = 0;

interface LoginAnswer {
  readonly response: LoginResponseFields;
  readonly pairs: readonly TextPair[];
}

class LoginExchange {
  readonly #connection: Connection;
  readonly #identity: SessionIdentity;
  readonly #timeoutMs: number;
  #expStatSn = 0;
  #requests = 0;

  constructor(connection: Connection, identity: SessionIdentity, timeoutMs: number) {
    this.#connection = connection;
    this.#identity = identity;
    this.#timeoutMs = timeoutMs;
  }

  get expStatSn(): number {
    return this.#expStatSn;
  }

  /** One step: the request, in several PDUs when its text is long, and the answer, however many PDUs that takes. */
  async run(step: LoginStep): Promise<LoginAnswer> {
    const text = encodeText(step.pairs);
    let sent = 0;
    while (text.length - sent > DEFAULT_DATA_SEGMENT_BYTES) {
      const piece = text.subarray(sent, sent + DEFAULT_DATA_SEGMENT_BYTES);
      sent += piece.length;
      this.#send({ ...step, transit: false, nextStage: step.stage }, piece, true);
      await this.#receive();
    }
    this.#send(step, text.subarray(sent), false);
    const pieces: Uint8Array[] = [];
    let textBytes = 0;
    for (;;) {
      const { response, data } = await this.#receive();
      pieces.push(data);
      textBytes += data.length;
      if (textBytes > TEXT_BYTES_MAX) {
        throw new InitiatorError("protocol", "the target's login text has no end");
      }
      if (!response.continued) return { response, pairs: decodeText(Buffer.concat(pieces)) };
      this.#send({ ...step, transit: false, nextStage: step.stage }, new Uint8Array(0), false);
    }
  }

  #send(step: LoginStep, data: Uint8Array, continued: boolean): void {
    this.#requests += 1;
    if (this.#requests > LOGIN_EXCHANGES_MAX) {
      throw new InitiatorError("protocol", "the login does not come to an end");
    }
    const header = new Uint8Array(BASIC_HEADER_BYTES);
    encodeLoginRequest(
      header,
      0,
      {
        transit: step.transit,
        continued,
        currentStage: step.stage,
        nextStage: step.nextStage,
        versionMax: 0,
        versionMin: 0,
        ...this.#identity,
        initiatorTaskTag: LOGIN_TASK_TAG,
        cmdSn: INITIAL_CMD_SN,
        expStatSn: this.#expStatSn,
      },
      data.length,
    );
    this.#connection.send(header, data);
  }

  async #receive(): Promise<{ response: LoginResponseFields; data: Uint8Array }> {
    const pdu = await this.#connection.receive(this.#timeoutMs);
    if (opcodeOf(pdu.header, 0) !== Opcode.loginResponse) {
      throw new InitiatorError("protocol", "the target answered a login with another PDU");
    }
    const response = decodeLoginResponse(pdu.header, 0);
    if (response.initiatorTaskTag !== LOGIN_TASK_TAG) {
      throw new InitiatorError("protocol", "the target answered another login request");
    }
    if (response.statusClass === 0) this.#expStatSn = (response.statSn + 1) >>> 0;
    return { response, data: pdu.data };
  }
}

/**
 * Logs in over a fresh connection. When it resolves, digests are as negotiated and the connection is in full feature
 * phase; when it rejects, with `InitiatorError`, the caller destroys the connection.
 */
export async function login(
  connection: Connection,
  intent: LoginIntent,
  identity: SessionIdentity,
  timeoutMs: number = ANSWER_TIMEOUT_MS,
): Promise<LoginResult> {
  const dialog = new LoginDialog(intent, randomBytes);
  const exchange = new LoginExchange(connection, identity, timeoutMs);
  let step: LoginStep | null = dialog.first();
  let answer = await exchange.run(step);
  for (;;) {
    step = dialog.next(answer.response, answer.pairs);
    if (step === null) break;
    answer = await exchange.run(step);
  }
  const { parameters } = dialog;
  connection.setDigests({ header: parameters.headerDigest, data: parameters.dataDigest });
  connection.setReceiveLimit(parameters.maxRecvDataSegmentLength);
  return {
    parameters,
    tsih: answer.response.tsih,
    cmdSn: INITIAL_CMD_SN,
    expStatSn: exchange.expStatSn,
    maxCmdSn: answer.response.maxCmdSn,
  };
}
