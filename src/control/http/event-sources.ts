import type { IscsiServer } from "../../iscsi/server.ts";
import type { Pool } from "../../thin/pool/pool.ts";
import type { PoolEvent } from "../../thin/pool/pool-events.ts";
import type { Clock, Timer } from "../../util/clock.ts";
import type { ControlPlane } from "../plane/control-plane.ts";
import type { EventLog } from "./event-log.ts";

/** How often it is looked for pools that have been opened or closed since. */
const POOLS_INTERVAL_MS = 1000;

export interface EventSources {
  readonly clock: Clock;
  readonly pools: () => readonly { readonly pool: Pool }[];
  /** Null: there is no daemon around. */
  readonly plane: Pick<ControlPlane, "subscribe"> | null;
  readonly server: Pick<IscsiServer, "subscribeSessions"> | null;
}

/** Publishes what changes of what is wanted, of sessions and of pools. Returns how to end that. */
export function publishEvents(events: EventLog, sources: EventSources): () => void {
  const { clock, pools, plane, server } = sources;
  const ends: (() => void)[] = [];
  if (plane !== null) {
    ends.push(plane.subscribe((differences) => events.publish("change", { differences })));
  }
  if (server !== null) {
    const end = server.subscribeSessions((change, { tsih, target, initiatorName }) =>
      events.publish("session", { change, tsih, target: target.name, initiator: initiatorName }),
    );
    ends.push(end);
  }
  ends.push(watchPools(events, clock, pools));
  return () => {
    for (const end of ends) end();
  };
}

function watchPools(events: EventLog, clock: Clock, pools: EventSources["pools"]): () => void {
  const watched = new Map<Pool, () => void>();
  let timer: Timer | null = null;
  const look = (): void => {
    const open = new Set(pools().map(({ pool }) => pool));
    for (const [pool, end] of watched) {
      if (open.has(pool)) continue;
      end();
      watched.delete(pool);
    }
    for (const pool of open) {
      if (watched.has(pool)) continue;
      const publish = (event: PoolEvent): void =>
        events.publish("pool", { pool: pool.name, ...told(event) });
      watched.set(pool, pool.subscribe(publish));
    }
    timer = clock.after(POOLS_INTERVAL_MS, look);
  };
  look();
  return () => {
    timer?.cancel();
    for (const end of watched.values()) end();
  };
}

/** An error as its message. */
function told(event: PoolEvent): object {
  return event.kind === "failed" ? { kind: event.kind, reason: event.error.message } : event;
}
