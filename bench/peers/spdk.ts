import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { spawnMortal } from "../../test/support/mortal-child.ts";
import { freePort, untilListening } from "../support/process.ts";
import { TARGET_NAME } from "../support/targets.ts";
import { findProgram } from "./find.ts";
import type { Peer } from "./peer.ts";
import { runningServer } from "./server.ts";

/** Where somebody has built it: the path of `iscsi_tgt`. */
export const SPDK_VARIABLE = "SPDK_ISCSI_TGT";

const BLOCK_BYTES = 512;

interface Call {
  readonly method: string;
  readonly params: unknown;
}

/** Its configuration in JSON: the files as AIO devices behind one target that everybody on loopback may use. */
export function spdkConfig(files: readonly string[], port: number): string {
  const devices = files.map((filename, index): Call => ({
    method: "bdev_aio_create",
    params: { name: `disk${index}`, filename, block_size: BLOCK_BYTES },
  }));
  const iscsi: Call[] = [
    {
      method: "iscsi_create_portal_group",
      params: { tag: 1, portals: [{ host: "127.0.0.1", port: String(port) }] },
    },
    {
      method: "iscsi_create_initiator_group",
      params: { tag: 1, initiators: ["ANY"], netmasks: ["127.0.0.1/32"] },
    },
    {
      method: "iscsi_create_target_node",
      params: {
        name: TARGET_NAME,
        alias_name: "bench",
        pg_ig_maps: [{ pg_tag: 1, ig_tag: 1 }],
        luns: files.map((_, index) => ({ bdev_name: `disk${index}`, lun_id: index })),
        queue_depth: 128,
        disable_chap: true,
      },
    },
  ];
  const subsystems = [
    { subsystem: "bdev", config: devices },
    { subsystem: "iscsi", config: iscsi },
  ];
  return JSON.stringify({ subsystems }, undefined, 2);
}

/** SPDK's target, on one core and without huge pages; it never sleeps. */
export const spdk: Peer = {
  name: "spdk",
  role: "target",
  protocol: "iscsi",
  generator: "thinlun",
  find: () => {
    const program = process.env[SPDK_VARIABLE];
    if (program !== undefined) return findProgram(program, ["--version"]);
    return Promise.resolve({ absent: `${SPDK_VARIABLE} does not name an iscsi_tgt` });
  },
  objection: () => null,
  start: async ({ folder, files }) => {
    const port = await freePort();
    const config = join(folder, "spdk.json");
    writeFileSync(config, spdkConfig(files, port));
    const sockets = ["--rpc-socket", join(folder, "rpc.sock")];
    const memory = ["--no-huge", "--mem-size", "1024"];
    const args = ["--json", config, ...sockets, ...memory, "--cpumask", "0x2"];
    const child = spawnMortal(process.env[SPDK_VARIABLE] ?? "", args);
    await untilListening(child, port, "iscsi_tgt");
    const luns = files.map((_, index) => index);
    const serving = { child, port, targetName: TARGET_NAME, luns };
    return runningServer({ ...serving, protocol: "iscsi", polls: true });
  },
};
