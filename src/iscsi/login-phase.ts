import { serialAdd } from "../util/serial-number.ts";
import type { Connection } from "./connection.ts";
import { COMMAND_WINDOW } from "./limits.ts";
import { LOGIN_LIMITS } from "./login/limits.ts";
import { LoginMachine } from "./login/login-machine.ts";
import type { LoginStatus } from "./login/login-status.ts";
import type { LoginReply, LoginResult } from "./login/login-types.ts";
import { decodeLoginRequest, encodeLoginResponse, type LoginRequestFields } from "./pdu/login.ts";
import type { ServerContext } from "./server-context.ts";

/** The login phase of a connection (RFC 7143 chapter 6): PDUs in and out of the login machine. */
export class LoginPhase {
  readonly #context: ServerContext;
  readonly #connection: Connection;
  readonly #machine: LoginMachine;
  #started = false;
  /** The login succeeded, and its last response waits for the session. */
  #opening = false;

  constructor(context: ServerContext, connection: Connection) {
    this.#context = context;
    this.#connection = connection;
    const { group } = connection.portal;
    this.#machine = new LoginMachine({
      portalGroupTag: group,
      remoteAddress: connection.remoteAddress,
      limits: LOGIN_LIMITS,
      discovery: context.discovery,
      randomBytes: context.randomBytes,
      findTarget: (name) => context.findTarget(name),
      admits: (target, initiator) => context.admits(target, initiator),
      admit: (candidate) => context.sessions.admit(candidate, group),
    });
  }

  onRequest(bytes: Buffer, base: number, dataOffset: number, dataBytes: number): void {
    const connection = this.#connection;
    if (this.#opening) {
      connection.drop("a login request while the answer to the last one is awaited");
      return;
    }
    const request = decodeLoginRequest(bytes, base);
    if (!this.#started) {
      this.#started = true;
      connection.startStatSn(request.expStatSn);
      connection.cid = request.cid;
    }
    const text = bytes.subarray(dataOffset, dataOffset + dataBytes);
    const reply = this.#machine.receive({ ...request, text });
    const { result } = this.#machine;
    if (reply.outcome === "full-feature" && result !== null) {
      this.#opening = true;
      this.#open(request, reply, result);
      return;
    }
    this.#send(request, reply);
    if (reply.outcome === "failed") {
      const { reason, statusClass, statusDetail } = reply;
      // The machine put the one into the other.
      this.#context.totals.loginRefused(((statusClass << 8) | statusDetail) as LoginStatus);
      const initiator = this.#machine.initiatorName;
      connection.log.warn({ reason, statusClass, statusDetail, initiator }, "login refused");
      connection.finish();
    }
  }

  #open(request: LoginRequestFields, reply: LoginReply, login: LoginResult): void {
    const connection = this.#connection;
    if (login.target === null) {
      this.#send(request, reply);
      connection.enterFullFeature(login, null, request.cmdSn);
      return;
    }
    this.#context.openSession(connection, login, request.cmdSn, (session) => {
      this.#send(request, reply);
      connection.enterFullFeature(login, session, request.cmdSn);
    });
  }

  #send(request: LoginRequestFields, reply: LoginReply): void {
    const connection = this.#connection;
    const { sendQueue } = connection;
    const at = sendQueue.reserve(reply.text.length);
    const fields = {
      ...reply,
      isid: request.isid,
      initiatorTaskTag: request.initiatorTaskTag,
      statSn: connection.takeStatSn(),
      expCmdSn: request.cmdSn,
      maxCmdSn: serialAdd(request.cmdSn, COMMAND_WINDOW - 1),
    };
    encodeLoginResponse(sendQueue.buffer, at, fields, reply.text.length);
    sendQueue.buffer.set(reply.text, sendQueue.dataOffset(at));
    connection.commitLogin();
  }
}
