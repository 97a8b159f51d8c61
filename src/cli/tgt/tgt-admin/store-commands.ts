import type { StoreWanted } from "../targets-conf-store.ts";
import type { Command } from "./runner.ts";

/** Where a logical unit goes. */
export interface UnitPlace {
  readonly driver: string;
  readonly tid: string;
  readonly lun: number;
}

/** What is done for a logical unit after it is made: a command, or a remark where there is nothing to do. */
export type UnitStep =
  | { readonly kind: "command"; readonly command: Command }
  | { readonly kind: "note"; readonly line: string };

/** The Caching mode page as tgt-admin sets it for `write-cache off`: WCE is not there. */
export const WRITE_CACHE_OFF =
  "mode_page=8:0:18:0x10:0:0xff:0xff:0:0:0xff:0xff:0xff:0xff:0x80:0x14:0:0:0:0:0:0";

/** Makes a logical unit. Options that are not given leave their blanks, as tgt-admin prints it. */
export function newUnit(place: UnitPlace, store: StoreWanted): Command {
  const { driver, tid, lun } = place;
  const options: readonly (readonly [option: string, value: string | null])[] = [
    ["--device-type", store.deviceType],
    ["--bstype", store.bsType],
    ["--bsopts", store.bsOptions],
    ["--bsoflags", store.bsOpenFlags],
    ["--blocksize", store.blockSize],
  ];
  const start = `--lld ${driver} --op new --mode logicalunit --tid ${tid} --lun ${lun}`;
  const rest = options.map(([option, value]) => (value === null ? "" : `${option} ${value}`));
  return {
    shown: `${start} -b "${store.path}" ${rest.join(" ")}`,
    words: [
      ...start.split(" "),
      "-b",
      store.path,
      ...options.flatMap(([option, value]) => (value === null ? [] : [option, value])),
    ],
  };
}

/** What follows that, in tgt-admin's order: mode pages first. */
export function unitSteps(place: UnitPlace, store: StoreWanted): UnitStep[] {
  const steps: UnitStep[] = [];
  const command = (shown: string, word: string): void => {
    steps.push({ kind: "command", command: updateUnit(place, shown, word) });
  };
  if (!store.isWriteCacheOn) command(WRITE_CACHE_OFF, WRITE_CACHE_OFF);
  for (const page of store.modePages) command(`mode_page="${page}"`, `mode_page=${page}`);
  for (const [name, value] of store.attributes) {
    if (name !== "mode_page") command(`${name}="${value}"`, `${name}=${value}`);
  }
  if (store.isWriteCacheOn) {
    const line = `# Write cache is enabled (default) for lun ${place.lun}.`;
    steps.push({ kind: "note", line });
  }
  for (const params of store.params) command(`"${params}"`, params);
  return steps;
}

function updateUnit({ driver, tid, lun }: UnitPlace, shown: string, word: string): Command {
  const start = `--lld ${driver} --op update --mode logicalunit --tid ${tid} --lun=${lun}`;
  return {
    shown: `${start} --params ${shown}`,
    words: [...start.split(" "), "--params", word],
  };
}
