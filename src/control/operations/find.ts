import type { ThinVolume } from "../../thin/io/thin-volume.ts";
import { OperationError } from "../protocol.ts";
import type { OperatedPool, OperationContext } from "./operation.ts";

/** A volume and the pool that it is in. */
export interface FoundVolume {
  readonly operated: OperatedPool;
  readonly volume: ThinVolume;
}

/** By name or UUID. Errors: missing. */
export function findPool({ pools }: OperationContext, nameOrUuid: string): OperatedPool {
  const all = pools();
  const found = all.find(({ pool }) => pool.name === nameOrUuid || pool.uuid === nameOrUuid);
  if (found !== undefined) return found;
  const names = all.map(({ pool }) => pool.name);
  const there = names.length === 0 ? "there is none" : `there is ${names.join(", ")}`;
  throw new OperationError("missing", `no pool ${nameOrUuid} is open: ${there}`);
}

/** By names or UUIDs. Errors: missing. */
export function findVolume(context: OperationContext, pool: string, volume: string): FoundVolume {
  const operated = findPool(context, pool);
  return { operated, volume: operated.pool.volume(volume) };
}

/** The pools that are meant: one, or all of them. Errors: missing. */
export function findPools(
  context: OperationContext,
  nameOrUuid: string | undefined,
): readonly OperatedPool[] {
  return nameOrUuid === undefined ? context.pools() : [findPool(context, nameOrUuid)];
}
