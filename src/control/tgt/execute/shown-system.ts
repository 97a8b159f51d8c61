import type { ShownDriver, ShownSystem } from "../show/shown.ts";
import { spelledName } from "../spelled-name.ts";
import { STORE_TYPES } from "./backing-store.ts";
import { shownAccounts } from "./shown-target.ts";
import type { TgtDaemon } from "./tgt-daemon.ts";

/** iser is shown as tgt shows a driver that is not built in. */
export function shownDrivers({ plane, system }: TgtDaemon): readonly ShownDriver[] {
  const targets = plane.view.all.targets.map((target) => {
    return { tid: target.tid ?? 0, name: spelledName(target) };
  });
  return [
    { name: "iscsi", state: system.driver, targets },
    { name: "iser", state: "error", targets: [] },
  ];
}

export function shownSystem(daemon: TgtDaemon): ShownSystem {
  const { state, debug, isns } = daemon.system.settings;
  return {
    state,
    debug,
    isns,
    drivers: shownDrivers(daemon),
    storeTypes: STORE_TYPES,
    deviceTypes: ["disk", "controller"],
    discoveryAccounts: shownAccounts(daemon.plane.view.all.discovery.authentication),
  };
}
