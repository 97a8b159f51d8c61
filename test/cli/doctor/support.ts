import type { Host } from "../../../src/cli/doctor/host.ts";
import type { PoolReport } from "../../../src/control/protocol.ts";

/** A host on which all is well, apart from what a test says. */
export function hostWith(
  changes: Partial<Host> & {
    readonly files?: Readonly<Record<string, string>>;
    readonly folders?: Readonly<Record<string, readonly string[]>>;
    /** Command lines that succeed, and what they print. */
    readonly programs?: Readonly<Record<string, string>>;
    /** Command lines that fail. */
    readonly failing?: readonly string[];
  } = {},
): Host {
  const { files = {}, folders = {}, programs = {}, failing = [], ...others } = changes;
  return {
    nodeVersion: "20.19.0",
    uid: 0,
    stateFolder: "/var/lib/thinlun",
    configFile: "/etc/thinlun/thinlun.yaml",
    readText: (path) => Promise.resolve(files[path] ?? null),
    list: (folder) => Promise.resolve(folders[folder] ?? []),
    factsOf: () => Promise.resolve(null),
    fileSystemOf: () => Promise.resolve({ type: "ext4", direct: true, holes: "work" }),
    resolve: (path) => Promise.resolve(path),
    hasProgram: (name) =>
      Promise.resolve(Object.keys(programs).some((line) => line.split(" ")[0] === name)),
    run: (program, ...args) => {
      const line = [program, ...args].join(" ");
      const stdout = programs[line];
      if (stdout !== undefined) return Promise.resolve({ exitCode: 0, stdout });
      return Promise.resolve(failing.includes(line) ? { exitCode: 1, stdout: "" } : null);
    },
    lockMethod: () => Promise.resolve("fs-ext"),
    listenerOn: () => Promise.resolve(null),
    pools: () => Promise.resolve({ pools: [] }),
    ...others,
  };
}

const GIB = 1024 ** 3;

/** A pool of 100 GiB of which so much can still be taken. */
export function poolWith(changes: {
  readonly usableGib?: number;
  readonly failure?: string;
  readonly device?: string;
}): PoolReport {
  const { usableGib = 50, failure = null, device = "/srv/pool.img" } = changes;
  return {
    name: "tank",
    uuid: "6fa459ea-ee8a-4ca4-894e-db77e160355e",
    extentBytes: 65_536,
    devices: [{ path: device, uuid: "u", sizeBytes: 100 * GIB }],
    space: {
      capacityBytes: 100 * GIB,
      virtualBytes: 0,
      mappedBytes: 0,
      dataBytes: 0,
      sharedBytes: 0,
      metadataBytes: 0,
      reservedBytes: 0,
      freeBytes: usableGib * GIB,
      usableBytes: usableGib * GIB,
    },
    volumeCount: 1,
    overcommitMax: 0,
    thresholds: [],
    failure,
  } as PoolReport;
}
