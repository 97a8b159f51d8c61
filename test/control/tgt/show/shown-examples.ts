import { defaultScsiId, defaultScsiSn } from "../../../../src/control/tgt/show/identity.ts";
import type {
  ShownNexus,
  ShownSystem,
  ShownTarget,
  ShownUnit,
} from "../../../../src/control/tgt/show/shown.ts";

/** A unit of a target in the making: its number, and what differs from a disk of 1 GiB in a file. */
export type UnitExample = Partial<ShownUnit> & { readonly lun: number };

/** The name that the scenarios give to the target of a number. */
export function nameOf(tid: number): string {
  return `iqn.2026-01.com.example:t${tid}`;
}

function unit(tid: number, what: UnitExample): ShownUnit {
  return {
    type: "disk",
    scsiId: defaultScsiId(tid, what.lun),
    scsiSn: defaultScsiSn(tid, what.lun),
    sizeBytes: 2 ** 30,
    blockBytes: 512,
    online: true,
    removable: false,
    preventRemoval: false,
    readOnly: false,
    softwareWriteProtect: false,
    thinProvisioned: false,
    storeType: "rdwr",
    storePath: "disk",
    storeFlags: "",
    ...what,
  };
}

const CONTROLLER: UnitExample = {
  lun: 0,
  type: "controller",
  sizeBytes: 0,
  blockBytes: 1,
  storeType: "null",
  storePath: undefined,
};

/** A target that was just made, with units, and with what else differs. Units of LUN 0 change the controller. */
export function target(
  tid: number,
  units: readonly UnitExample[] = [],
  what: Partial<ShownTarget> = {},
): ShownTarget {
  const controller = units.find(({ lun }) => lun === 0) ?? {};
  const others = units.filter(({ lun }) => lun !== 0);
  return {
    tid,
    name: nameOf(tid),
    driver: "iscsi",
    state: "ready",
    nopIntervalSeconds: 0,
    nopCount: 0,
    nexuses: [],
    units: [{ ...CONTROLLER, ...controller }, ...others].map((each) => unit(tid, each)),
    accounts: { incoming: [], outgoing: undefined },
    addressRules: [],
    nameRules: [],
    ...what,
  };
}

/** A session with one connection. */
export function nexus(
  sid: number,
  name: string,
  alias?: string,
  address = "127.0.0.1",
): ShownNexus {
  const connections = [{ cid: 0, address }];
  return { sid, initiatorName: name, initiatorAlias: alias, connections };
}

/** A daemon that was just started, apart from what differs. */
export function system(what: Partial<ShownSystem> = {}): ShownSystem {
  const flags = "sync:direct";
  return {
    state: "ready",
    debug: false,
    drivers: [
      { name: "iscsi", state: "ready" },
      { name: "iser", state: "error" },
    ],
    storeTypes: [
      ...["sheepdog", "bsg", "sg", "null", "ssc"].map((name) => ({ name, flags: "" })),
      ...["smc", "mmc", "rdwr"].map((name) => ({ name, flags })),
      { name: "aio", flags: "" },
    ],
    deviceTypes: ["disk", "cd/dvd", "osd", "controller", "changer", "tape", "passthrough"],
    discoveryAccounts: { incoming: [], outgoing: undefined },
    isns: { enabled: false, serverAddress: "", serverPort: 3205, accessControl: false },
    ...what,
  };
}
