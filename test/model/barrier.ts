import { METADATA_DEVICE } from "./geometry.ts";
import { allDevices, flushDevices } from "./flush.ts";
import { append } from "./journal.ts";
import type { Pool, Steps } from "./pool.ts";
import { release } from "./space.ts";

/** Makes everything durable that was appended, and all data that was written, before it began (rule B). */
export function* barrier(pool: Pool): Steps {
  const target = pool.seq;
  const isPartial = pool.mutation === "flushOneDevice";
  yield* flushDevices(pool, isPartial ? [METADATA_DEVICE] : allDevices(pool));
  if (pool.unsafeSeq > pool.durableSeq && pool.mutation !== "flushWithoutBarrier") {
    const upto = pool.mutation === "barrierCoversLater" ? pool.seq : target;
    yield* append(pool, { kind: "barrier", upto });
    yield* flushDevices(pool, [METADATA_DEVICE]);
  }
  pool.durableSeq = Math.max(pool.durableSeq, target);
  release(pool);
}
