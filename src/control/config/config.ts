import type { IdentityOptions } from "../../scsi/identity.ts";
import type { BlockBytes } from "../../scsi/logical-unit.ts";
import type { UnitSettings } from "../../scsi/unit-settings.ts";
import type { AccessRules } from "../../iscsi/auth/access-list.ts";
import type { ChapAlgorithm } from "../../iscsi/auth/chap-algorithm.ts";
import type { ParameterOffers } from "../../iscsi/parameters.ts";
import type { PingSettings } from "../../iscsi/ping-watch.ts";
import type { Redirect, TargetState } from "../../iscsi/target.ts";
import type { LogLevel } from "../../util/log.ts";
import type { Secret } from "../secret.ts";
import type { Endpoint } from "./endpoint.ts";
import type { HttpConfig } from "./http-shape.ts";

/** What the daemon is told to do. Checked: what is in here fits together. docs/configuration.md describes it. */
export interface Config {
  /** Null for the default of the user that the daemon runs as. */
  readonly stateDir: string | null;
  readonly log: LogConfig;
  readonly poll: "auto" | "off";
  readonly portals: readonly PortalConfig[];
  readonly pools: ReadonlyMap<string, PoolConfig>;
  readonly volumes: ReadonlyMap<string, VolumeConfig>;
  readonly targets: readonly TargetConfig[];
  readonly discovery: DiscoveryConfig;
  /** Users that tgt's commands bind to targets, by name. Targets have copies: an account by itself lets nobody in. */
  readonly accounts: readonly AccountConfig[];
  readonly limits: LimitsConfig;
  /** Null: the operations are served on the unix socket alone. */
  readonly http: HttpConfig | null;
}

export interface LogConfig {
  readonly level: LogLevel;
  /** `auto`: for people when a terminal watches. */
  readonly pretty: "auto" | "on" | "off";
}

export interface PortalConfig {
  readonly listen: Endpoint;
  /** The target portal group tag, 1 to 65535. */
  readonly group: number;
  /** What initiators are told in discovery, where it is another address than the one they reached (NAT). */
  readonly advertise: Endpoint | null;
}

/** Devices whose space thin volumes share. */
export interface PoolConfig {
  /** All of them, in any order. */
  readonly devices: readonly string[];
  /** Make the pool where there is none on the devices; null: it must be there. */
  readonly create: PoolCreation | null;
  /** Past the page cache; always so where other hosts may reach it. */
  readonly direct: boolean;
  /** Other hosts may reach its devices: this one shows that it has it, and stops when it may have lost it. */
  readonly shared: boolean;
  /**
   * Another host that has it open is known to be dead: it is opened when there is no sign of life of that one. `force`: also where that one
   * never gave any, so that its silence says nothing.
   */
  readonly takeOver: boolean | "force";
  /** The daemon starts without it when it cannot be opened. */
  readonly optional: boolean;
  /** The sizes of its volumes are together no more than so many times what it has; 0: no limit; null: as it is. */
  readonly overcommitMax: number | null;
  /** Warn when so much of the space is in use: percent, ascending. */
  readonly thresholds: readonly number[];
  readonly autogrow: PoolGrowth | null;
  /** How long writes into a full pool are told to try again before they fail for good, in seconds. */
  readonly fullRetrySeconds: number;
}

export interface PoolCreation {
  /** Of each image file that has to be made, in bytes; null: all devices are there. */
  readonly sizeBytes: number | null;
  readonly extentBytes: number;
}

/** How a pool grows by itself when it runs low: whichever of three ways there are, in this order. All in bytes. */
export interface PoolGrowth {
  /** Grow when less than this is free. */
  readonly belowBytes: number;
  readonly stepBytes: number;
  /** The devices are not made to have more than this together; null: no limit. */
  readonly maxBytes: number | null;
  /** The last device is an image file that is made larger. */
  readonly image: boolean;
  /** Devices that are added one by one. */
  readonly spares: readonly string[];
  readonly command: GrowthCommand | null;
}

/** A program that makes devices larger, or names others to add. */
export interface GrowthCommand {
  readonly program: string;
  readonly args: readonly string[];
  /** It is killed after so many seconds. */
  readonly timeoutSeconds: number;
}

/** What every kind of volume has. */
export interface VolumeSettings {
  /** Null: one is made up, and kept in the state folder. */
  readonly uuid: string | null;
  readonly readOnly: boolean;
  /** The daemon starts without it when it cannot be opened, and leaves its LUNs out. */
  readonly optional: boolean;
  /** For tests: every operation takes this much longer. 0 for none. */
  readonly delayMs: number;
}

/** A file or block device as it is. */
export interface RawVolumeConfig extends VolumeSettings {
  readonly driver: "raw";
  readonly path: string;
  /** Null: what it has. Needed to create; an image file that is smaller is grown to it. */
  readonly sizeBytes: number | null;
  /** Make an image file where there is nothing at `path`. */
  readonly create: boolean;
  /** Past the page cache. */
  readonly direct: boolean;
}

/** Memory of the daemon: gone when it ends. */
export interface MemoryVolumeConfig extends VolumeSettings {
  readonly driver: "memory";
  readonly sizeBytes: number;
}

/** Reads as zeros, and keeps nothing. */
export interface NullVolumeConfig extends VolumeSettings {
  readonly driver: "null";
  readonly sizeBytes: number;
}

/** A volume, snapshot or clone of a pool, by its name there. */
export interface ThinVolumeConfig extends VolumeSettings {
  readonly driver: "thin";
  /** A key of {@link Config.pools}. */
  readonly pool: string;
  /** Its name in the pool; null: that of the configuration. */
  readonly name: string | null;
  /** Null: what it has. Needed to create; one that is smaller is grown to it. */
  readonly sizeBytes: number | null;
  /** Make it where the pool has none of this name. */
  readonly create: boolean;
  /** Space that is kept for it, in bytes; null: as it is. */
  readonly reserveBytes: number | null;
  /** The most that it may take, in bytes, 0 for no limit; null: as it is. */
  readonly quotaBytes: number | null;
}

export type VolumeConfig =
  RawVolumeConfig | MemoryVolumeConfig | NullVolumeConfig | ThinVolumeConfig;

export interface LunConfig {
  readonly lun: number;
  /** A key of {@link Config.volumes}. */
  readonly volume: string;
  readonly blockBytes: BlockBytes;
  readonly readOnly: boolean;
  readonly identity: IdentityOptions;
  /** Besides its write protection; what is not there has its default. */
  readonly settings: Partial<Omit<UnitSettings, "readOnly">>;
  /** Not null: a unit as tgt makes them, of which identity, kind of store and path are shown. */
  readonly tgt: TgtLunConfig | null;
}

/** What tgt's commands tell of a logical unit. */
export interface TgtLunConfig {
  /** Designator and serial number, at most 36 characters of ASCII. */
  readonly scsiId: string;
  readonly scsiSn: string;
  /** Kind of backing store, such as rdwr. */
  readonly storeType: string;
  readonly storePath: string;
  /** Such as `sync:direct`; empty for none. */
  readonly storeFlags: string;
}

export interface AccountConfig {
  readonly user: string;
  readonly secret: Secret;
}

/** CHAP: who may log in, and how the target proves itself in turn. */
export interface AuthenticationConfig {
  readonly accounts: readonly AccountConfig[];
  readonly mutual: AccountConfig | null;
  /** Refuse initiators that do not ask for the proof. */
  readonly mutualRequired: boolean;
  /** Null: all that work on this host. */
  readonly algorithms: readonly ChapAlgorithm[] | null;
}

export interface TargetConfig {
  /** In normal form. */
  readonly name: string;
  readonly alias: string | null;
  readonly luns: readonly LunConfig[];
  /** Null: nobody has to authenticate. */
  readonly authentication: AuthenticationConfig | null;
  readonly access: AccessRules;
  /** Empty: reached through all portals. */
  readonly portalGroups: readonly number[];
  readonly redirect: Redirect | null;
  readonly offers: ParameterOffers;
  /** How its initiators are asked whether they live; what is not there is as in the limits. */
  readonly pings: Partial<PingSettings>;
  readonly sessionsMax: number;
  /** `offline` refuses logins for a while. */
  readonly state: TargetState;
  /** The number by which tgt's commands know it; null: one is given to it while the daemon runs. */
  readonly tid: number | null;
  /** Not null: a target as tgt makes them, with a controller as LUN 0. */
  readonly tgt: TgtTargetConfig | null;
}

/** What tgt's commands have set of a target, as they show it: text as it came, by tgt's name for it. */
export interface TgtTargetConfig {
  readonly settings: ReadonlyMap<string, string>;
}

export interface DiscoveryConfig {
  /** False: the names of targets have to be known. */
  readonly enabled: boolean;
  readonly access: AccessRules;
  readonly authentication: AuthenticationConfig | null;
}

export interface LimitsConfig {
  /** Connections at a time over all portals. */
  readonly connections: number;
  /** How initiators are asked whether they live, where their target says nothing else. */
  readonly pings: PingSettings;
}
