import { BlockList, isIP, isIPv4 } from "node:net";

import { ACCESS_RULES_MAX, ISCSI_NAME_BYTES_MAX } from "../login/limits.ts";
import { normalizeIscsiName } from "../login/iscsi-name.ts";
import { globMatches } from "./glob.ts";

/**
 * `all`: an initiator must match in each list that has rules, which is tgt's rule. `any`: one match, in either list,
 * is enough.
 */
export type AccessMatch = "all" | "any";

export interface AccessRules {
  /** Addresses and prefixes: `192.0.2.7`, `192.0.2.0/24`, `2001:db8::/32`, or `ALL`. */
  readonly addresses: readonly string[];
  /** Initiator names, with `*` for any run of characters. */
  readonly initiatorNames: readonly string[];
  readonly match: AccessMatch;
  /**
   * What no address rule at all means. `allow` is this program's: no rule, no restriction. `deny` is tgt's: there a
   * new target is closed until an address, or `ALL`, is bound to it.
   */
  readonly withoutAddresses: "allow" | "deny";
}

/** Everybody is let in. */
export const OPEN_ACCESS: AccessRules = {
  addresses: [],
  initiatorNames: [],
  match: "all",
  withoutAddresses: "allow",
};

const MAPPED_IPV4 = /^::ffff:([0-9.]+)$/i;
const PREFIX_LENGTH = /^[0-9]{1,3}$/;

/**
 * The address as rules and TargetAddress know it: without a zone, and an IPv4 address that arrived on a dual-stack
 * socket (`::ffff:192.0.2.7`) as the IPv4 address.
 */
export function plainAddress(address: string): string {
  const zone = address.indexOf("%");
  const bare = zone < 0 ? address : address.slice(0, zone);
  const mapped = MAPPED_IPV4.exec(bare)?.[1];
  return mapped !== undefined && isIPv4(mapped) ? mapped : bare;
}

/** What is wrong with an address rule, or null. */
export function addressRuleProblem(rule: string): string | null {
  if (rule === "ALL") return null;
  const slash = rule.indexOf("/");
  const address = slash < 0 ? rule : rule.slice(0, slash);
  const family = isIP(plainAddress(unbracketed(address)));
  if (family === 0) return `${JSON.stringify(rule)} is not an IP address, a prefix or ALL`;
  if (slash < 0) return null;
  const length = rule.slice(slash + 1);
  const bitsMax = family === 4 ? 32 : 128;
  if (PREFIX_LENGTH.test(length) && Number(length) <= bitsMax) return null;
  return `${JSON.stringify(rule)} needs a prefix length from 0 to ${bitsMax}`;
}

/** What is wrong with a rule for initiator names, or null. */
export function nameRuleProblem(rule: string): string | null {
  if (rule.length > 0 && Buffer.byteLength(rule) <= ISCSI_NAME_BYTES_MAX) return null;
  return `a rule for initiator names has 1 to ${ISCSI_NAME_BYTES_MAX} bytes`;
}

/** tgt writes IPv6 addresses in brackets. */
function unbracketed(address: string): string {
  return address.startsWith("[") && address.endsWith("]") ? address.slice(1, -1) : address;
}

/** What is wrong with a set of rules, a sentence each; empty when {@link AccessList} takes them. */
export function accessProblems(rules: AccessRules): readonly string[] {
  const problems: string[] = [];
  if (rules.addresses.length + rules.initiatorNames.length > ACCESS_RULES_MAX) {
    return [`an access list has at most ${ACCESS_RULES_MAX} rules`];
  }
  for (const rule of rules.addresses) {
    const problem = addressRuleProblem(rule);
    if (problem !== null) problems.push(problem);
  }
  for (const rule of rules.initiatorNames) {
    const problem = nameRuleProblem(rule);
    if (problem !== null) problems.push(problem);
  }
  return problems;
}

/** Who may use a target, or see it in discovery: by address and by initiator name. Immutable. */
export class AccessList {
  readonly rules: AccessRules;
  readonly #addresses: BlockList = new BlockList();
  readonly #exactNames: Set<string> = new Set();
  readonly #namePatterns: string[] = [];
  #everyAddress = false;

  /** Throws a TypeError on rules that {@link accessProblems} objects to: the edge has checked them. */
  constructor(rules: AccessRules = OPEN_ACCESS) {
    const problem = accessProblems(rules)[0];
    if (problem !== undefined) throw new TypeError(problem);
    this.rules = rules;
    for (const rule of rules.addresses) this.#addAddress(rule);
    for (const rule of rules.initiatorNames) {
      const name = normalizeIscsiName(rule);
      if (name.includes("*")) this.#namePatterns.push(name);
      else this.#exactNames.add(name);
    }
  }

  /** `remoteAddress` is the peer's, as the socket gives it; `initiatorName` as it logged in, in any case. */
  allows(remoteAddress: string, initiatorName: string): boolean {
    const { rules } = this;
    const byAddress = rules.addresses.length > 0;
    const byName = rules.initiatorNames.length > 0;
    if (rules.match === "any" && byAddress && byName) {
      return this.#allowsAddress(remoteAddress) || this.#allowsName(initiatorName);
    }
    if (byAddress && !this.#allowsAddress(remoteAddress)) return false;
    if (!byAddress && rules.withoutAddresses === "deny") return false;
    return !byName || this.#allowsName(initiatorName);
  }

  #addAddress(rule: string): void {
    if (rule === "ALL") {
      this.#everyAddress = true;
      return;
    }
    const [addressText = "", prefixBits] = rule.split("/");
    const address = plainAddress(unbracketed(addressText));
    const family = isIPv4(address) ? "ipv4" : "ipv6";
    if (prefixBits === undefined) this.#addresses.addAddress(address, family);
    else this.#addresses.addSubnet(address, Number(prefixBits), family);
  }

  #allowsAddress(remoteAddress: string): boolean {
    if (this.#everyAddress) return true;
    const address = plainAddress(remoteAddress);
    const family = isIP(address);
    return family !== 0 && this.#addresses.check(address, family === 4 ? "ipv4" : "ipv6");
  }

  #allowsName(initiatorName: string): boolean {
    const name = normalizeIscsiName(initiatorName);
    if (this.#exactNames.has(name)) return true;
    for (const pattern of this.#namePatterns) {
      if (globMatches(pattern, name)) return true;
    }
    return false;
  }
}
