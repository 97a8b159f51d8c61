import type { ThinVolume } from "../../thin/io/thin-volume.ts";
import type { Pool } from "../../thin/pool/pool.ts";
import { type AuditedChange, fieldChanges } from "../audit.ts";
import type { VolumeConfig } from "../config/config.ts";
import type { Inventory } from "../config/inventory.ts";
import type { Edit } from "../plane/control-plane.ts";
import { OperationError, type VolumeReport } from "../protocol.ts";
import { audited } from "./audited.ts";
import { findVolume } from "./find.ts";
import { actorOf } from "./operated-daemon.ts";
import { operationErrorOf } from "./operation-error.ts";
import type { OperationRequest } from "./operation.ts";
import { describeVolume } from "./report.ts";
import { servedNames } from "./served.ts";

type Volumes = Inventory["volumes"];

/** The last that was asked of each volume: what is kept and what the pool has would else come from two that ask at a time. */
const turns = new WeakMap<ThinVolume, Promise<unknown>>();

/** Also while it is served. Errors: invalid, missing, space, failed, io. */
export async function resizeVolume(
  request: OperationRequest<"volume/resize">,
): Promise<VolumeReport> {
  const { context, body } = request;
  const { operated, volume } = findVolume(context, body.pool, body.volume);
  const { pool } = operated;
  const turn = (turns.get(volume) ?? Promise.resolve()).then(() => resize(request, pool, volume));
  const settled = turn.catch(() => undefined);
  turns.set(volume, settled);
  await turn;
  return describeVolume(context, pool, volume);
}

/**
 * Where a command has asked for a size, the new one is asked for from now on, and first of all: a start must not grow what was shrunk. One
 * that finds a volume larger than that leaves it.
 */
async function resize(
  request: OperationRequest<"volume/resize">,
  pool: Pool,
  volume: ThinVolume,
): Promise<void> {
  const { sizeBytes, shrink = false } = request.body;
  const from = volume.capacityBytes;
  const names = servedNames(request.context, volume);
  const before: Volumes = request.context.daemon?.plane.view.inventory.volumes ?? new Map();
  const changes: AuditedChange[] = [];
  try {
    changes.push(
      ...(await keep(
        request,
        withSizes(names, () => sizeBytes),
      )),
    );
    await pool.resize(volume, sizeBytes, shrink);
  } catch (error) {
    if (volume.capacityBytes !== sizeBytes || from === sizeBytes) {
      if (changes.length > 0) await takeBack(request, names, before);
      throw error;
    }
    // What keeps a volume's size grows it, too, and cannot take that back: initiators may have seen it.
    const { kind, message } = operationErrorOf(error);
    const size = `volume ${volume.attributes.name} has ${sizeBytes} bytes now`;
    throw new OperationError(kind, `${size}, which stays so, but then: ${message}`, error);
  } finally {
    const name = `${pool.name}/${volume.attributes.name}`;
    const fields = fieldChanges({ sizeBytes: from }, { sizeBytes: volume.capacityBytes });
    const own: AuditedChange = { action: "change", kind: "volume", name, fields };
    if (volume.capacityBytes === sizeBytes) audited(request, "volume/resize", [own, ...changes]);
  }
}

async function takeBack(
  request: OperationRequest<"volume/resize">,
  names: readonly string[],
  before: Volumes,
): Promise<void> {
  try {
    await keep(
      request,
      withSizes(names, (name) => before.get(name)?.sizeBytes ?? undefined),
    );
  } catch (error) {
    const message = "the volume was not resized, and the next start tries again: it is still kept";
    request.context.log.error({ volumes: names, error }, message);
  }
}

async function keep(
  request: OperationRequest<"volume/resize">,
  edit: Edit,
): Promise<readonly AuditedChange[]> {
  const actor = { ...actorOf(request), isPart: true, isResizing: true };
  return (await request.context.daemon?.plane.change(actor, "volume/resize", edit)) ?? [];
}

/** The volumes of which a command has asked for a size, with others. */
function withSizes(names: readonly string[], wanted: (name: string) => number | undefined): Edit {
  const resized = (name: string, config: VolumeConfig): VolumeConfig => {
    const sizeBytes = names.includes(name) ? wanted(name) : undefined;
    if (sizeBytes === undefined || config.driver === "memory") return config;
    return config.sizeBytes === null ? config : { ...config, sizeBytes };
  };
  return ({ inventory }) => ({
    ...inventory,
    volumes: new Map(
      Array.from(inventory.volumes, ([name, config]): [string, VolumeConfig] => [
        name,
        resized(name, config),
      ]),
    ),
  });
}
