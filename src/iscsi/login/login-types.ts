import type { AccessList } from "../auth/access-list.ts";
import type { AuthenticationPolicy } from "../auth/authentication-policy.ts";
import type { RandomBytes } from "../../util/random.ts";
import type { LoginRequestFields } from "../pdu/login.ts";
import type { ParameterOffers, SessionParameters } from "../parameters.ts";
import type { IscsiTarget } from "../target.ts";
import type { LoginLimits } from "./limits.ts";
import type { LoginStatus } from "./login-status.ts";

export type SessionType = "normal" | "discovery";

/** A Login Request: what its header says (RFC 7143 11.12), and its data segment without the padding, which is not kept. */
export interface LoginRequest extends Omit<LoginRequestFields, "expStatSn"> {
  readonly text: Uint8Array;
}

/** The fields of the Login Response that answers it (RFC 7143 11.13). */
export interface LoginReply {
  readonly statusClass: number;
  readonly statusDetail: number;
  readonly transit: boolean;
  readonly continued: boolean;
  readonly currentStage: number;
  readonly nextStage: number;
  readonly versionMax: number;
  readonly versionActive: number;
  readonly tsih: number;
  readonly text: Uint8Array;
  /** After `failed`, the connection closes once the reply is sent. */
  readonly outcome: "continue" | "full-feature" | "failed";
  /** For the log: why the login failed; empty otherwise. Holds no secret. */
  readonly reason: string;
}

/** A login that has succeeded but for the session it belongs to. */
export interface LoginCandidate {
  /** In normal form. */
  readonly initiatorName: string;
  readonly initiatorAlias: string | null;
  readonly sessionType: SessionType;
  /** Null in a discovery session. */
  readonly target: IscsiTarget | null;
  readonly isid: string;
  /** As the initiator sent it: 0 to open a session, else that of the session to join. */
  readonly tsih: number;
  readonly cid: number;
  /** Of a login with a `tsih`, only the digests and the segment lengths were negotiated: the rest is the session's. */
  readonly parameters: SessionParameters;
  /** The CHAP account that proved itself, if any. */
  readonly account: string | null;
}

/** A login that has succeeded; `tsih` is the session's. */
export type LoginResult = LoginCandidate;

export type LoginAdmission =
  | { readonly ok: true; readonly tsih: number }
  | { readonly ok: false; readonly status: LoginStatus; readonly reason: string };

/** Who may open a discovery session, and what is negotiated there. */
export interface DiscoveryPolicy {
  readonly enabled: boolean;
  readonly access: AccessList;
  readonly authentication: AuthenticationPolicy;
  readonly offers: ParameterOffers;
}

/** Everything that a login depends on beside its requests. */
export interface LoginContext {
  /** Of the portal that took the connection. */
  readonly portalGroupTag: number;
  readonly remoteAddress: string;
  readonly limits: LoginLimits;
  readonly discovery: DiscoveryPolicy;
  readonly randomBytes: RandomBytes;
  /** The target by its name in normal form. */
  findTarget(name: string): IscsiTarget | null;
  /** Whether somebody else, such as a name server, lets an initiator log in to a target; left out: everybody. */
  readonly admits?: (target: string, initiator: string) => boolean;
  /** Asked last, when all else has succeeded: session limits, reinstatement, the session to join. */
  admit(candidate: LoginCandidate): LoginAdmission;
}
