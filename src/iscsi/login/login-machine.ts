import { assert } from "../../util/assert.ts";
import type { AuthenticationPolicy } from "../auth/authentication-policy.ts";
import { ChapTarget, CHAP_KEYS } from "../auth/chap.ts";
import { LoginStage } from "../pdu/login.ts";
import { TextAccumulator } from "../text/text-accumulator.ts";
import { decodeTextPairs, encodeTextPairs, type TextPair } from "../text/text-pairs.ts";
import { parseList } from "../text/text-values.ts";
import { resolveIdentity, type LoginIdentity } from "./login-identity.ts";
import { LoginStatus } from "./login-status.ts";
import type { LoginContext, LoginReply, LoginRequest, LoginResult } from "./login-types.ts";
import { Negotiation } from "./negotiation.ts";

/** The one version there is (RFC 7143 11.12.4). */
const VERSION = 0x00;
const NO_TEXT = new Uint8Array(0);

/** The end of a login, on its way to the reply. */
interface Refusal {
  readonly status: LoginStatus;
  readonly reason: string;
  readonly pairs?: readonly TextPair[];
}

function refusal(status: LoginStatus, reason: string): Refusal {
  return { status, reason };
}

function initiatorError(reason: string): Refusal {
  return refusal(LoginStatus.initiatorError, reason);
}

/**
 * The target's side of one login (RFC 7143 6.3, 11.12, 11.13): requests in, replies out. It never throws on what a peer
 * sends, keeps at most `limits.textBytesMax` of it, and ends in a bounded number of requests. The caller closes the
 * connection after a `failed` reply, and goes on with {@link result} after a `full-feature` one.
 */
export class LoginMachine {
  readonly #context: LoginContext;
  readonly #accumulator: TextAccumulator;
  #state: "running" | "full-feature" | "failed" = "running";
  #first: LoginRequest | null = null;
  #requests = 0;
  #textBytes = 0;
  #stage = 0;
  #identity: LoginIdentity | null = null;
  #negotiation: Negotiation | null = null;
  /** Null unless CHAP was agreed on. */
  #chap: ChapTarget | null = null;
  #declaredIdentity = false;
  #declaredParameters = false;
  /** What of the current answer is still to be sent. */
  #pending: Uint8Array = NO_TEXT;
  #result: LoginResult | null = null;

  constructor(context: LoginContext) {
    this.#context = context;
    this.#accumulator = new TextAccumulator(context.limits.textBytesMax);
  }

  /** Set with the reply whose outcome is `full-feature`. */
  get result(): LoginResult | null {
    return this.#result;
  }

  /** Whatever is known of the peer by now, for the log. */
  get initiatorName(): string | null {
    return this.#identity?.initiatorName ?? null;
  }

  receive(request: LoginRequest): LoginReply {
    if (this.#state !== "running") {
      return this.refuse(request, LoginStatus.invalidDuringLogin, "the login is over");
    }
    const wrong = this.#checkHeader(request) ?? this.#takeText(request);
    if (wrong !== null) return this.#fail(request, wrong);
    if (request.continued) return this.#reply(request, NO_TEXT, false, false);
    return this.#answer(request);
  }

  /** Ends the login for a reason of the caller's: a PDU that has no place in it, or a host that shuts down. */
  refuse(request: LoginRequest, status: LoginStatus, reason: string): LoginReply {
    return this.#fail(request, refusal(status, reason));
  }

  #checkHeader(request: LoginRequest): Refusal | null {
    this.#requests++;
    if (this.#requests > this.#context.limits.requestsMax) {
      return initiatorError("the login takes too many requests");
    }
    const first = this.#first;
    if (first === null) {
      if (request.versionMin > VERSION) {
        return refusal(
          LoginStatus.unsupportedVersion,
          `version ${request.versionMin} is asked for`,
        );
      }
      // The text is the connection's buffer: keep everything but it.
      this.#first = { ...request, text: NO_TEXT };
      this.#stage = request.currentStage;
    } else if (
      first.isid !== request.isid ||
      first.tsih !== request.tsih ||
      first.cid !== request.cid ||
      first.initiatorTaskTag !== request.initiatorTaskTag
    ) {
      return initiatorError("ISID, TSIH, CID or task tag changed within the login");
    }
    return this.#checkStage(request);
  }

  #checkStage(request: LoginRequest): Refusal | null {
    const { currentStage, nextStage, transit, continued } = request;
    if (
      currentStage !== LoginStage.securityNegotiation &&
      currentStage !== LoginStage.operationalNegotiation
    ) {
      return initiatorError(`stage ${currentStage} is no stage of a login`);
    }
    if (currentStage !== this.#stage) {
      return initiatorError(`stage ${currentStage} while the login is in stage ${this.#stage}`);
    }
    if (!transit) return null;
    if (continued) return initiatorError("T and C are both set");
    const forward =
      nextStage === LoginStage.fullFeature ||
      (nextStage === LoginStage.operationalNegotiation &&
        currentStage === LoginStage.securityNegotiation);
    return forward
      ? null
      : initiatorError(`no way leads from stage ${currentStage} to ${nextStage}`);
  }

  #takeText(request: LoginRequest): Refusal | null {
    const { text } = request;
    if (this.#pending.length > 0 && (text.length > 0 || request.continued)) {
      return initiatorError("text before the rest of the answer was fetched");
    }
    // The bound is on the login, not on one text: what was negotiated is remembered until the end.
    this.#textBytes += text.length;
    if (this.#textBytes > this.#context.limits.textBytesMax || !this.#accumulator.append(text)) {
      return initiatorError(`more than ${this.#context.limits.textBytesMax} bytes of text`);
    }
    return null;
  }

  /** Answers a complete text, or sends the next piece of an answer, and moves to the next stage where all is said. */
  #answer(request: LoginRequest): LoginReply {
    if (this.#pending.length === 0) {
      const replies: TextPair[] = [];
      const wrong = this.#takePairs(request, replies);
      if (wrong !== null) return this.#fail(request, wrong);
      this.#pending = encodeTextPairs(replies);
    }
    const pieceBytes = Math.min(this.#pending.length, this.#context.limits.replyBytesMax);
    const piece = this.#pending.subarray(0, pieceBytes);
    this.#pending = this.#pending.subarray(pieceBytes);
    const continued = this.#pending.length > 0;
    if (continued || !request.transit) return this.#reply(request, piece, false, continued);
    const blocked = this.#blockedTransit();
    if (blocked === "wait") return this.#reply(request, piece, false, false);
    if (blocked !== null) return this.#fail(request, blocked);
    if (request.nextStage === LoginStage.fullFeature) return this.#enterFullFeature(request, piece);
    this.#stage = request.nextStage;
    return this.#reply(request, piece, true, false);
  }

  #takePairs(request: LoginRequest, replies: TextPair[]): Refusal | null {
    const decoded = decodeTextPairs(this.#accumulator.take());
    if (!decoded.ok) return initiatorError(decoded.message);
    const { pairs } = decoded;
    if (this.#identity === null) {
      const wrong = this.#identify(request, pairs);
      if (wrong !== null) return wrong;
    }
    const { policy } = this.#known();
    if (
      this.#stage === LoginStage.operationalNegotiation &&
      policy.required &&
      !this.#authenticated()
    ) {
      return refusal(LoginStatus.authenticationFailure, "authentication is required, and skipped");
    }
    this.#declareIdentity(replies);
    const wrong = this.#negotiate(pairs, replies);
    if (wrong !== null) return wrong;
    if (this.#stage === LoginStage.operationalNegotiation) this.#declareParameters(replies);
    return null;
  }

  #identify(request: LoginRequest, pairs: readonly TextPair[]): Refusal | null {
    const resolved = resolveIdentity(this.#context, pairs);
    if (!resolved.ok) return resolved;
    this.#identity = resolved.identity;
    this.#negotiation = new Negotiation({
      offers: resolved.identity.offers,
      discovery: resolved.identity.sessionType === "discovery",
      leading: request.tsih === 0,
    });
    return null;
  }

  /** What exists from the first complete text on. */
  #known(): { identity: LoginIdentity; negotiation: Negotiation; policy: AuthenticationPolicy } {
    assert(this.#identity !== null && this.#negotiation !== null, "the initiator said who it is");
    return {
      identity: this.#identity,
      negotiation: this.#negotiation,
      policy: this.#identity.authentication,
    };
  }

  #authenticated(): boolean {
    return this.#chap !== null && this.#chap.user !== null;
  }

  /** RFC 7143 13.9: the portal group goes with the first answer to a login that names a target. Nothing else does. */
  #declareIdentity(replies: TextPair[]): void {
    const { target } = this.#known().identity;
    if (this.#declaredIdentity || target === null) return;
    this.#declaredIdentity = true;
    replies.push({
      key: "TargetPortalGroupTag",
      value: String(this.#context.portalGroupTag),
    });
  }

  /** With the first answer of the operational stage; by then, who must authenticate has done so. */
  #declareParameters(replies: TextPair[]): void {
    if (this.#declaredParameters) return;
    this.#declaredParameters = true;
    const { identity, negotiation } = this.#known();
    replies.push(...negotiation.declare());
    const alias = identity.target?.alias ?? "";
    if (alias !== "") replies.push({ key: "TargetAlias", value: alias });
  }

  #negotiate(pairs: readonly TextPair[], replies: TextPair[]): Refusal | null {
    const { negotiation } = this.#known();
    const stage = this.#stage === LoginStage.securityNegotiation ? "security" : "operational";
    const operational: TextPair[] = [];
    const chapKeys = new Map<string, string>();
    let methods: string | null = null;
    for (const pair of pairs) {
      if (CHAP_KEYS.has(pair.key)) {
        // CHAP_I, CHAP_C and CHAP_N have a meaning in two steps: the exchange itself keeps their order.
        chapKeys.set(pair.key, pair.value);
        continue;
      }
      const wrong = negotiation.check(pair, stage);
      if (wrong === "repeated") continue;
      if (wrong !== null) return initiatorError(wrong.why);
      if (pair.key === "AuthMethod") methods = pair.value;
      else operational.push(pair);
    }
    const security = this.#authenticate(methods, chapKeys, replies);
    if (security !== null) return security;
    const negotiated = negotiation.receive(operational);
    if (!negotiated.ok) return initiatorError(negotiated.reason);
    replies.push(...negotiated.replies);
    return null;
  }

  #authenticate(
    methods: string | null,
    chapKeys: ReadonlyMap<string, string>,
    replies: TextPair[],
  ): Refusal | null {
    if (methods !== null) {
      const wrong = this.#chooseMethod(methods, replies);
      if (wrong !== null) return wrong;
    }
    if (chapKeys.size === 0) return null;
    const chap = this.#chap;
    if (chap === null || methods !== null || this.#stage !== LoginStage.securityNegotiation) {
      return refusal(LoginStatus.authenticationFailure, "CHAP keys where CHAP is not in progress");
    }
    const step = chap.receive(chapKeys);
    if (!step.ok) return refusal(LoginStatus.authenticationFailure, step.reason);
    replies.push(...step.pairs);
    return null;
  }

  #chooseMethod(list: string, replies: TextPair[]): Refusal | null {
    const { policy } = this.#known();
    const offered = parseList(list) ?? [];
    const method = policy.required ? "CHAP" : "None";
    if (!offered.includes(method)) {
      const reason = `the initiator does not offer the method that is needed, ${method}`;
      return refusal(LoginStatus.authenticationFailure, reason);
    }
    if (method === "CHAP") this.#chap = new ChapTarget(policy, this.#context.randomBytes);
    replies.push({ key: "AuthMethod", value: method });
    return null;
  }

  /** Null where the stage may be left; `wait` where the initiator has more to do first. */
  #blockedTransit(): Refusal | "wait" | null {
    if (!this.#known().policy.required || this.#authenticated()) return null;
    // An initiator may set T throughout: the exchange goes on with T refused. One that never began is done.
    if (this.#chap !== null) return "wait";
    return refusal(LoginStatus.authenticationFailure, "authentication is required, and skipped");
  }

  #enterFullFeature(request: LoginRequest, text: Uint8Array): LoginReply {
    const { identity, negotiation, policy } = this.#known();
    const account = this.#chap?.user ?? null;
    assert(!policy.required || account !== null, "who must authenticate has done so");
    const unmet = negotiation.unmet();
    if (unmet !== null) return this.#fail(request, initiatorError(unmet));
    const candidate: LoginResult = {
      initiatorName: identity.initiatorName,
      initiatorAlias: identity.initiatorAlias,
      sessionType: identity.sessionType,
      target: identity.target,
      isid: request.isid,
      tsih: request.tsih,
      cid: request.cid,
      parameters: negotiation.parameters(),
      account,
    };
    const admission = this.#context.admit(candidate);
    if (!admission.ok) return this.#fail(request, refusal(admission.status, admission.reason));
    assert(admission.tsih > 0 && admission.tsih <= 0xffff, "a session has a handle");
    this.#result = { ...candidate, tsih: admission.tsih };
    this.#state = "full-feature";
    return {
      ...this.#reply(request, text, true, false),
      tsih: admission.tsih,
      outcome: "full-feature",
    };
  }

  #reply(
    request: LoginRequest,
    text: Uint8Array,
    transit: boolean,
    continued: boolean,
  ): LoginReply {
    assert(!(transit && continued), "a stage ends with a complete answer");
    return {
      statusClass: 0,
      statusDetail: 0,
      transit,
      continued,
      currentStage: request.currentStage,
      nextStage: transit ? request.nextStage : 0,
      versionMax: VERSION,
      versionActive: VERSION,
      tsih: request.tsih,
      text,
      outcome: "continue",
      reason: "",
    };
  }

  #fail(request: LoginRequest, { status, reason, pairs }: Refusal): LoginReply {
    assert(status !== LoginStatus.success, "a refusal has a status");
    this.#state = "failed";
    this.#accumulator.clear();
    this.#pending = NO_TEXT;
    return {
      ...this.#reply(request, pairs === undefined ? NO_TEXT : encodeTextPairs(pairs), false, false),
      statusClass: status >>> 8,
      statusDetail: status & 0xff,
      outcome: "failed",
      reason,
    };
  }
}
