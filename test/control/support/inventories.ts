import type {
  LunConfig,
  PoolConfig,
  RawVolumeConfig,
  TargetConfig,
  ThinVolumeConfig,
  VolumeConfig,
} from "../../../src/control/config/config.ts";
import type { Inventory } from "../../../src/control/config/inventory.ts";
import type { Edit } from "../../../src/control/plane/control-plane.ts";
import { Secret } from "../../../src/control/secret.ts";
import { OPEN_ACCESS } from "../../../src/iscsi/auth/access-list.ts";
import { ChapAlgorithm } from "../../../src/iscsi/auth/chap-algorithm.ts";
import { DEFAULT_OFFERS } from "../../../src/iscsi/parameters.ts";

const GIB = 2 ** 30;

/** A target without anything, and changes to it. */
export function targetConfig(name: string, changes: Partial<TargetConfig> = {}): TargetConfig {
  return {
    name,
    alias: null,
    luns: [],
    authentication: null,
    access: OPEN_ACCESS,
    portalGroups: [],
    redirect: null,
    offers: DEFAULT_OFFERS,
    pings: {},
    sessionsMax: 128,
    state: "ready",
    tid: null,
    tgt: null,
    ...changes,
  };
}

export function lunConfig(
  lun: number,
  volume: string,
  changes: Partial<LunConfig> = {},
): LunConfig {
  return {
    lun,
    volume,
    blockBytes: 512,
    readOnly: false,
    identity: {},
    settings: {},
    tgt: null,
    ...changes,
  };
}

export function thinConfig(
  pool: string,
  changes: Partial<ThinVolumeConfig> = {},
): ThinVolumeConfig {
  return {
    driver: "thin",
    pool,
    name: null,
    sizeBytes: null,
    create: false,
    reserveBytes: null,
    quotaBytes: null,
    uuid: null,
    readOnly: false,
    optional: false,
    delayMs: 0,
    ...changes,
  };
}

/** An image file of 1 MiB that is made where there is none. */
export function imageConfig(path: string, changes: Partial<RawVolumeConfig> = {}): RawVolumeConfig {
  return {
    driver: "raw",
    path,
    sizeBytes: 1 << 20,
    create: true,
    direct: false,
    uuid: null,
    readOnly: false,
    optional: false,
    delayMs: 0,
    ...changes,
  };
}

/** Adds volumes, and a target with a LUN for each, from 0 on. */
export function exporting(target: string, volumes: ReadonlyMap<string, VolumeConfig>): Edit {
  const luns = [...volumes.keys()].map((name, index) => lunConfig(index, name));
  return ({ inventory }) => ({
    ...inventory,
    volumes: new Map([...inventory.volumes, ...volumes]),
    targets: [...inventory.targets, targetConfig(target, { luns })],
  });
}

export function poolConfig(changes: Partial<PoolConfig> = {}): PoolConfig {
  return {
    devices: ["/dev/sdx"],
    create: null,
    direct: false,
    shared: false,
    takeOver: false,
    optional: false,
    overcommitMax: null,
    thresholds: [80, 95],
    autogrow: null,
    fullRetrySeconds: 60,
    ...changes,
  };
}

const account = (user: string, secret: string) => ({ user, secret: new Secret(secret) });

/** An inventory in which nothing has its default. */
export function fullInventory(): Inventory {
  const listen = { address: "::1", port: 3261 };
  const growth = {
    belowBytes: GIB,
    stepBytes: 2 * GIB,
    maxBytes: 64 * GIB,
    image: true,
    spares: ["/dev/sdz"],
    command: { program: "/sbin/grow", args: ["it", "$pool"], timeoutSeconds: 7 },
  };
  const uuid = "6fa459ea-ee8a-4ca4-894e-db77e160355e";
  const common = { uuid, readOnly: false, optional: true, delayMs: 3 };
  return {
    portals: [{ listen, group: 7, advertise: { address: "nat.example", port: 860 } }],
    pools: new Map([
      [
        "tank",
        poolConfig({
          create: { sizeBytes: 16 * GIB, extentBytes: 1 << 20 },
          direct: true,
          shared: true,
          takeOver: true,
          optional: true,
          overcommitMax: 2.5,
          thresholds: [50],
          autogrow: growth,
          fullRetrySeconds: 5,
        }),
      ],
      ["plain", poolConfig({ devices: ["/dev/sdy"] })],
    ]),
    volumes: new Map<string, VolumeConfig>([
      ["tank/disk", thinConfig("tank", { name: "disk", sizeBytes: GIB, create: true })],
      ["kept", thinConfig("tank", { reserveBytes: 4096, quotaBytes: GIB, readOnly: true, uuid })],
      [
        "/srv/d 1.img",
        {
          driver: "raw",
          path: "/srv/d 1.img",
          sizeBytes: GIB,
          create: true,
          direct: true,
          ...common,
        },
      ],
      ["mem", { driver: "memory", sizeBytes: 1 << 20, ...common }],
    ]),
    targets: [
      targetConfig("iqn.2026-11.net.example:one", {
        alias: "one \u{1f4be}",
        luns: [
          lunConfig(0, "kept", {
            blockBytes: 4096,
            readOnly: true,
            identity: { vendor: "ACME", product: "DISK", revision: "7", serial: "s 1" },
            settings: {
              online: false,
              removable: true,
              writeCache: false,
              softwareWriteProtect: true,
              descriptorSense: true,
              thinProvisioning: false,
              physicalBlockExponent: 3,
              lowestAlignedLba: 7,
              optimalGranularityBlocks: 8,
              optimalTransferBlocks: 64,
              rotationRate: 7200,
            },
          }),
        ],
        authentication: {
          accounts: [account("alice", "wonderland:123456"), account("b", "\u00fc# 'q' \"p\"\\n")],
          mutual: account("target", "proofproofproof"),
          mutualRequired: true,
          algorithms: [ChapAlgorithm.sha256, ChapAlgorithm.md5],
        },
        access: {
          addresses: ["192.0.2.0/24", "ALL"],
          initiatorNames: ["iqn.*"],
          match: "any",
          withoutAddresses: "deny",
        },
        portalGroups: [7],
        redirect: { address: "2001:db8::1", port: 3260, permanent: true },
        offers: { ...DEFAULT_OFFERS, headerDigest: "required", maxOutstandingR2t: 2 },
        pings: { intervalSeconds: 0, count: 7 },
        sessionsMax: 3,
        state: "offline",
        tid: 12,
      }),
      targetConfig("iqn.2026-11.net.example:tgt", {
        luns: [
          lunConfig(1, "/srv/d 1.img", {
            tgt: {
              scsiId: "IET     00010001",
              scsiSn: "beaf11",
              storeType: "rdwr",
              storePath: "/srv/d 1.img",
              storeFlags: "direct",
            },
          }),
        ],
        authentication: {
          accounts: [],
          mutual: account("outgoing", "123"),
          mutualRequired: false,
          algorithms: null,
        },
        tid: 1,
        tgt: { settings: new Map([["MaxQueueCmd", "64"]]) },
      }),
    ],
    discovery: {
      enabled: false,
      access: { ...OPEN_ACCESS, addresses: ["10.0.0.1"] },
      authentication: {
        accounts: [account("discoverer", "discoverdiscover")],
        mutual: null,
        mutualRequired: false,
        algorithms: null,
      },
    },
    accounts: [account("alice", "wonderland:123456")],
  };
}
