import { istgt } from "./istgt.ts";
import { nbdkit, qemuNbd } from "./nbd.ts";
import type { Peer } from "./peer.ts";
import { rawFile } from "./raw-file.ts";
import { spdk } from "./spdk.ts";
import { tcpEcho } from "./tcp-echo.ts";
import { tgtd } from "./tgtd.ts";
import { thinlun } from "./thinlun.ts";

/** In the order in which they take turns. */
export const PEERS: readonly Peer[] = [
  thinlun,
  tgtd,
  istgt,
  spdk,
  qemuNbd,
  nbdkit,
  tcpEcho,
  rawFile,
];

/** Whose figures are compared with those of the others. */
export const OURS = "thinlun";
