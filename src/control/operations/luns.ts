import type { LunConfig, TargetConfig } from "../config/config.ts";
import type { ConfigDocument } from "../config/document.ts";
import { lunDocument } from "../config/target-shape.ts";
import type { Inventory } from "../config/inventory.ts";
import type { PlaneView } from "../plane/control-plane.ts";
import {
  freeLun,
  isImplied,
  minusLun,
  plusLun,
  refuseOwned,
  targetOf,
  viewOf,
  withChangedTarget,
  withVolume,
} from "../plane/edits.ts";
import { type ArgumentsOf, type LunReport, OperationError, type ReplyOf } from "../protocol.ts";
import { withSettings } from "./lun-settings.ts";
import { actorOf, daemonOf } from "./operated-daemon.ts";
import type { OperationRequest } from "./operation.ts";
import { describeLun } from "./target-report.ts";
import { targetNameOf } from "./targets.ts";
import { wantedOf } from "./wanted.ts";

/** Errors: missing. */
export async function listLuns({
  context,
  body,
}: OperationRequest<"lun/list">): Promise<readonly LunReport[]> {
  const daemon = daemonOf(context);
  const { targets } = daemon.plane.view.all;
  const only = body.target === undefined ? undefined : targetNameOf(body.target);
  const meant = targets.filter(({ name }) => only === undefined || name === only);
  if (only !== undefined && meant.length === 0) {
    throw new OperationError("missing", `there is no target ${only}`);
  }
  return Promise.resolve(
    meant.flatMap(({ name, luns }) => luns.map((lun) => describeLun(daemon, name, lun))),
  );
}

/** Initiators that are there are told. Errors: invalid, missing, exists, foreign, busy, failed, io. */
export async function mapVolume(request: OperationRequest<"target/map">): Promise<LunReport> {
  const { context } = request;
  const { force = false, ...body } = request.body;
  const daemon = daemonOf(context);
  const target = targetNameOf(body.target);
  let made: number = 0;
  const actor = { ...actorOf(request), replacesDisks: force };
  await daemon.plane.change(actor, "target/map", (view) => {
    const before = targetOf(view, target);
    // Initiators that are logged in may still take what comes there for what was there.
    const met = daemon.server.targets.get(target)?.device.metLuns;
    made = body.lun ?? freeLun(before, before.tgt === null ? 0 : 1, met);
    return withMapped(view, before, { ...body, lun: made });
  });
  const lun = daemon.plane.view.all.targets
    .find(({ name }) => name === target)
    ?.luns.find((one) => one.lun === made);
  if (lun === undefined) throw new OperationError("busy", `LUN ${made} is gone again`);
  return describeLun(daemon, target, lun);
}

/** Initiators that are there are told, and get 3F/0E. Errors: missing, foreign, io. */
export async function unmapLun(
  request: OperationRequest<"target/unmap">,
): Promise<ReplyOf<"target/unmap">> {
  const { context, body } = request;
  const { plane } = daemonOf(context);
  const target = targetNameOf(body.target);
  await plane.change(actorOf(request), "target/unmap", (view) =>
    withChangedTarget(view, target, (before) => minusLun(before, body.lun)),
  );
  return {};
}

type Mapping = Omit<ArgumentsOf<"target/map">, "force"> & { readonly lun: number };

function withMapped(view: PlaneView, target: TargetConfig, mapping: Mapping): Inventory {
  const { volume } = mapping;
  const isKnown = view.all.volumes.has(volume);
  if (!isKnown && !isImplied(volume)) {
    throw new OperationError(
      "missing",
      `there is no volume ${volume}: write POOL/VOLUME, the absolute path of a file or device, or a name of the configuration`,
    );
  }
  const wanted = wantedOf({
    targets: [{ name: target.name, luns: [lunOf(view, mapping)] }],
    volumes: isKnown ? {} : { [volume]: impliedVolume(volume) },
  });
  const [lun] = wanted.targets[0]?.luns ?? [];
  const config = wanted.volumes.get(volume);
  if (lun === undefined) throw new OperationError("invalid", "there is no LUN in it");
  if (config?.driver === "raw") refuseOwned(view, config.path);
  const inventory = config === undefined ? view.inventory : withVolume(view, volume, config);
  return withChangedTarget(viewOf(view, inventory), target.name, (before) => plusLun(before, lun));
}

/** What a volume is that nobody has named: a volume of a pool, or a file or device as it is. */
export function impliedVolume(name: string): ConfigDocument {
  if (name.startsWith("/")) return { driver: "raw", path: name };
  const [pool = "", ...rest] = name.split("/");
  return { driver: "thin", pool, name: rest.join("/") };
}

/** A volume is one disk under however many LUNs: what is not said is as at the others. */
function lunOf({ all }: PlaneView, mapping: Mapping): ConfigDocument {
  const { lun, volume } = mapping;
  const twin = all.targets
    .flatMap(({ luns }) => luns)
    .find((one): one is LunConfig => one.volume === volume && one.tgt === null);
  const document = twin === undefined ? {} : lunDocument(twin);
  return withSettings({ ...document, lun, volume }, mapping);
}
