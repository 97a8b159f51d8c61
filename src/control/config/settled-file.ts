import { stat } from "node:fs/promises";
import type { Clock } from "../../util/clock.ts";

/** An editor or a script that writes a file in pieces takes less between two of them. */
const SETTLED_MS = 100;

/** Whoever writes a configuration for longer than this asks for it to be read too early. */
const ROUNDS_MAX = 20;

/** What of a file says that it has been written to. */
interface Traces {
  readonly sizeBytes: bigint;
  readonly modifiedNs: bigint;
  readonly inode: bigint;
}

async function tracesOf(path: string): Promise<Traces | null> {
  try {
    const { size, mtimeNs, ino } = await stat(path, { bigint: true });
    return { sizeBytes: size, modifiedNs: mtimeNs, inode: ino };
  } catch {
    return null;
  }
}

function areEqual(left: Traces | null, right: Traces | null): boolean {
  return (
    left?.sizeBytes === right?.sizeBytes &&
    left?.modifiedNs === right?.modifiedNs &&
    left?.inode === right?.inode
  );
}

/**
 * Waits until nobody writes to a file any more: half of a configuration is often one, too, and whatever the other half
 * names would be taken from its users. Resolves after some seconds in any case; never rejects.
 */
export async function fileSettled(path: string, clock: Clock): Promise<void> {
  let before = await tracesOf(path);
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    await new Promise<void>((resolve) => clock.after(SETTLED_MS, resolve));
    const after = await tracesOf(path);
    if (areEqual(before, after)) return;
    before = after;
  }
}
