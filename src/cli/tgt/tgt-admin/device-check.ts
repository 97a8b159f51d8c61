import type { StoreWanted } from "../targets-conf-store.ts";
import type { AdminWorld } from "./world.ts";

/** Whether a store becomes a logical unit, and what is said where it does not. */
export interface Verdict {
  readonly isUsable: boolean;
  readonly notes: readonly string[];
}

const USABLE: Verdict = { isUsable: true, notes: [] };

const IN_USE_ADVICE = [
  "# You can override it with --force or 'allow-in-use yes' config option.",
  "# Note - do so only if you know what you're doing, you may damage your data.",
] as const;

/**
 * Looks at the file or device of a store. Something that others have open is left out: two who write to a disk without knowing
 * of each other destroy what is on it.
 * @param isOwn the daemon has it open for this very unit, which is no reason
 */
export async function judgeStore(
  store: StoreWanted,
  world: AdminWorld,
  { isForced, isOwn }: { readonly isForced: boolean; readonly isOwn: boolean },
): Promise<Verdict> {
  const { path, isFile, isAllowedInUse } = store;
  if (!isFile) return USABLE;
  const state = await world.lookAt(path);
  if (state === "missing") {
    return {
      isUsable: false,
      notes: [
        `# Skipping device: ${path}`,
        `# ${path} does not exist - please check the configuration file`,
      ],
    };
  }
  if (state === "free" || isForced || isAllowedInUse || isOwn) return USABLE;
  const reasons =
    state === "busy"
      ? [`# Device ${path} is used by the system (mounted, used by swap?).`]
      : [
          `# Device ${path} is used (already tgtd target?).`,
          `# Run 'lsof ${path}' to see the details.`,
        ];
  const skipping = `# Skipping device ${path} - it is in use.`;
  return { isUsable: false, notes: [...reasons, skipping, ...IN_USE_ADVICE] };
}
