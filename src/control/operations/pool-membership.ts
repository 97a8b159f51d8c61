import { isNewName } from "../../thin/format/identity.ts";
import { unmarkWipe } from "../../thin/members/take-back.ts";
import type { PoolConfig } from "../config/config.ts";
import type { ConfigDocument } from "../config/document.ts";
import type { Inventory } from "../config/inventory.ts";
import type { PlaneView } from "../plane/control-plane.ts";
import { refuseOwned } from "../plane/edits.ts";
import { OperationError, type PoolReport, type ReplyOf } from "../protocol.ts";
import { findPool } from "./find.ts";
import { actorOf, daemonOf } from "./operated-daemon.ts";
import type { OperationRequest } from "./operation.ts";
import { describePool } from "./report.ts";
import { wantedOf } from "./wanted.ts";
import { putBackDevices, wipeDevices } from "./wiped-devices.ts";

/*
 * Which pools the daemon has, beside those of its configuration.
 */

/** Makes an empty pool, and has it from now on. Errors: invalid, exists, foreign: and what is on the devices; busy, unsupported, failed, io. */
export async function createPool(
  request: OperationRequest<"pool/create">,
): Promise<ReplyOf<"pool/create">> {
  const { context, body } = request;
  const { plane } = daemonOf(context);
  const { pool: name, devices, createBytes, extentBytes, overcommitMax = 0, direct = false } = body;
  if (!isNewName(name)) {
    throw new OperationError("invalid", `${JSON.stringify(name)} is no name for a pool`);
  }
  const config = wantedPool(name, {
    devices,
    direct,
    overcommit: overcommitMax,
    create: {
      ...(createBytes === undefined ? {} : { size: createBytes }),
      ...(extentBytes === undefined ? {} : { extentSize: extentBytes }),
    },
  });
  const edit = (view: PlaneView): Inventory => withPool(view, name, config);
  // Nothing is wiped for a pool that could not be made.
  plane.preview(edit);
  const wiped = await wipeDevices(request, config);
  try {
    request.settle?.("the pool is being made");
    await plane.change(actorOf(request), "pool/create", edit);
  } catch (error) {
    throw await putBackDevices(request, wiped, error);
  }
  const backups = wiped.flatMap(({ backup }) => backup ?? []);
  await unmarkWipe(backups);
  return { pool: describePool(findPool(context, name).pool), backups };
}

/** Opens a pool that is there, and has it from now on. Errors: invalid, exists, foreign, busy, failed, io. */
export async function addPool(request: OperationRequest<"pool/add">): Promise<PoolReport> {
  const { context, body } = request;
  const { plane } = daemonOf(context);
  const { pool: name, devices, direct = false, shared = false } = body;
  const config = wantedPool(name, { devices, direct, shared });
  await plane.change(actorOf(request), "pool/add", (view) => withPool(view, name, config));
  return describePool(findPool(context, name).pool);
}

/** Lets go of a pool; its devices stay as they are. Errors: missing, foreign, busy: a volume of it is mapped; io. */
export async function removePool(
  request: OperationRequest<"pool/remove">,
): Promise<ReplyOf<"pool/remove">> {
  const { context, body } = request;
  const { plane, poolIdentities } = daemonOf(context);
  await plane.change(actorOf(request), "pool/remove", (view) => withoutPool(view, body.pool));
  // Another pool may have its name.
  await poolIdentities.forget(body.pool);
  return {};
}

function wantedPool(name: string, document: ConfigDocument): PoolConfig {
  const config = wantedOf({ pools: { [name]: document } }).pools.get(name);
  if (config === undefined) throw new OperationError("invalid", `${name} is no name for a pool`);
  return config;
}

function withPool(view: PlaneView, name: string, config: PoolConfig): Inventory {
  const { all, inventory } = view;
  if (all.pools.has(name)) {
    throw new OperationError("exists", `there is a pool ${name} already`);
  }
  for (const path of config.devices) refuseOwned(view, path);
  return { ...inventory, pools: new Map([...inventory.pools, [name, config]]) };
}

function withoutPool({ all, config, inventory }: PlaneView, name: string): Inventory {
  if (config.pools.has(name)) {
    throw new OperationError(
      "foreign",
      `pool ${name} is in the configuration: take it out there, and start the daemon anew`,
    );
  }
  if (!inventory.pools.has(name)) {
    throw new OperationError("missing", `there is no pool ${name}`);
  }
  const users = [...all.volumes].filter(
    ([, volume]) => volume.driver === "thin" && volume.pool === name,
  );
  if (users.length > 0) {
    const names = users.map(([volume]) => volume).join(", ");
    throw new OperationError(
      "busy",
      `volumes of pool ${name} are served: ${names}; unmap them first`,
    );
  }
  const pools = new Map([...inventory.pools].filter(([one]) => one !== name));
  return { ...inventory, pools };
}
