import { LoginStage, type LoginResponseFields } from "../iscsi/pdu/login.ts";
import { ChapExchange, type ChapCredentials } from "./chap.ts";
import { InitiatorError } from "./initiator-error.ts";
import {
  answersToProposals,
  applyAnswers,
  defaultParameters,
  offerPairs,
  type Offers,
  type SessionParameters,
} from "./parameters.ts";
import { loginStatusText } from "./login-status.ts";
import { valueOf, type TextPair } from "./text-keys.ts";

/** Who logs in to what, and what it offers. */
export interface LoginIntent {
  readonly initiatorName: string;
  readonly initiatorAlias?: string;
  readonly sessionType: "normal" | "discovery";
  /** Needed for a normal session. */
  readonly targetName?: string;
  readonly chap?: ChapCredentials;
  readonly offers: Offers;
}

/** One Login Request to send. */
export interface LoginStep {
  readonly stage: number;
  readonly nextStage: number;
  readonly transit: boolean;
  readonly pairs: readonly TextPair[];
}

const STATUS_REDIRECTION = 1;

type Phase = "method" | "challenge" | "proof" | "agreed" | "operational";

/** The initiator's side of a login, without socket or time: responses in, requests out. */
export class LoginDialog {
  readonly parameters: SessionParameters;
  readonly #intent: LoginIntent;
  readonly #chap: ChapExchange | null;
  readonly #offered: readonly TextPair[];
  #phase: Phase = "method";

  constructor(intent: LoginIntent, randomBytes: (lengthBytes: number) => Uint8Array) {
    this.#intent = intent;
    this.#chap = intent.chap === undefined ? null : new ChapExchange(intent.chap, randomBytes);
    this.#offered = offerPairs(intent.offers, intent.sessionType === "discovery");
    this.parameters = defaultParameters(intent.offers);
  }

  first(): LoginStep {
    const { initiatorName, initiatorAlias, sessionType, targetName, chap } = this.#intent;
    const pairs: TextPair[] = [["InitiatorName", initiatorName]];
    if (initiatorAlias !== undefined) pairs.push(["InitiatorAlias", initiatorAlias]);
    if (targetName !== undefined) pairs.push(["TargetName", targetName]);
    pairs.push(["SessionType", sessionType === "normal" ? "Normal" : "Discovery"]);
    // Who asks for mutual authentication does not accept a target that skips it.
    const mutual = chap?.mutual !== undefined;
    pairs.push(["AuthMethod", chap === undefined ? "None" : mutual ? "CHAP" : "CHAP,None"]);
    return security(chap === undefined, pairs);
  }

  /** The next request, or null when the session is in full feature phase. Throws `InitiatorError`. */
  next(response: LoginResponseFields, pairs: readonly TextPair[]): LoginStep | null {
    checkStatus(response, pairs);
    if (response.currentStage !== this.#stage) {
      throw new InitiatorError("protocol", "the target answered for another login stage");
    }
    applyAnswers(this.parameters, pairs, this.#intent.offers);
    if (this.#phase === "operational") return this.#operational(response, pairs);
    const step = this.#security(response, pairs);
    if (step !== null) return step;
    if (!response.transit) return security(true, []);
    this.#phase = "operational";
    if (response.nextStage === LoginStage.fullFeature) return null;
    return operational(this.#offered);
  }

  get #stage(): number {
    return this.#phase === "operational"
      ? LoginStage.operationalNegotiation
      : LoginStage.securityNegotiation;
  }

  /** Null when this side has nothing more to say in the security stage. */
  #security(response: LoginResponseFields, pairs: readonly TextPair[]): LoginStep | null {
    switch (this.#phase) {
      case "method":
        return this.#method(response, pairs);
      case "challenge": {
        const answer = this.#exchange.answer(pairs);
        this.#phase = "proof";
        return security(true, answer);
      }
      case "proof":
        // A target may prove itself in one response and agree to go on in the next.
        if (response.transit || valueOf(pairs, "CHAP_R") !== undefined) {
          this.#exchange.verify(pairs);
          this.#phase = "agreed";
        }
        return null;
      case "agreed":
      case "operational":
        return null;
    }
  }

  get #exchange(): ChapExchange {
    if (this.#chap !== null) return this.#chap;
    throw new InitiatorError("login", "the target asks for CHAP, and no user is given");
  }

  #method(response: LoginResponseFields, pairs: readonly TextPair[]): LoginStep | null {
    const method = valueOf(pairs, "AuthMethod") ?? (response.transit ? "None" : "");
    if (method === "CHAP") {
      const offer = this.#exchange.offer();
      this.#phase = "challenge";
      return security(false, offer);
    }
    if (this.#intent.chap?.mutual !== undefined) {
      throw new InitiatorError("login", "the target does not authenticate itself");
    }
    if (method === "None" || method === "") return null;
    throw new InitiatorError("login", `the target asks for AuthMethod=${method}`);
  }

  #operational(response: LoginResponseFields, pairs: readonly TextPair[]): LoginStep | null {
    const answers = answersToProposals(pairs, this.#offered);
    if (response.transit && response.nextStage === LoginStage.fullFeature) return null;
    return operational(answers);
  }
}

function security(transit: boolean, pairs: readonly TextPair[]): LoginStep {
  const stage = LoginStage.securityNegotiation;
  const nextStage = transit ? LoginStage.operationalNegotiation : stage;
  return { stage, nextStage, transit, pairs };
}

function operational(pairs: readonly TextPair[]): LoginStep {
  return {
    stage: LoginStage.operationalNegotiation,
    nextStage: LoginStage.fullFeature,
    transit: true,
    pairs,
  };
}

function checkStatus(response: LoginResponseFields, pairs: readonly TextPair[]): void {
  const { statusClass, statusDetail } = response;
  if (statusClass === 0) return;
  const message = loginStatusText(statusClass, statusDetail);
  if (statusClass === STATUS_REDIRECTION) {
    const targetAddress = valueOf(pairs, "TargetAddress") ?? "";
    throw new InitiatorError("redirect", `${message}: ${targetAddress}`, {
      statusClass,
      statusDetail,
      targetAddress,
    });
  }
  throw new InitiatorError("login", message, { statusClass, statusDetail });
}
