import { describe, expect, it } from "vitest";
import { EventLog } from "../../../src/control/http/event-log.ts";
import { publishEvents } from "../../../src/control/http/event-sources.ts";
import type { Difference } from "../../../src/control/plane/differences.ts";
import type { SessionListener } from "../../../src/iscsi/session-registry.ts";
import type { Session } from "../../../src/iscsi/session.ts";
import { type PoolEvent, PoolListeners } from "../../../src/thin/pool/pool-events.ts";
import type { Pool } from "../../../src/thin/pool/pool.ts";
import { IoError } from "../../../src/util/io-error.ts";
import { ManualClock } from "../../support/manual-clock.ts";

/** As much of a pool as is listened to. */
class FakePool {
  readonly name: string;
  readonly listeners: PoolListeners = new PoolListeners();
  listening = 0;

  constructor(name: string) {
    this.name = name;
  }

  subscribe(listener: (event: PoolEvent) => void): () => void {
    this.listening += 1;
    const end = this.listeners.subscribe(listener);
    return () => {
      this.listening -= 1;
      end();
    };
  }
}

class Bench {
  readonly events: EventLog = new EventLog("run");
  readonly clock: ManualClock = new ManualClock();
  pools: FakePool[] = [];
  change: (differences: readonly Difference[]) => void = () => undefined;
  session: SessionListener = () => undefined;
  ended = 0;

  start(): () => void {
    return publishEvents(this.events, {
      clock: this.clock,
      pools: () => this.pools.map((pool) => ({ pool: pool as unknown as Pool })),
      plane: {
        subscribe: (listener) => {
          this.change = listener;
          return () => void (this.ended += 1);
        },
      },
      server: {
        subscribeSessions: (listener) => {
          this.session = listener;
          return () => void (this.ended += 1);
        },
      },
    });
  }

  get told(): unknown[] {
    return (this.events.since(0) ?? []).map(({ type, data }) => [type, JSON.parse(data) as object]);
  }
}

describe("events", () => {
  it("tell of changes and of sessions", () => {
    const bench = new Bench();
    const end = bench.start();
    bench.change([
      { action: "create", kind: "target", name: "iqn.2026-11.net.example:a", fields: [] },
    ]);
    const session = {
      tsih: 7,
      target: { name: "iqn.2026-11.net.example:a" },
      initiatorName: "iqn.i",
    };
    bench.session("opened", session as Session);
    expect(bench.told).toEqual([
      [
        "change",
        {
          differences: [
            { action: "create", kind: "target", name: "iqn.2026-11.net.example:a", fields: [] },
          ],
        },
      ],
      [
        "session",
        { change: "opened", tsih: 7, target: "iqn.2026-11.net.example:a", initiator: "iqn.i" },
      ],
    ]);
    end();
    expect(bench.ended).toBe(2);
  });

  it("tell of pools, also of those that are opened later, until they are closed", () => {
    const bench = new Bench();
    const [tank, lake] = [new FakePool("tank"), new FakePool("lake")];
    bench.pools = [tank];
    const end = bench.start();
    tank.listeners.emit({ kind: "full", capacityBytes: 5 });
    bench.pools = [lake];
    bench.clock.advance(1000);
    expect([tank.listening, lake.listening]).toEqual([0, 1]);
    lake.listeners.emit({
      kind: "failed",
      error: new IoError("failed", "it broke", { object: "lake" }),
    });
    expect(bench.told).toEqual([
      ["pool", { pool: "tank", kind: "full", capacityBytes: 5 }],
      ["pool", { pool: "lake", kind: "failed", reason: "lake: it broke" }],
    ]);
    bench.clock.advance(5000);
    expect(lake.listening).toBe(1);
    end();
    expect(lake.listening).toBe(0);
  });
});
