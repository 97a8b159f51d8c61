import type { DaemonState } from "./daemon-state.ts";
import { plain, type Runner } from "./runner.ts";
import type { ShownTarget } from "./shown-target.ts";

/** How a target is removed. */
export interface Removal {
  readonly runner: Runner;
  readonly state: DaemonState;
  readonly isForced: boolean;
  /** What does not happen to a target in use, for the remark about it. */
  readonly purpose: "deleted" | "updated";
}

/** Removes a target. False where it stays because initiators are logged in. One that is not there is told, and is no error. */
export async function removeTarget(name: string, removal: Removal): Promise<boolean> {
  const { runner, state, isForced, purpose } = removal;
  const target = state.targets.get(name);
  if (target === undefined) {
    runner.note(`# Target with name ${name} does not exist!`);
    return true;
  }
  if (target.connections.size > 0 && !isForced) {
    runner.note(inUseNote(target.tid, name, purpose));
    return false;
  }
  runner.note(removalNote(name));
  if (target.connections.size > 0) await evict(target, runner);
  await runner.execute(plain("--mode", "target", "--op", "delete", `--tid=${target.tid}`));
  runner.note("");
  return true;
}

export function inUseNote(tid: string, name: string, purpose: Removal["purpose"]): string {
  return `# Target with tid ${tid} (${name}) is in use, it won't be ${purpose}.`;
}

export function removalNote(name: string): string {
  return `# Removing target: ${name}`;
}

/** Lets nobody in any more, and then those out who are in. */
async function evict({ tid, acl, connections }: ShownTarget, runner: Runner): Promise<void> {
  for (const rule of acl) {
    // A name is no address: tgt-admin gives it for one, and fails.
    const option = isInitiatorName(rule) ? "-Q" : "-I";
    await runner.execute(plain("--op", "unbind", "--mode", "target", "--tid", tid, option, rule));
  }
  for (const [sid, cid] of connections) {
    await runner.execute(
      plain("--op", "delete", "--mode", "conn", "--tid", tid, "--sid", sid, "--cid", cid),
    );
  }
}

/** Whether a rule of access is the name of an initiator: ALL and addresses begin otherwise. */
export function isInitiatorName(rule: string): boolean {
  return /^(?:iqn\.|eui\.|naa\.)/i.test(rule) || !/^(?:ALL|[\dA-Fa-f:.]+(?:\/[\d.]+)?)$/.test(rule);
}
