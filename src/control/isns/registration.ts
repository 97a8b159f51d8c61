import { isIPv4 } from "node:net";
import type { Config } from "../config/config.ts";
import type { Endpoint } from "../config/endpoint.ts";
import {
  addressAttribute,
  type Attribute,
  DELIMITER,
  emptyAttribute,
  numberAttribute,
  textAttribute,
} from "./attribute.ts";
import { IsnsTag, NodeType, Notice, PROTOCOL_ISCSI } from "./constants.ts";
import { INQUIRY_SECONDS, REGISTRATION_SECONDS } from "./limits.ts";

export interface RegisteredTarget {
  readonly name: string;
  readonly alias: string | null;
  /** The groups of portals through which it is reached; empty for all. */
  readonly portalGroups: readonly number[];
}

/** An address, not a wildcard. */
export interface RegisteredPortal {
  readonly endpoint: Endpoint;
  readonly group: number;
}

/** What initiators are to find here. */
export interface Registration {
  readonly targets: readonly RegisteredTarget[];
  readonly portals: readonly RegisteredPortal[];
}

/** Who this host is to the server, and where it listens for what the server has to say. */
export interface Registrar {
  readonly entity: string;
  readonly eventPort: number;
  /** Whether the server is to ask from time to time whether this host is still there. */
  readonly inquiries: boolean;
}

const WILDCARDS: ReadonlySet<string> = new Set(["0.0.0.0", "::"]);

/**
 * What is registered of a configuration: all targets, and the portals by the addresses that initiators reach them at. `hostAddresses`
 * stand for a portal that listens on all of them, those of IPv4 also where it listens on those of IPv6.
 */
export function registrationOf(
  { targets }: Pick<Config, "targets">,
  portals: readonly { readonly endpoint: Endpoint; readonly group: number }[],
  hostAddresses: readonly string[],
): Registration {
  const expanded = portals.flatMap(({ endpoint: { address, port }, group }) => {
    if (!WILDCARDS.has(address)) return [{ endpoint: { address, port }, group }];
    const reached = address === "::" ? hostAddresses : hostAddresses.filter(isIPv4);
    return reached.map((own) => ({ endpoint: { address: own, port }, group }));
  });
  return {
    targets: targets.map(({ name, alias, portalGroups }) => ({ name, alias, portalGroups })),
    portals: expanded,
  };
}

/** A request says who asks, what it is about, and what is to be: three parts. */
function request(
  source: string,
  key: readonly Attribute[],
  operating: readonly Attribute[],
): Attribute[] {
  return [textAttribute(IsnsTag.node, source), ...key, DELIMITER, ...operating];
}

/** DevAttrReg of all that is here. `source` is the name of one of the targets. */
export function registerRequest(
  source: string,
  { entity, eventPort, inquiries }: Registrar,
  { targets, portals }: Registration,
): Attribute[] {
  const portalAttributes = portals.flatMap(({ endpoint: { address, port } }) => [
    addressAttribute(IsnsTag.portalAddress, address),
    numberAttribute(IsnsTag.portalPort, port),
    ...(inquiries
      ? [
          numberAttribute(IsnsTag.inquiryInterval, INQUIRY_SECONDS),
          numberAttribute(IsnsTag.inquiryPort, eventPort),
        ]
      : []),
    numberAttribute(IsnsTag.noticePort, eventPort),
  ]);
  const targetAttributes = targets.flatMap((target) => [
    textAttribute(IsnsTag.node, target.name),
    numberAttribute(IsnsTag.nodeType, NodeType.target),
    ...(target.alias === null ? [] : [textAttribute(IsnsTag.alias, target.alias)]),
  ]);
  const groupAttributes = targets.flatMap((target) =>
    portals.flatMap(({ endpoint: { address, port }, group }) => [
      textAttribute(IsnsTag.groupNode, target.name),
      addressAttribute(IsnsTag.groupAddress, address),
      numberAttribute(IsnsTag.groupPort, port),
      // An empty tag: the target is not reached through this portal.
      isReached(target, group)
        ? numberAttribute(IsnsTag.groupTag, group)
        : emptyAttribute(IsnsTag.groupTag),
    ]),
  );
  return request(
    source,
    [textAttribute(IsnsTag.entity, entity)],
    [
      textAttribute(IsnsTag.entity, entity),
      numberAttribute(IsnsTag.entityProtocol, PROTOCOL_ISCSI),
      numberAttribute(IsnsTag.registrationPeriod, REGISTRATION_SECONDS),
      ...portalAttributes,
      ...targetAttributes,
      ...groupAttributes,
    ],
  );
}

function isReached({ portalGroups }: RegisteredTarget, group: number): boolean {
  return portalGroups.length === 0 || portalGroups.includes(group);
}

/** DevDereg of targets. */
export function deregisterTargetsRequest(source: string, names: readonly string[]): Attribute[] {
  return request(
    source,
    [],
    names.map((name) => textAttribute(IsnsTag.node, name)),
  );
}

/** DevDereg of everything that this host has registered. */
export function deregisterEntityRequest(source: string, entity: string): Attribute[] {
  return request(source, [], [textAttribute(IsnsTag.entity, entity)]);
}

/** SCNReg: a target wants to hear of initiators that come to see it, change and go. */
export function noticesRequest(target: string): Attribute[] {
  const wanted =
    Notice.aboutInitiators | Notice.objectAdded | Notice.objectRemoved | Notice.objectUpdated;
  return request(
    target,
    [textAttribute(IsnsTag.node, target)],
    [numberAttribute(IsnsTag.noticeBitmap, wanted)],
  );
}

/** DevAttrQry: the initiators in a common discovery domain with a target. */
export function initiatorsRequest(target: string): Attribute[] {
  return request(
    target,
    [numberAttribute(IsnsTag.nodeType, NodeType.initiator)],
    [emptyAttribute(IsnsTag.node), emptyAttribute(IsnsTag.nodeType)],
  );
}
