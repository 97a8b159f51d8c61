import { afterEach, describe, expect, it } from "vitest";

import { Metrics } from "../../../src/control/metrics/metrics.ts";
import { MemoryDevice } from "../../../src/device/memory-device.ts";
import { cdb16, newCdb } from "../../../src/initiator/scsi.ts";
import type { InitiatorSession } from "../../../src/initiator/session.ts";
import { LATENCY_BOUNDS_MS } from "../../../src/scsi/latency-histogram.ts";
import { INITIATORS_COUNTED_MAX } from "../../../src/scsi/limits.ts";
import { chooseSeed, SeededRandom } from "../../../src/util/random.ts";
import { DISK_BYTES, InProcessTarget, TARGET_NAME } from "../../support/in-process-target.ts";
import { exposed, type ExposedFamily, parseExposition } from "./support/exposition.ts";

const ROUNDS = 12;
const DEPTH = 32;
const INITIATORS = ["iqn.2026-11.net.example:a", "iqn.2026-11.net.example:b"] as const;
const OPERATIONS = ["read", "write", "unmap", "flush", "other"] as const;
type Operation = (typeof OPERATIONS)[number];

let target: InProcessTarget;

afterEach(async () => {
  await target.close();
});

async function scrape(): Promise<ReadonlyMap<string, ExposedFamily>> {
  const sources = { server: target.server, pools: () => [], version: "1" };
  return parseExposition(await new Metrics(sources, false).text());
}

/** What one initiator did on one LUN, by operation. */
class Ledger {
  readonly done: Record<string, { operations: number; bytes: number; errors: number }> = {};

  add(operation: Operation, bytes: number, good: boolean): void {
    const entry = (this.done[operation] ??= { operations: 0, bytes: 0, errors: 0 });
    entry.operations += 1;
    if (good) entry.bytes += bytes;
    else entry.errors += 1;
  }
}

async function act(
  session: InitiatorSession,
  ledgers: readonly Ledger[],
  random: SeededRandom,
): Promise<void> {
  const lun = random.below(2);
  const lba = random.below(DISK_BYTES / 512 - 128);
  const blocks = 1 + random.below(128);
  const bytes = blocks * 512;
  const operation = random.pick<Operation>(["read", "read", "write", "write", "flush", "other"]);
  const isBad = operation === "read" && random.chance(0.2);
  const command = {
    read: { cdb: cdb16(0x88, isBad ? 2 ** 40 : lba, blocks), expectedInBytes: bytes },
    write: { cdb: cdb16(0x8a, lba, blocks), dataOut: new Uint8Array(bytes) },
    flush: { cdb: cdb16(0x91, 0, 0) },
    unmap: { cdb: newCdb(10, 0x42) },
    other: { cdb: newCdb(6, 0x00) },
  }[operation];
  const { status } = await session.execute({ lun, ...command });
  const moved = operation === "read" || operation === "write" ? bytes : 0;
  ledgers[lun]?.add(operation, moved, status === 0);
}

describe("the metrics of LUNs", () => {
  it("are to the last byte what initiators did, whatever was scraped meanwhile", async () => {
    const seed = chooseSeed(process.env);
    const random = new SeededRandom(seed);
    const units = [0, 1].map(() => ({ device: new MemoryDevice(DISK_BYTES) }));
    target = await InProcessTarget.start({ targets: [{ units }] });
    const sessions: InitiatorSession[] = [];
    const ledgers = INITIATORS.map(() => [new Ledger(), new Ledger()]);
    for (const initiatorName of INITIATORS) sessions.push(await target.connect({ initiatorName }));
    let before = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      const work = Array.from({ length: DEPTH }, (_, index) => {
        const session = sessions[index % 2];
        if (session === undefined) throw new Error("no session");
        return act(session, ledgers[index % 2] ?? [], random);
      });
      const families = await scrape();
      const samples = families.get("thinlun_lun_operations_total")?.samples ?? [];
      const total = samples.reduce((sum, { value }) => sum + value, 0);
      expect(total).toBeGreaterThanOrEqual(before);
      before = total;
      await Promise.all(work);
    }
    const families = await scrape();
    for (const [index, initiator] of INITIATORS.entries()) {
      for (const lun of [0, 1]) {
        for (const operation of OPERATIONS) {
          const done = ledgers[index]?.[lun]?.done[operation];
          const labels = { target: TARGET_NAME, lun: String(lun), initiator, operation };
          const at = (name: string): number | undefined =>
            exposed(families, `thinlun_lun_${name}`, labels);
          const what = `${initiator} ${lun} ${operation}, seed ${seed}`;
          expect(at("operations_total"), what).toBe(done?.operations);
          expect(at("bytes_total"), what).toBe(done?.bytes);
          expect(at("errors_total"), what).toBe(done?.errors);
          expect(at("latency_seconds_count"), what).toBe(done?.operations);
          expect(at("operations_running") ?? 0, what).toBe(0);
        }
      }
    }
    expect(exposed(families, "thinlun_lun_capacity_bytes", { target: TARGET_NAME, lun: "1" })).toBe(
      DISK_BYTES,
    );
  });

  it("have buckets that include those below, the last of which is all", async () => {
    target = await InProcessTarget.start();
    const session = await target.connect();
    for (let count = 0; count < 50; count += 1) {
      await session.execute({ lun: 0, cdb: cdb16(0x91, 0, 0) });
    }
    const family = (await scrape()).get("thinlun_lun_latency_seconds");
    const buckets = (family?.samples ?? []).filter(
      ({ name, labels }) => name.endsWith("_bucket") && labels["operation"] === "flush",
    );
    const bounds = LATENCY_BOUNDS_MS.map((ms) => String(ms / 1000));
    expect(buckets.map(({ labels }) => labels["le"])).toEqual([...bounds, "+Inf"]);
    const values = buckets.map(({ value }) => value);
    expect(values).toEqual(values.toSorted((left, right) => left - right));
    expect(values.at(-1)).toBe(50);
  });

  it("stay as many, however many initiators come", async () => {
    target = await InProcessTarget.start();
    const count = INITIATORS_COUNTED_MAX + 5;
    for (let index = 0; index < count; index += 1) {
      const session = await target.connect({ initiatorName: `iqn.2026-11.net.example:i${index}` });
      await session.execute({ lun: 0, cdb: newCdb(6, 0x00) });
      session.destroy();
    }
    await target.idle();
    const samples = (await scrape()).get("thinlun_lun_operations_total")?.samples ?? [];
    expect(samples).toHaveLength(INITIATORS_COUNTED_MAX + 1);
    const other = samples.filter(({ labels }) => labels["initiator"] === "other");
    expect(other.map(({ value }) => value)).toEqual([5]);
  });
});
