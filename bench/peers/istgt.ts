import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { spawnMortal } from "../../test/support/mortal-child.ts";
import { freePort, untilListening } from "../support/process.ts";
import { TARGET_NAME } from "../support/targets.ts";
import { findProgram } from "./find.ts";
import type { Peer } from "./peer.ts";
import { runningServer } from "./server.ts";

const [BASE = "", NAME = ""] = TARGET_NAME.split(":");

interface Ports {
  readonly port: number;
  readonly controlPort: number;
}

/** The values of its own example, on loopback and without authentication; it knows InitialR2T=Yes only. */
export function istgtConfig(folder: string, files: readonly string[], ports: Ports): string {
  const luns = files.map((file, index) => `  LUN${index} Storage ${file} Auto`);
  return [
    "[Global]",
    `  NodeBase "${BASE}"`,
    `  PidFile ${join(folder, "pid")}`,
    `  MediaDirectory ${folder}`,
    "  Timeout 30",
    "  NopInInterval 20",
    "  DiscoveryAuthMethod None",
    "  MaxSessions 64",
    "  MaxConnections 4",
    "  MaxR2T 32",
    "  MaxOutstandingR2T 16",
    "  DefaultTime2Wait 2",
    "  DefaultTime2Retain 60",
    "  FirstBurstLength 262144",
    "  MaxBurstLength 1048576",
    "  MaxRecvDataSegmentLength 262144",
    "  InitialR2T Yes",
    "  ImmediateData Yes",
    "  DataPDUInOrder Yes",
    "  DataSequenceInOrder Yes",
    "  ErrorRecoveryLevel 0",
    "[UnitControl]",
    "  AuthMethod None",
    `  Portal UC1 127.0.0.1:${ports.controlPort}`,
    "  Netmask 127.0.0.1",
    "[PortalGroup1]",
    `  Portal DA1 127.0.0.1:${ports.port}`,
    "[InitiatorGroup1]",
    '  InitiatorName "ALL"',
    "  Netmask 127.0.0.1",
    "[LogicalUnit1]",
    `  TargetName ${NAME}`,
    "  Mapping PortalGroup1 InitiatorGroup1",
    "  AuthMethod None",
    "  UseDigest Auto",
    "  UnitType Disk",
    "  QueueDepth 128",
    ...luns,
    "",
  ].join("\n");
}

/** Debian's istgt. */
export const istgt: Peer = {
  name: "istgt",
  role: "target",
  protocol: "iscsi",
  generator: "thinlun",
  find: () => findProgram("istgt", ["-V"]),
  objection: () => null,
  start: async ({ folder, files }) => {
    const port = await freePort();
    const controlPort = await freePort();
    const config = join(folder, "istgt.conf");
    writeFileSync(config, istgtConfig(folder, files, { port, controlPort }));
    const child = spawnMortal("istgt", ["-c", config, "-p", join(folder, "pid"), "-D", "-q"]);
    await untilListening(child, port, "istgt");
    const luns = files.map((_, index) => index);
    return runningServer({ child, port, protocol: "iscsi", targetName: TARGET_NAME, luns });
  },
};
