import type {
  TgtAccountDocument,
  TgtLunDocument,
  TgtSettingDocument,
  TgtTargetDocument,
} from "../schemas/tgt-apply.ts";
import {
  DEVICE_TYPES,
  MODES,
  NO_LUN,
  NO_TARGET_ID,
  OPERATIONS,
  type TgtMode,
  type TgtOperation,
  type TgtRequest,
} from "../tgt/request.ts";
import { OperationError } from "../protocol.ts";

/** A request of tgt's management protocol, and what it is for, in words. */
export interface NamedRequest {
  readonly what: string;
  readonly request: TgtRequest;
}

type Fields = Partial<Pick<TgtRequest, "targetId" | "lun" | "deviceType" | "accountDirection">>;

function requestOf(
  mode: TgtMode,
  operation: TgtOperation,
  text: string,
  fields: Fields = {},
): TgtRequest {
  return {
    mode: MODES.indexOf(mode),
    operation: OPERATIONS.indexOf(operation),
    driver: "iscsi",
    targetId: NO_TARGET_ID,
    sessionId: 0n,
    lun: NO_LUN,
    connectionId: 0,
    hostNumber: 0,
    deviceType: 0,
    accountDirection: 0,
    pack: 0,
    force: 0,
    text,
    ...fields,
  };
}

/** Everything that makes a target, in tgt-admin's order. Errors: invalid: what no request can say. */
export function targetRequests(target: TgtTargetDocument, targetId: number): NamedRequest[] {
  const { name, settings, luns, incoming, outgoing, addresses, initiatorNames } = target;
  const of = (what: string, request: TgtRequest): NamedRequest => {
    return { what: `target ${name}${what}`, request };
  };
  const update = ({ name: key, value }: TgtSettingDocument): NamedRequest =>
    of(`: ${key} ${value}`, requestOf("target", "update", `${key}=${value}`, { targetId }));
  const bind = (rule: string): NamedRequest =>
    of(`: ${rule}`, requestOf("target", "bind", rule, { targetId }));
  const isState = (setting: TgtSettingDocument): boolean => setting.name === "state";
  return [
    of("", requestOf("target", "new", `targetname=${word(name)}`, { targetId })),
    ...settings.filter((setting) => !isState(setting)).map(update),
    ...luns.flatMap((lun) => lunRequests(name, targetId, lun)),
    ...incoming.map((user) => bindRequest(user, targetId, false)),
    ...addresses.map((address) => bind(`initiator-address=${address}`)),
    ...initiatorNames.map((initiator) => bind(`initiator-name=${initiator}`)),
    ...(outgoing === null ? [] : [bindRequest(outgoing, targetId, true)]),
    ...settings.filter(isState).map(update),
  ];
}

/** A comma ends a word of a request, and nothing quotes it. */
function word(text: string): string {
  if (!text.includes(",")) return text;
  throw new OperationError(
    "invalid",
    `"${text}" has a comma, which ends a word for tgt's commands`,
  );
}

function lunRequests(target: string, targetId: number, unit: TgtLunDocument): NamedRequest[] {
  const lun = BigInt(unit.lun);
  const what = `target ${target}: LUN ${unit.lun}`;
  const type = unit.deviceType ?? "disk";
  const deviceType = DEVICE_TYPES.get(type);
  if (deviceType === undefined) {
    throw new OperationError("invalid", `${what}: there are no devices of type ${type}`);
  }
  const words: readonly (readonly [key: string, value: string | null])[] = [
    ["path", unit.path],
    ["bstype", unit.bsType],
    ["bsopts", unit.bsOptions],
    ["bsoflags", unit.bsOpenFlags],
    ["blocksize", unit.blockSize],
  ];
  const text = words.flatMap(([key, value]) => (value === null ? [] : [`${key}=${word(value)}`]));
  return [
    {
      what,
      request: requestOf("logicalunit", "new", text.join(","), { targetId, lun, deviceType }),
    },
    ...unit.params.map((params) => ({
      what: `${what}: ${params}`,
      request: requestOf("logicalunit", "update", `targetOps ${params},`, { targetId, lun }),
    })),
  ];
}

/** Makes an account. */
export function accountRequest({ user, password }: TgtAccountDocument): NamedRequest {
  const text = `user=${word(user)},password=${password}`;
  return { what: `account ${user}`, request: requestOf("account", "new", text) };
}

/** @param targetId null: for discovery */
export function bindRequest(
  user: string,
  targetId: number | null,
  isOutgoing: boolean,
): NamedRequest {
  const fields = { targetId: targetId ?? NO_TARGET_ID, accountDirection: isOutgoing ? 1 : 0 };
  const request = requestOf("account", "bind", `user=${word(user)}`, fields);
  return { what: `account ${user}`, request };
}
