import type { BlockDevice } from "../../device/block-device.ts";
import { assert } from "../../util/assert.ts";
import type { Clock, Timer } from "../../util/clock.ts";
import { readBytes, writeStable } from "../../util/io-request.ts";
import type { OwnerIdentity } from "../checkpoint/owner.ts";
import { isFault } from "../format/fault.ts";
import { BLOCK_BYTES } from "../format/geometry.ts";
import { HEARTBEAT_OFFSET } from "../format/layout.ts";
import { PoolError } from "../pool-error.ts";
import { decodeHeartbeat, encodeHeartbeat } from "./heartbeat-block.ts";
import { HEARTBEAT_INTERVAL_MS, HEARTBEAT_LATE_MS } from "./limits.ts";

/** A device that has more to do than it can is alive: behind seconds of data the beats would be late. */
const BEFORE_DATA = { isUrgent: true } as const;

export interface HeartbeatOptions {
  /** The pool's first device, opened past the page cache (`direct`): otherwise reads show this host's own memory. */
  readonly device: BlockDevice;
  readonly poolUuid: string;
  readonly owner: OwnerIdentity;
  readonly clock: Clock;
  /** Milliseconds, those that the machine is suspended for included, which the clock does not count. Absent: it is never suspended. */
  readonly uptimeMs?: (() => number) | undefined;
  /** Stops the pool at once: somebody else may have it. Called once at the most, never after `stop`. */
  readonly fence: (reason: PoolError) => void;
}

/**
 * Shows other hosts that this one has the pool open, and notices when they took it: before each beat it reads the block back.
 * It fences itself when a beat is late, because whoever watches for life takes over then.
 */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  #counter = 0;
  #lastBeatMs = 0;
  #lastUptimeMs = 0;
  #next: Timer | null = null;
  #deadline: Timer | null = null;
  #running: Promise<void> | null = null;
  #hasEnded = false;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
  }

  /** Writes the first beat, over whatever was there. @throws {IoError} it could not be written */
  async start(): Promise<void> {
    assert(this.#next === null && !this.#hasEnded, "a heartbeat starts once");
    await this.#write();
    this.#schedule();
  }

  /** No more beats; resolves when the last one is not under way any more. The block stays as it is. */
  async stop(): Promise<void> {
    this.#end();
    await this.#running;
  }

  #end(): void {
    this.#hasEnded = true;
    this.#next?.cancel();
    this.#deadline?.cancel();
  }

  #uptimeMs(): number {
    return this.#options.uptimeMs?.() ?? 0;
  }

  #schedule(): void {
    if (this.#hasEnded) return;
    const { clock } = this.#options;
    this.#lastBeatMs = clock.nowMs();
    this.#lastUptimeMs = this.#uptimeMs();
    this.#deadline?.cancel();
    this.#deadline = clock.after(HEARTBEAT_LATE_MS, () => this.#fenceLate());
    this.#next = clock.after(HEARTBEAT_INTERVAL_MS, () => {
      this.#running = this.#beat();
    });
  }

  #fence(kind: "foreign" | "failed" | "io", message: string, cause?: unknown): void {
    if (this.#hasEnded) return;
    this.#end();
    this.#options.fence(new PoolError(kind, message, cause));
  }

  #fenceLate(): void {
    const seconds = HEARTBEAT_LATE_MS / 1000;
    this.#fence("failed", `no heartbeat for ${seconds} s: another host may have the pool by now`);
  }

  async #write(): Promise<void> {
    const { device, poolUuid, owner } = this.#options;
    const { hostId, nonce } = owner;
    const bytes = encodeHeartbeat({ poolUuid, hostId, nonce, counter: this.#counter });
    // On stable media: another host does not see this one's cache.
    await writeStable(device, HEARTBEAT_OFFSET, bytes, BEFORE_DATA);
    this.#counter += 1;
  }

  /** Never rejects: what goes wrong ends in the fence. */
  async #beat(): Promise<void> {
    const { device, owner, clock } = this.#options;
    try {
      const bytes = await readBytes(device, HEARTBEAT_OFFSET, BLOCK_BYTES, BEFORE_DATA);
      const block = decodeHeartbeat(bytes);
      if (this.#hasEnded) return;
      if (isFault(block) || block.nonce !== owner.nonce) {
        const who = isFault(block) ? block.message : `host ${block.hostId} has written its own`;
        this.#fence("foreign", `the pool's heartbeat is not ours any more: ${who}`);
        return;
      }
      // The process may have stood still, and its timers with it, until just now.
      const passedMs = Math.max(
        clock.nowMs() - this.#lastBeatMs,
        this.#uptimeMs() - this.#lastUptimeMs,
      );
      if (passedMs >= HEARTBEAT_LATE_MS) {
        this.#fenceLate();
        return;
      }
      await this.#write();
      this.#schedule();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#fence("io", `the pool's heartbeat could not be written: ${reason}`, error);
    }
  }
}
