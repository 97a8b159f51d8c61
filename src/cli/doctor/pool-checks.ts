import type { PoolReport } from "../../control/protocol.ts";
import { formatSize } from "../../util/units.ts";
import { fail, type Finding, ok, warn } from "./finding.ts";
import type { Host, PoolsAnswer } from "./host.ts";

/** Shares of a pool's space. */
const NEARLY_FULL = 0.9;
const FULL = 0.98;

export function checkPools(answer: PoolsAnswer): readonly Finding[] {
  if ("unreachable" in answer) {
    return [warn("daemon", "no daemon could be asked", answer.unreachable)];
  }
  const { pools } = answer;
  const daemon = ok(
    "daemon",
    `the daemon answers, and has ${pools.length} ${pools.length === 1 ? "pool" : "pools"}`,
  );
  return [daemon, ...pools.map(checkPool)];
}

function checkPool({ name, failure, space }: PoolReport): Finding {
  if (failure !== null) {
    return fail(
      "pool",
      `pool ${name} has stopped: ${failure}`,
      `thinlun pool check ${name} tells more; a restart of the daemon opens it again`,
    );
  }
  const { capacityBytes, usableBytes } = space;
  const used = capacityBytes === 0 ? 1 : 1 - usableBytes / capacityBytes;
  const left = `${formatSize(usableBytes)} of ${formatSize(capacityBytes)} are left`;
  const fix = `thinlun pool extend ${name}, or delete snapshots`;
  if (used >= FULL) return fail("pool", `pool ${name} is full: ${left}`, fix);
  if (used >= NEARLY_FULL) return warn("pool", `pool ${name} is nearly full: ${left}`, fix);
  return ok("pool", `pool ${name} has room: ${left}`);
}

const TGT_FOLDER = "/etc/tgt";

/** Targets that the configuration of tgt has and that nobody has taken over, perhaps. */
export async function checkTgt(host: Host): Promise<Finding> {
  const parts = (await host.list(`${TGT_FOLDER}/conf.d`)).filter((name) => name.endsWith(".conf"));
  const paths = [
    `${TGT_FOLDER}/targets.conf`,
    ...parts.map((name) => `${TGT_FOLDER}/conf.d/${name}`),
  ];
  let count = 0;
  for (const path of paths) {
    const text = (await host.readText(path)) ?? "";
    count += [...text.matchAll(/^\s*<target\s+\S/gm)].length;
  }
  if (count === 0) return ok("tgt", "tgt has no targets configured here");
  return warn(
    "tgt",
    `tgt's configuration in ${TGT_FOLDER} has ${count} ${count === 1 ? "target" : "targets"}`,
    "If they are not here yet: thinlun import-tgt shows what it would take over, and does it",
  );
}
