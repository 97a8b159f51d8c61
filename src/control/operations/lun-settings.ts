import { unitSettingsProblems } from "../../scsi/unit-settings.ts";
import { assert } from "../../util/assert.ts";
import type { LunConfig } from "../config/config.ts";
import type { ConfigDocument } from "../config/document.ts";
import type { Inventory } from "../config/inventory.ts";
import { lunDocument } from "../config/target-shape.ts";
import type { PlaneView } from "../plane/control-plane.ts";
import { targetOf } from "../plane/edits.ts";
import { type LunReport, type LunSettingArguments, OperationError } from "../protocol.ts";
import { actorOf, daemonOf } from "./operated-daemon.ts";
import type { OperationRequest } from "./operation.ts";
import { describeLun } from "./target-report.ts";
import { targetNameOf } from "./targets.ts";
import { wantedTarget } from "./wanted.ts";

/** What is said of a LUN, and which one it is. */
type SaidOfLun = LunSettingArguments & {
  readonly target: string;
  readonly lun: number;
  readonly volume?: string;
};

function settingsOf(body: SaidOfLun): LunSettingArguments {
  const { target: _, lun: __, volume: ___, ...settings } = body;
  return settings;
}

/** What a LUN's document says once something else is said of it; null: what it was before is not said any more. */
export function withSettings(document: ConfigDocument, body: SaidOfLun): ConfigDocument {
  const { readOnly, blockBytes, vendor, product, revision, serial, ...unit } = settingsOf(body);
  const before = (document["settings"] ?? {}) as ConfigDocument;
  const settings = { ...before, ...unit };
  const said = Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== null));
  const [problem] = unitSettingsProblems(said);
  if (problem !== undefined) throw new OperationError("invalid", problem);
  return {
    ...document,
    ...(readOnly === undefined ? {} : { readOnly }),
    ...(blockBytes === undefined ? {} : { blockSize: blockBytes }),
    ...(vendor === undefined ? {} : { vendor }),
    ...(product === undefined ? {} : { product }),
    ...(revision === undefined ? {} : { revision }),
    ...(serial === undefined ? {} : { serial }),
    settings: said,
  };
}

/**
 * What is not given stays as it is. Initiators that are there are told; what would make another disk of it is refused while they are.
 * Errors: invalid, missing, foreign, busy, io.
 */
export async function setLun(request: OperationRequest<"lun/set">): Promise<LunReport> {
  const { context, body } = request;
  const daemon = daemonOf(context);
  const name = targetNameOf(body.target);
  const { lun: number } = body;
  if (Object.keys(settingsOf(body)).length === 0) {
    throw new OperationError("invalid", `nothing is to be changed of LUN ${number} of ${name}`);
  }
  await daemon.plane.change(actorOf(request), "lun/set", (view) =>
    withLunSet(view, { ...body, target: name }),
  );
  const target = daemon.plane.view.all.targets.find((one) => one.name === name);
  const lun = target?.luns.find((one) => one.lun === number);
  if (lun === undefined) {
    throw new OperationError("missing", `LUN ${number} of ${name} is gone again`);
  }
  return describeLun(daemon, name, lun);
}

type Setting = OperationRequest<"lun/set">["body"];

/** A volume is one disk under however many LUNs: all of them are described anew. */
function withLunSet(view: PlaneView, body: Setting): Inventory {
  const { luns } = targetOf(view, body.target);
  const before = luns.find(({ lun }) => lun === body.lun);
  if (before === undefined) {
    throw new OperationError("missing", `${body.target} has no LUN ${body.lun}`);
  }
  const { blockBytes, readOnly, identity, settings } = changed(before, body);
  const isIt = (one: LunConfig): boolean =>
    one === before || (before.tgt === null && one.tgt === null && one.volume === before.volume);
  for (const { name, luns: configured } of view.config.targets) {
    const twin = configured.find(isIt);
    if (twin === undefined) continue;
    throw new OperationError(
      "foreign",
      `${before.volume} is LUN ${twin.lun} of ${name} in the configuration, too, and is one disk wherever it is: change it there`,
    );
  }
  const targets = view.inventory.targets.map((target) => ({
    ...target,
    luns: target.luns.map((one) =>
      isIt(one) ? { ...one, blockBytes, readOnly, identity, settings } : one,
    ),
  }));
  return { ...view.inventory, targets };
}

function changed(before: LunConfig, body: Setting): LunConfig {
  // A target by itself: it is not one of tgt, whose LUNs have more to them.
  const document = withSettings(lunDocument({ ...before, tgt: null }), body);
  const [lun] = wantedTarget({ name: body.target, luns: [document] }).luns;
  assert(lun !== undefined, "a document of one LUN is one LUN");
  return lun;
}
