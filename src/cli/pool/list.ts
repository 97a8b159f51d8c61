import type { CommandModule } from "yargs";
import type { PoolReport } from "../../control/protocol.ts";
import type { ScannedPools } from "../../offline.ts";
import { formatSize } from "../../util/units.ts";
import { print, say } from "../output.ts";
import {
  ACCESS_OPTIONS,
  type AccessOptions,
  devicesOf,
  JSON_OPTION,
  withOperations,
} from "../pool-access.ts";
import { formatTable } from "../table.ts";

interface ListArguments extends AccessOptions {
  readonly json: boolean;
}

export function poolTable(pools: readonly PoolReport[]): string {
  if (pools.length === 0) return "The daemon has no pools.\n";
  return formatTable(
    [
      { heading: "POOL" },
      { heading: "SIZE", isNumber: true },
      { heading: "DATA", isNumber: true },
      { heading: "FREE", isNumber: true },
      { heading: "PROMISED", isNumber: true },
      { heading: "VOLUMES", isNumber: true },
      { heading: "STATE" },
      { heading: "DEVICES" },
    ],
    pools.map(({ name, space, volumeCount, failure, devices }) => [
      name,
      formatSize(space.capacityBytes),
      formatSize(space.dataBytes),
      formatSize(space.usableBytes),
      formatSize(space.virtualBytes),
      String(volumeCount),
      failure === null ? "ok" : "FAILED",
      devices.map(({ path }) => path).join(" "),
    ]),
  );
}

/** What a scan found; a pool with a device too few cannot be opened. */
export function scanTable({ pools }: ScannedPools): string {
  if (pools.length === 0) return "There is no pool on these devices.\n";
  return formatTable(
    [{ heading: "POOL" }, { heading: "UUID" }, { heading: "STATE" }, { heading: "DEVICES" }],
    pools.map(({ name, uuid, owner, devices, missing }) => {
      const paths = devices.map(({ path, otherPaths }) => [path, ...otherPaths].join(" = "));
      const absent = missing.map((device) => `missing:${device.uuid}`);
      const state = owner.state === "clean" ? "closed" : `open (process ${owner.pid})`;
      return [name, uuid, state, [...paths, ...absent].join(" ")];
    }),
  );
}

async function run(args: ListArguments): Promise<void> {
  const devices = devicesOf(args);
  if (devices.length === 0) {
    const pools = await withOperations(args, (operations) => operations.call("pool/list", {}));
    print(pools, args.json, () => poolTable(pools));
    return;
  }
  const { scanPools } = await import("../../offline.ts");
  const found = await scanPools(devices);
  print(found, args.json, () => scanTable(found));
  if (!args.json) for (const { path, problem } of found.problems) say(`${path}: ${problem}`);
}

/** `thinlun pool list`: what the daemon has open, or what is on devices, in use or not. */
export const listCommand: CommandModule<object, ListArguments> = {
  command: "list",
  aliases: ["scan"],
  describe: "List the daemon's pools, or those on given devices",
  builder: (yargs) =>
    yargs
      .options(ACCESS_OPTIONS)
      .options(JSON_OPTION)
      .example("$0 pool list", "What the daemon has")
      .example(
        "$0 pool scan --device /dev/sdb --device /srv/tank.img",
        "What is there, in use or not",
      ),
  handler: run,
};
