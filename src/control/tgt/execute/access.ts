import type { TargetConfig } from "../../config/config.ts";
import type { TgtAccess } from "../tgt-command.ts";
import { changeTarget } from "./targets.ts";
import type { TgtDaemon } from "./tgt-daemon.ts";
import { TgtRefused } from "./tgt-refused.ts";

/*
 * One request with an address and a name makes two rules of tgt, of which the first is spelled `ADDRESS,initiator-name=NAME`. Here the
 * rule is the address, and the spelling is kept beside the target's settings, to be shown and found again.
 */

const SPELLING_KEY = "initiator-address ";
const SPELLED = ",initiator-name=";

function addressOf(rule: string): string {
  const comma = rule.indexOf(SPELLED);
  return comma === -1 ? rule : rule.slice(0, comma);
}

/** The rules for addresses as tgt spells them, in their order. */
export function spelledAddresses({ access, tgt }: TargetConfig): readonly string[] {
  return access.addresses.map((rule) => tgt?.settings.get(`${SPELLING_KEY}${rule}`) ?? rule);
}

function withAddresses(target: TargetConfig, spelled: readonly string[]): TargetConfig {
  const { access, tgt } = target;
  const settings = [...(tgt?.settings ?? [])].filter(([key]) => !key.startsWith(SPELLING_KEY));
  for (const rule of spelled) {
    if (rule.includes(SPELLED)) settings.push([`${SPELLING_KEY}${addressOf(rule)}`, rule]);
  }
  return {
    ...target,
    access: { ...access, addresses: spelled.map((rule) => addressOf(rule)) },
    tgt: tgt === null ? null : { ...tgt, settings: new Map(settings) },
  };
}

function withNames(target: TargetConfig, initiatorNames: readonly string[]): TargetConfig {
  return { ...target, access: { ...target.access, initiatorNames } };
}

function plus(rules: readonly string[], rule: string): readonly string[] {
  if (rules.includes(rule)) throw new TgtRefused("acl-exists");
  return [...rules, rule];
}

function minus(rules: readonly string[], rule: string): readonly string[] {
  if (!rules.includes(rule)) throw new TgtRefused("no-acl");
  return rules.filter((one) => one !== rule);
}

async function change(
  daemon: TgtDaemon,
  targetId: number,
  { initiatorAddress: address, initiatorName: name }: TgtAccess,
  step: typeof plus,
): Promise<void> {
  await changeTarget(daemon, targetId, "tgt target bind", (before) => {
    let target = before;
    if (address !== undefined) {
      target = withAddresses(target, step(spelledAddresses(target), address));
    }
    return name === undefined
      ? target
      : withNames(target, step(target.access.initiatorNames, name));
  });
}

/** All of a request's rules, or none. Refused: no-target, acl-exists, invalid-request where an address is none. */
export function bindAccess(daemon: TgtDaemon, targetId: number, access: TgtAccess): Promise<void> {
  return change(daemon, targetId, access, plus);
}

/** Refused: no-target, no-acl. */
export function unbindAccess(
  daemon: TgtDaemon,
  targetId: number,
  access: TgtAccess,
): Promise<void> {
  return change(daemon, targetId, access, minus);
}
