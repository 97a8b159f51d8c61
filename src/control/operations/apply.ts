import { isDeepStrictEqual } from "node:util";
import { formatSize } from "../../util/units.ts";
import type { Config, PortalConfig, VolumeConfig } from "../config/config.ts";
import { formatEndpoint } from "../config/endpoint.ts";
import { EMPTY_INVENTORY, type Inventory } from "../config/inventory.ts";
import { readSecretFile } from "../config/load-config.ts";
import { parseInventory } from "../config/parse-config.ts";
import { ConfigError } from "../config/report.ts";
import type { PlaneView } from "../plane/control-plane.ts";
import { type Difference, differencesOf } from "../plane/differences.ts";
import { isImplied, withoutUnusedVolumes } from "../plane/edits.ts";
import { type ChangeReport, OperationError } from "../protocol.ts";
import { impliedVolume } from "./luns.ts";
import { actorOf, daemonOf } from "./operated-daemon.ts";
import type { OperationRequest } from "./operation.ts";
import { wantedOf } from "./wanted.ts";
import type { VolumeStore } from "../volume-store.ts";

/** Drivers of volumes of which a smaller size would take data away. */
const KEEPS_DATA: ReadonlySet<string> = new Set(["raw", "thin"]);

/**
 * Makes what is there into what a document says, as a whole or not at all. A thing that it names becomes what it says, in every setting;
 * what it does not name stays, or goes where that is asked for. Errors: invalid: with lines; foreign, exists, busy: something would
 * go that may not; unsupported: a volume would become smaller; failed, io.
 */
export async function applyDocument(
  request: OperationRequest<"system/apply">,
): Promise<readonly ChangeReport[]> {
  const { context, body } = request;
  const { plane, volumes } = daemonOf(context);
  const { dryRun = false, prune = false, folder = "/" } = body;
  const wanted = read(body.document, folder);
  const edit = (view: PlaneView): Inventory => {
    refuseShrinking(view, wanted, volumes.volumes);
    const after = applied(view, wanted, prune);
    if (body.mayGo !== undefined) refuseOthers(differencesOf(view.inventory, after), body.mayGo);
    return after;
  };
  const differences = dryRun
    ? plane.preview(edit)
    : await plane.change(actorOf(request), "system/apply", edit);
  return differences.map(describeChange);
}

/** Whoever was asked has not been asked about what came after that. Errors: busy. */
function refuseOthers(
  differences: readonly Difference[],
  mayGo: readonly Pick<Difference, "kind" | "name">[],
): void {
  const isMeant = ({ kind, name }: Difference): boolean =>
    mayGo.some((one) => one.kind === kind && one.name === name);
  const others = differences.filter((one) => one.action === "delete" && !isMeant(one));
  if (others.length === 0) return;
  const names = others.map(({ kind, name }) => `${kind} ${name}`).join(", ");
  throw new OperationError(
    "busy",
    `changed meanwhile, look again: ${names} would go, too; nothing was changed`,
  );
}

function read(text: string, folder: string): Inventory {
  try {
    const wanted = parseInventory({ fileName: "document", text, folder, readSecretFile });
    const targets = wanted.targets.map(({ name }) => name);
    const users = wanted.accounts.map(({ user }) => user);
    refuseTwins(targets, "targets");
    refuseTwins(users, "accounts");
    refuseTwins(wanted.portals.map(listenOf), "portals");
    return wanted;
  } catch (error) {
    if (error instanceof ConfigError) throw new OperationError("invalid", error.message, error);
    throw error;
  }
}

/** What a list of the document names twice: which of the two is meant is not for a program to guess. */
function refuseTwins(names: readonly string[], what: string): void {
  const twin = names.find((name, index) => names.indexOf(name) !== index);
  if (twin === undefined) return;
  throw new OperationError("invalid", `the document has two ${what} ${twin}`);
}

/** What was said of a size before stays true; a size that comes new, and that the volume is larger than, would never be what it has. */
function refuseShrinking(
  { all }: PlaneView,
  wanted: Inventory,
  open: VolumeStore["volumes"],
): void {
  for (const [name, { driver, sizeBytes }] of wanted.volumes) {
    const known = all.volumes.get(name);
    const hasBytes = open.get(name)?.volume.capacityBytes ?? 0;
    if (known?.driver !== driver || known.sizeBytes === sizeBytes) continue;
    if (sizeBytes === null || hasBytes <= sizeBytes || !KEEPS_DATA.has(driver)) continue;
    throw new OperationError(
      "unsupported",
      `volume ${name} has ${formatSize(hasBytes)}, and apply makes no volume smaller: say that size, or none` +
        (driver === "thin" ? " (thinlun volume resize --shrink does it)" : ""),
    );
  }
}

/** The inventory as the document has it. What the configuration has in the same words is left to it. */
function applied(view: PlaneView, document: Inventory, prune: boolean): Inventory {
  const before = prune ? EMPTY_INVENTORY : view.inventory;
  const wanted = withNumbers(view, withImplied(view, document));
  const { config } = view;
  const inventory: Inventory = {
    portals: replaced(before.portals, wanted.portals, config.portals, listenOf),
    pools: replacedIn(before.pools, wanted.pools, config.pools),
    volumes: replacedIn(before.volumes, wanted.volumes, config.volumes),
    targets: replaced(before.targets, wanted.targets, config.targets, ({ name }) => name),
    accounts: replaced(before.accounts, wanted.accounts, config.accounts, ({ user }) => user),
    discovery: wanted.discovery ?? before.discovery,
  };
  return prune ? inventory : withoutUnusedVolumes(inventory, wanted.volumes);
}

function listenOf({ listen }: PortalConfig): string {
  return formatEndpoint(listen);
}

/** Each thing of a list in its place, those that are new behind them. */
function replaced<T>(
  before: readonly T[],
  wanted: readonly T[],
  configured: readonly T[],
  nameOf: (thing: T) => string,
): readonly T[] {
  const byName = (things: readonly T[]): Map<string, T> =>
    new Map(things.map((thing) => [nameOf(thing), thing]));
  return [...replacedIn(byName(before), byName(wanted), byName(configured)).values()];
}

function replacedIn<T>(
  before: ReadonlyMap<string, T>,
  wanted: ReadonlyMap<string, T>,
  configured: ReadonlyMap<string, T>,
): ReadonlyMap<string, T> {
  const mine = [...wanted].filter(
    ([name, thing]) => !isDeepStrictEqual(configured.get(name), thing),
  );
  return new Map([...before, ...mine]);
}

/** A target keeps the number by which tgt's commands know it, where the document does not say another. */
function withNumbers({ inventory, config }: PlaneView, wanted: Inventory): Inventory {
  const known = new Map(
    [...config.targets, ...inventory.targets].map((one) => [one.name, one.tid]),
  );
  const targets = wanted.targets.map((target) => ({
    ...target,
    tid: target.tid ?? known.get(target.name) ?? null,
  }));
  return { ...wanted, targets };
}

/** With the volumes that LUNs lead to without anybody having named them. */
function withImplied({ config, inventory }: PlaneView, wanted: Inventory): Inventory {
  const known: Pick<Config, "volumes">[] = [wanted, config, inventory];
  const used = wanted.targets.flatMap(({ luns }) => luns.map(({ volume }) => volume));
  const names = [...new Set(used)].filter((name) => isImplied(name) && !wanted.volumes.has(name));
  const implied = names.map((name): readonly [string, VolumeConfig] => {
    const found = known.map(({ volumes }) => volumes.get(name)).find((one) => one !== undefined);
    return [name, found ?? impliedConfig(name)];
  });
  return { ...wanted, volumes: new Map([...wanted.volumes, ...implied]) };
}

function impliedConfig(name: string): VolumeConfig {
  const config = wantedOf({ volumes: { [name]: impliedVolume(name) } }).volumes.get(name);
  if (config === undefined) throw new OperationError("invalid", `${name} is no volume`);
  return config;
}

function describeChange({ action, kind, name, fields }: Difference): ChangeReport {
  const asText = (value: unknown): string | null =>
    value === undefined || value === null ? null : JSON.stringify(value);
  return {
    action,
    kind,
    name,
    fields: fields.map(({ field, before, after }) => ({
      field,
      before: asText(before),
      after: asText(after),
    })),
  };
}
