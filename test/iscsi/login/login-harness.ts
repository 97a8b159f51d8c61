import { createHash } from "node:crypto";

import { AccessList } from "../../../src/iscsi/auth/access-list.ts";
import {
  AuthenticationPolicy,
  NO_AUTHENTICATION,
  type AuthenticationRules,
  type ChapAccount,
} from "../../../src/iscsi/auth/authentication-policy.ts";
import { LOGIN_LIMITS } from "../../../src/iscsi/login/limits.ts";
import { LoginMachine } from "../../../src/iscsi/login/login-machine.ts";
import type {
  LoginAdmission,
  LoginCandidate,
  LoginContext,
  LoginReply,
  LoginRequest,
} from "../../../src/iscsi/login/login-types.ts";
import { DEFAULT_OFFERS } from "../../../src/iscsi/parameters.ts";
import { IscsiTarget, type IscsiTargetSettings } from "../../../src/iscsi/target.ts";
import type { TargetDevice } from "../../../src/scsi/target-device.ts";
import { SeededRandom } from "../../../src/util/random.ts";

export const TARGET_NAME = "iqn.2026-01.org.example:disk";
export const INITIATOR_NAME = "iqn.1993-08.org.debian:01:abc";
export const IDENTITY: readonly string[] = [
  `InitiatorName=${INITIATOR_NAME}`,
  "SessionType=Normal",
  `TargetName=${TARGET_NAME}`,
];
export const DISCOVERY_IDENTITY: readonly string[] = [
  `InitiatorName=${INITIATOR_NAME}`,
  "SessionType=Discovery",
];

/** Targets are told apart by name here; nothing is done with their devices. */
export function fakeDevice(): TargetDevice {
  return {} as TargetDevice;
}

export function makeTarget(
  settings: Partial<IscsiTargetSettings> = {},
  name: string = TARGET_NAME,
): IscsiTarget {
  const target = new IscsiTarget(name, fakeDevice());
  target.configure(settings);
  return target;
}

export function account(user: string, secret: string): ChapAccount {
  return { user, secret: Buffer.from(secret) };
}

export function policy(rules: Partial<AuthenticationRules>): AuthenticationPolicy {
  return new AuthenticationPolicy({ ...NO_AUTHENTICATION, ...rules });
}

export function text(items: readonly string[]): Uint8Array {
  return Buffer.from(items.map((item) => `${item}\0`).join(""));
}

/** The answers of a reply, by key. */
export function answers(bytes: Uint8Array): Record<string, string> {
  const found: Record<string, string> = {};
  for (const item of Buffer.from(bytes).toString().split("\0")) {
    if (item === "") continue;
    const equals = item.indexOf("=");
    found[item.slice(0, equals)] = item.slice(equals + 1);
  }
  return found;
}

export function makeRequest(
  items: readonly string[],
  fields: Partial<LoginRequest> = {},
): LoginRequest {
  return {
    transit: false,
    continued: false,
    currentStage: 0,
    nextStage: 1,
    versionMax: 0,
    versionMin: 0,
    isid: "00023d000001",
    tsih: 0,
    cid: 0,
    cmdSn: 1,
    initiatorTaskTag: 0x1000,
    text: text(items),
    ...fields,
  };
}

/** The header of a request that moves on. */
export const TO_OPERATIONAL: Partial<LoginRequest> = {
  transit: true,
  currentStage: 0,
  nextStage: 1,
};
export const SECURITY_TO_FULL: Partial<LoginRequest> = {
  transit: true,
  currentStage: 0,
  nextStage: 3,
};
export const TO_FULL: Partial<LoginRequest> = { transit: true, currentStage: 1, nextStage: 3 };

/** A login machine with everything around it, and what it asked of its surroundings. */
export class LoginBench {
  readonly machine: LoginMachine;
  readonly target: IscsiTarget;
  readonly candidates: LoginCandidate[] = [];
  admission: LoginAdmission = { ok: true, tsih: 7 };

  constructor(settings: Partial<IscsiTargetSettings> = {}, changes: Partial<LoginContext> = {}) {
    this.target = makeTarget(settings);
    const random = new SeededRandom(1);
    this.machine = new LoginMachine({
      portalGroupTag: 1,
      remoteAddress: "192.0.2.7",
      limits: LOGIN_LIMITS,
      discovery: {
        enabled: true,
        access: new AccessList(),
        authentication: new AuthenticationPolicy(),
        offers: DEFAULT_OFFERS,
      },
      randomBytes: (lengthBytes) => random.bytes(lengthBytes),
      findTarget: (name) => (name === this.target.name ? this.target : null),
      admit: (candidate) => {
        this.candidates.push(candidate);
        return this.admission;
      },
      ...changes,
    });
  }

  send(items: readonly string[], fields: Partial<LoginRequest> = {}): LoginReply {
    return this.machine.receive(makeRequest(items, fields));
  }
}

export function statusOf(reply: LoginReply): number {
  return reply.statusClass * 256 + reply.statusDetail;
}

const DIGESTS: Readonly<Record<string, string>> = {
  "5": "md5",
  "6": "sha1",
  "7": "sha256",
  "8": "sha3-256",
};

/** CHAP's response, written down a second time and in another way than the product's. */
export function naiveChapResponse(
  algorithm: string,
  identifier: string,
  secret: string,
  challenge: string,
): string {
  const input = Buffer.concat([
    Buffer.from([Number(identifier)]),
    Buffer.from(secret),
    Buffer.from(challenge.slice(2), "hex"),
  ]);
  return `0x${createHash(DIGESTS[algorithm] ?? "none")
    .update(input)
    .digest("hex")}`;
}
