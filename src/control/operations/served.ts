import type { ThinVolume } from "../../thin/io/thin-volume.ts";
import { EngineVolume } from "../../volume/engine/engine-volume.ts";
import type { OperationContext } from "./operation.ts";

/** Under which names the daemon has a volume of a pool open. */
export function servedNames({ daemon }: OperationContext, volume: ThinVolume): readonly string[] {
  if (daemon === undefined) return [];
  return [...daemon.volumes.volumes].flatMap(([name, opened]) =>
    opened.volume instanceof EngineVolume && opened.volume.thin === volume ? [name] : [],
  );
}

/** For people: where a volume of a pool is a disk, and where one can change that. Empty: nowhere. */
export function servedPlaces(context: OperationContext, volume: ThinVolume): string {
  const names = servedNames(context, volume);
  const targets = context.daemon?.plane.view.all.targets ?? [];
  const luns = targets.flatMap(({ name, luns: all }) =>
    all.filter((lun) => names.includes(lun.volume)).map(({ lun }) => `LUN ${lun} of ${name}`),
  );
  return luns.join(", ");
}
