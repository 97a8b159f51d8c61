import { OperationClass } from "../../scsi/operation-class.ts";
import type { InitiatorTotals } from "../../scsi/target-statistics.ts";
import { type LunStatistics, OperationError, type ReplyOf } from "../protocol.ts";
import { daemonOf } from "./operated-daemon.ts";
import type { OperationRequest } from "./operation.ts";
import { targetNameOf } from "./targets.ts";

/** What each initiator has done on each LUN. Errors: invalid, missing. */
export async function showStatistics({
  context,
  body,
}: OperationRequest<"lun/stat">): Promise<ReplyOf<"lun/stat">> {
  const { server } = daemonOf(context);
  const only = body.target === undefined ? undefined : targetNameOf(body.target);
  if (only !== undefined && !server.targets.has(only)) {
    throw new OperationError("missing", `there is no target ${only}`);
  }
  const targets = [...server.targets.values()].filter(
    ({ name }) => only === undefined || name === only,
  );
  const luns = targets.flatMap(({ name, device }) =>
    device.statistics.totals().map((totals) => describe(name, totals)),
  );
  return Promise.resolve({ atMs: context.clock.nowMs(), luns });
}

function describe(target: string, { lun, initiator, statistics }: InitiatorTotals): LunStatistics {
  const classes = Object.values(OperationClass);
  const all = classes.map((one) => ({
    ...statistics.counts(one),
    latencyMs: statistics.latencies.sumMs(one),
  }));
  const sum = (value: (counts: (typeof all)[number]) => number): number =>
    all.reduce((total, counts) => total + value(counts), 0);
  const reads = statistics.counts(OperationClass.read);
  const writes = statistics.counts(OperationClass.write);
  const answered = sum((one) => one.answered);
  return {
    target,
    lun,
    initiator,
    reads: reads.answered,
    readBytes: reads.movedBytes,
    writes: writes.answered,
    writtenBytes: writes.movedBytes,
    others: answered - reads.answered - writes.answered,
    errors: sum((one) => one.errors),
    running: sum((one) => one.submitted) - answered - sum((one) => one.aborted),
    latencyMs: sum((one) => one.latencyMs),
  };
}
