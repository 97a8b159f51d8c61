import type { Socket } from "node:net";
import { assert } from "../util/assert.ts";
import { serialAdd } from "../util/serial-number.ts";
import type { Log } from "../util/log.ts";
import type { OperationClass } from "../scsi/operation-class.ts";
import type { UnitStatistics } from "../scsi/unit-statistics.ts";
import { ConnectionStatistics } from "./connection-statistics.ts";
import type { DataInTransfer } from "./data-in.ts";
import { DataOutCredit } from "./data-out-credit.ts";
import { Framer, type PduReceiver } from "./framer.ts";
import { FullFeature } from "./full-feature.ts";
import type { FullFeatureLink } from "./full-feature-link.ts";
import { LOGIN_DATA_SEGMENT_BYTES_MAX } from "./limits.ts";
import { LoginPhase } from "./login-phase.ts";
import type { LoginResult } from "./login/login-types.ts";
import { defaultParameters, type SessionParameters } from "./parameters.ts";
import { AsyncEvent, encodeAsyncMessage } from "./pdu/async-message.ts";
import { BASIC_HEADER_BYTES, opcodeOf, setTargetNumbers } from "./pdu/basic-header.ts";
import { encodeNopIn } from "./pdu/nop.ts";
import { Opcode, RESERVED_TAG } from "./pdu/opcode.ts";
import { encodeReject, type RejectReason } from "./pdu/reject.ts";
import { PingWatch } from "./ping-watch.ts";
import type { PortalAddress } from "./portal.ts";
import { ProtocolError } from "./protocol-error.ts";
import { SendQueue } from "./send-queue.ts";
import type { ServerContext } from "./server-context.ts";
import type { Session, SessionConnection } from "./session.ts";
import { ConnectionSocket, type SocketEvents } from "./socket.ts";
import { TextPhase } from "./text-phase.ts";
import type { TransportPools } from "./transport-pools.ts";

const EMPTY = Buffer.alloc(0);
const NO_LUN = new Uint8Array(8);

/**
 * One TCP connection of an initiator: moves bytes between its socket and the phase that it is in, login or
 * full-feature, and numbers what leaves (StatSN belongs to the connection, RFC 7143 4.2.2.2).
 */
export class Connection implements FullFeatureLink, SessionConnection, SocketEvents, PduReceiver {
  readonly portal: PortalAddress;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly sendQueue: SendQueue;
  readonly credit: DataOutCredit;
  readonly pools: TransportPools;
  parameters: SessionParameters = defaultParameters();
  cid = 0;
  stagedReadBytes = 0;
  /** When it was accepted, in milliseconds of the server's clock. */
  readonly acceptedMs: number;
  /** When what is being gone through, or was last, came in. */
  receivedMs: number;
  /** How long the peer has been silent. */
  readonly pings: PingWatch;
  readonly statistics: ConnectionStatistics = new ConnectionStatistics();

  readonly #context: ServerContext;
  readonly #log: Log;
  readonly #socket: ConnectionSocket;
  readonly #framer: Framer;
  #login: LoginPhase | null;
  #fullFeature: FullFeature | null = null;
  #session: Session | null = null;
  #statSn = 0;
  /** Tag of our last question whether the peer lives. */
  #pingTag = 0;
  /** `draining`: no PDU is taken, what is queued is sent. `closed`: nothing at all. */
  #state: "open" | "draining" | "closed" = "open";
  #paused = false;
  /** Received bytes are being gone through: what completes meanwhile does not begin with others. */
  #taking = false;
  /** Received, and not gone through yet because too much is queued. */
  #rest: Buffer = EMPTY;
  #flushJoined = false;
  /** Transfers that wait for room in the queue, first come, first served. */
  readonly #waiting: DataInTransfer[] = [];
  /** Where commands were answered in the turn in which they came, and how long that took is not known yet. */
  readonly #settling: UnitStatistics[] = [];
  /** Where the socket receives into next: the memory that all share, or that of a long PDU. */
  #direct = false;

  constructor(context: ServerContext, accepted: Socket, portal: PortalAddress) {
    this.#context = context;
    this.portal = portal;
    this.remoteAddress = accepted.remoteAddress ?? "";
    this.remotePort = accepted.remotePort ?? 0;
    this.localAddress = accepted.localAddress ?? "";
    this.#log = context.log.child({ peer: `${this.remoteAddress}:${this.remotePort}` });
    this.pools = context.pools;
    this.acceptedMs = context.clock.nowMs();
    this.pings = new PingWatch(context.pings, this.acceptedMs);
    this.receivedMs = this.acceptedMs;
    this.#framer = new Framer(this, this.pools, LOGIN_DATA_SEGMENT_BYTES_MAX);
    this.credit = new DataOutCredit(() => this.#receiveAgain());
    this.#login = new LoginPhase(context, this);
    this.#socket = new ConnectionSocket(accepted, this);
    this.sendQueue = new SendQueue(this.pools.sendChunks, this.#socket);
  }

  get live(): boolean {
    return this.#state === "open";
  }

  get receiving(): boolean {
    return this.#state === "open" && !this.sendQueue.overfull && !this.credit.stagedFull;
  }

  get loggedIn(): boolean {
    return this.#fullFeature !== null;
  }

  get session(): Session | null {
    return this.#session;
  }

  get log(): Log {
    return this.#log;
  }

  // ---- the socket's events

  receiveBuffer(): Buffer {
    const direct = this.#framer.directTarget();
    this.#direct = direct !== null;
    return direct ?? this.#context.receiveBuffer;
  }

  onReceive(count: number, bytes: Buffer | null): void {
    if (this.#state !== "open") return;
    const nowMs = this.#context.clock.nowMs();
    this.#context.turn.heard();
    this.pings.heard(nowMs);
    this.receivedMs = nowMs;
    this.statistics.received(count);
    if (bytes === null && this.#direct) this.#take(EMPTY, count);
    else this.#take(bytes ?? this.#context.receiveBuffer, count);
  }

  /** Goes through `count` received bytes; those of `EMPTY` stand where the framer puts a long PDU together. */
  #take(bytes: Buffer, count: number): void {
    this.#taking = true;
    try {
      if (bytes === EMPTY) {
        this.#framer.consumeDirect(count);
      } else {
        const end = this.#framer.consume(bytes, 0, count);
        // A chunk can ask for many times its own size: what is too much for now waits, and nothing comes after it.
        if (end < count && this.#state === "open")
          this.#rest = Buffer.from(bytes.subarray(end, count));
      }
    } catch (error) {
      this.#broken(error);
    }
    this.#taking = false;
    // A read that completed within the turn may have made room for others that wait for it.
    if (this.#waiting.length !== 0) this.#serveWaiting();
    this.#flush();
    if (this.#settling.length !== 0) this.#settleLatencies();
    if (this.#state === "open" && !this.receiving) this.#pause();
  }

  answered(statistics: UnitStatistics, operation: OperationClass, arrivedMs: number): void {
    if (this.#taking && arrivedMs === this.receivedMs) {
      if (statistics.defer(operation)) this.#settling.push(statistics);
    } else {
      statistics.latencies.record(operation, this.#context.clock.nowMs() - arrivedMs, 1);
    }
  }

  #settleLatencies(): void {
    const ms = this.#context.clock.nowMs() - this.receivedMs;
    for (let next = this.#settling.pop(); next !== undefined; next = this.#settling.pop()) {
      next.settle(ms);
    }
  }

  onSent(): void {
    this.sendQueue.sent();
    if (this.#state === "closed") return;
    this.#serveWaiting();
    this.#flush();
    this.#receiveAgain();
  }

  onClose(error: Error | null): void {
    if (this.#state === "open") {
      const why = error === null ? "the peer closed the connection" : error.message;
      this.#log.info({ why, initiator: this.#session?.initiatorName }, "connection closed");
    }
    this.#state = "closed";
    this.#framer.drop();
    this.#context.connectionClosed(this);
    // Only now: a task that ends can let another one write an R2T before that one ends too.
    this.sendQueue.drop();
    this.#waiting.length = 0;
  }

  #pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.#socket.pause();
  }

  #receiveAgain(): void {
    if (!this.#paused || this.#taking || this.#state !== "open") return;
    if (this.sendQueue.high || this.credit.stagedFull) return;
    const rest = this.#rest;
    if (rest !== EMPTY) {
      this.#rest = EMPTY;
      this.#take(rest, rest.length);
      if (!this.receiving) return;
    }
    this.#paused = false;
    this.#socket.resume();
  }

  /** A peer that breaks the protocol loses its connection; any other error is a defect of ours, and no peer's fault. */
  #broken(error: unknown): void {
    if (!(error instanceof ProtocolError)) throw error;
    this.#context.totals.protocolErrors += 1;
    if (this.#framer.headerDigestFailed) this.statistics.headerDigestFailed();
    this.#log.warn({ why: error.message }, "protocol error");
    if (error.rejectReason === null) this.drop(error.message);
    else this.finish();
  }

  // ---- PDUs

  onPdu(bytes: Buffer, base: number, dataOffset: number, dataBytes: number, good: boolean): void {
    const fullFeature = this.#fullFeature;
    if (fullFeature === null) {
      this.#onLoginPdu(bytes, base, dataOffset, dataBytes);
      return;
    }
    this.statistics.pduReceived(opcodeOf(bytes, base));
    if (!good) this.statistics.dataDigestFailed();
    try {
      fullFeature.onPdu(bytes, base, dataOffset, dataBytes, good);
    } catch (error) {
      if (error instanceof ProtocolError && error.rejectReason !== null) {
        this.reject(error.rejectReason, bytes, base, error.message);
      }
      throw error;
    }
  }

  #onLoginPdu(bytes: Buffer, base: number, dataOffset: number, dataBytes: number): void {
    assert(this.#login !== null, "a connection that is not logged in is logging in");
    if (opcodeOf(bytes, base) !== Opcode.loginRequest) {
      // RFC 7143 6.3: before full-feature phase there is nothing but login, and no Reject.
      throw new ProtocolError("a PDU other than a login request before the login is over");
    }
    this.#login.onRequest(bytes, base, dataOffset, dataBytes);
  }

  /** Login responses are numbered by the login phase itself: it knows the command numbers before there is a session. */
  commitLogin(): void {
    this.sendQueue.commit();
    this.scheduleFlush();
  }

  /** StatSN of the next response; the first login request proposes where it begins. */
  takeStatSn(): number {
    const statSn = this.#statSn;
    this.#statSn = serialAdd(statSn, 1);
    return statSn;
  }

  startStatSn(statSn: number): void {
    this.#statSn = statSn;
  }

  /** The last login response is about to leave: from the next PDU on, everything is as agreed. */
  enterFullFeature(login: LoginResult, session: Session | null, firstCmdSn: number): void {
    this.#login = null;
    this.#session = session;
    if (session === null) this.#context.totals.discoveryLogins += 1;
    else this.#context.totals.normalLogins += 1;
    this.parameters = session?.parameters ?? login.parameters;
    this.pings.configure({ ...this.#context.pings, ...session?.target.pings });
    const { parameters } = this;
    this.#framer.headerDigest = parameters.headerDigest;
    this.#framer.dataDigest = parameters.dataDigest;
    this.#framer.dataSegmentBytesMax = Math.max(
      parameters.targetMaxRecvDataSegmentLengthBytes,
      LOGIN_DATA_SEGMENT_BYTES_MAX,
    );
    this.sendQueue.headerDigest = parameters.headerDigest;
    this.sendQueue.dataDigest = parameters.dataDigest;
    const text = new TextPhase(this, (value) => this.#context.listTargets(this, login, value));
    this.#fullFeature = new FullFeature(this, session, text, firstCmdSn);
    const { initiatorName, sessionType, target, tsih, account } = login;
    this.#log.info(
      { initiator: initiatorName, sessionType, target: target?.name, tsih, account, parameters },
      "logged in",
    );
  }

  commitStatus(base: number): void {
    this.#stamp(base, this.takeStatSn());
  }

  commitNext(base: number): void {
    this.#stamp(base, this.#statSn);
  }

  commitData(base: number): void {
    this.#stamp(base, 0);
  }

  #stamp(base: number, statSn: number): void {
    const fullFeature = this.#fullFeature;
    assert(fullFeature !== null, "numbers are stamped in full-feature phase");
    const { buffer } = this.sendQueue;
    setTargetNumbers(buffer, base, statSn, fullFeature.expCmdSn, fullFeature.maxCmdSn);
    this.statistics.pduSent(opcodeOf(buffer, base));
    this.sendQueue.commit();
    // Whoever commits may do so in the turn of another connection: a task that waited for another session's, say.
    this.scheduleFlush();
  }

  reject(reason: RejectReason, bytes: Buffer, base: number, why: string): void {
    if (this.#state !== "open") return;
    this.statistics.rejected();
    this.#log.warn({ reason, why, opcode: opcodeOf(bytes, base) }, "PDU rejected");
    const at = this.sendQueue.reserve(BASIC_HEADER_BYTES);
    const { buffer } = this.sendQueue;
    encodeReject(buffer, at, reason);
    bytes.copy(buffer, this.sendQueue.dataOffset(at), base, base + BASIC_HEADER_BYTES);
    this.commitStatus(at);
  }

  /** Asks the peer whether it lives (RFC 7143 11.19). */
  ping(): void {
    this.#pingTag = (this.#pingTag + 1) % RESERVED_TAG;
    const at = this.sendQueue.reserve(0);
    const tags = { initiatorTaskTag: RESERVED_TAG, targetTransferTag: this.#pingTag };
    const fields = { lun: NO_LUN, ...tags };
    encodeNopIn(this.sendQueue.buffer, at, fields, 0);
    this.commitNext(at);
  }

  /** Asks the initiator to log out within `seconds` (RFC 7143 11.9.1, event 1). */
  requestLogout(seconds: number): void {
    if (!this.live || this.#session === null) return;
    this.#session.nexus.isAskedToLeave = true;
    const at = this.sendQueue.reserve(0);
    encodeAsyncMessage(this.sendQueue.buffer, at, {
      asyncEvent: AsyncEvent.logoutRequested,
      parameter1: 0,
      parameter2: 0,
      parameter3: seconds,
    });
    this.commitStatus(at);
  }

  // ---- what tasks ask for

  waitForRoom(transfer: DataInTransfer): void {
    if (transfer.waiting) return;
    transfer.waiting = true;
    this.#waiting.push(transfer);
  }

  #serveWaiting(): void {
    let count = this.#waiting.length;
    while (count > 0 && !this.sendQueue.high) {
      count -= 1;
      const transfer = this.#waiting.shift();
      assert(transfer !== undefined, "a transfer waits");
      // One whose task was aborted meanwhile does not wait any more.
      if (!transfer.waiting) continue;
      transfer.waiting = false;
      transfer.pump();
    }
  }

  scheduleFlush(): void {
    // What was received in this turn is answered at its end anyway.
    if (this.#taking || this.#flushJoined || this.#state === "closed") return;
    this.#flushJoined = true;
    this.#context.turn.join(this);
  }

  endTurn(): void {
    this.#flushJoined = false;
    if (this.#state === "closed") return;
    this.#serveWaiting();
    this.#flush();
  }

  #flush(): void {
    if (this.#state === "closed") return;
    const bytes = this.sendQueue.flush();
    if (bytes === 0) return;
    this.statistics.sent(bytes);
    this.#context.turn.answered();
  }

  // ---- the end

  finish(): void {
    if (this.#state !== "open") return;
    this.#state = "draining";
    this.#flush();
    this.#socket.end();
    this.#context.connectionDraining(this);
  }

  drop(reason: string): void {
    if (this.#state === "closed") return;
    if (this.#state === "open") this.#log.info({ why: reason }, "connection dropped");
    this.#state = "draining";
    this.#socket.destroy();
  }

  coldReset(): void {
    // The sessions end at once, and this one's answer has to be out by then.
    this.#flush();
    if (this.#session !== null) this.#context.coldReset(this.#session.target);
  }
}
