/**
 * What tgt's show operations tell of, as plain data. Order matters where it is said; the functions that print put the rest in tgt's order.
 */

/** One connection of a session. */
export interface ShownConnection {
  readonly cid: number;
  /** The initiator's address without the port; IPv6 without brackets. */
  readonly address: string;
}

/** One I_T nexus, which with iSCSI is a session. */
export interface ShownNexus {
  /** The session's number: of the daemon's sessions so far, from 1 on. */
  readonly sid: number;
  readonly initiatorName: string;
  /** InitiatorAlias of the login; undefined where the initiator sent none. */
  readonly initiatorAlias: string | undefined;
  readonly connections: readonly ShownConnection[];
}

/** tgt's words for the kinds of units that it can make. */
export type ShownUnitType =
  "disk" | "tape" | "cd/dvd" | "osd" | "changer" | "controller" | "passthrough";

/** One logical unit; LUN 0 is the controller. */
export interface ShownUnit {
  readonly lun: number;
  readonly type: ShownUnitType;
  /** Designator and serial number as they are, no longer than `SCSI_ID_CHARS_MAX` of identity.ts. */
  readonly scsiId: string;
  readonly scsiSn: string;
  readonly sizeBytes: number;
  /** 1 for units that are no disks. */
  readonly blockBytes: number;
  readonly online: boolean;
  readonly removable: boolean;
  /** An initiator holds the medium with PREVENT ALLOW MEDIUM REMOVAL. */
  readonly preventRemoval: boolean;
  readonly readOnly: boolean;
  /** Software write protect: the SWP bit of the control mode page. */
  readonly softwareWriteProtect: boolean;
  readonly thinProvisioned: boolean;
  /** Such as rdwr, aio or null. */
  readonly storeType: string;
  /** Undefined without a medium. */
  readonly storePath: string | undefined;
  /** Such as `sync:direct`; empty for none. */
  readonly storeFlags: string;
}

/** Names of accounts, never their passwords. */
export interface ShownAccounts {
  /** Those that initiators log in with, in the order in which they were bound. */
  readonly incoming: readonly string[];
  /** The one that the target authenticates itself with. */
  readonly outgoing: string | undefined;
}

/** One target with everything that belongs to it. */
export interface ShownTarget {
  readonly tid: number;
  readonly name: string;
  /** Name of the low-level driver: iscsi. */
  readonly driver: string;
  readonly state: "ready" | "offline";
  /** Seconds between NOP-Ins to a silent initiator; 0 for none. */
  readonly nopIntervalSeconds: number;
  /** NOP-Ins without an answer after which the connection is dropped. */
  readonly nopCount: number;
  /** Oldest first. */
  readonly nexuses: readonly ShownNexus[];
  readonly units: readonly ShownUnit[];
  readonly accounts: ShownAccounts;
  /** Addresses, networks and ALL, in the order in which they were bound. */
  readonly addressRules: readonly string[];
  /** Names of initiators, in the order in which they were bound. */
  readonly nameRules: readonly string[];
}

/** A low-level driver. */
export interface ShownDriver {
  readonly name: string;
  /** `error`: it is not built in, or could not be started. */
  readonly state: "ready" | "error" | "stopped";
  /** Its targets in the order in which they were made. */
  readonly targets: readonly Pick<ShownTarget, "tid" | "name">[];
}

/** A kind of backing store. */
export interface ShownStoreType {
  readonly name: string;
  /** The flags that it takes, such as `sync:direct`; empty for none. */
  readonly flags: string;
}

/** The client of the iSCSI name service. */
export interface ShownIsns {
  readonly enabled: boolean;
  /** Empty for none. */
  readonly serverAddress: string;
  readonly serverPort: number;
  readonly accessControl: boolean;
}

/** The daemon as a whole. */
export interface ShownSystem {
  readonly state: "ready" | "offline";
  readonly debug: boolean;
  readonly drivers: readonly Pick<ShownDriver, "name" | "state">[];
  readonly storeTypes: readonly ShownStoreType[];
  readonly deviceTypes: readonly ShownUnitType[];
  /** Of discovery sessions. */
  readonly discoveryAccounts: ShownAccounts;
  readonly isns: ShownIsns;
}

/** A place where the daemon listens. */
export interface ShownPortal {
  /** IPv6 without brackets. */
  readonly address: string;
  readonly port: number;
  /** Target portal group tag; tgt knows 1 only. */
  readonly groupTag: number;
}
