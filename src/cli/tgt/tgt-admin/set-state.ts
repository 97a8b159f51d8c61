import { DaemonState } from "./daemon-state.ts";
import { AdminEnd, plain, type Runner } from "./runner.ts";
import type { AdminWorld } from "./world.ts";

const FAILED = 1;

/** Takes targets out of service, or back: all of them, one by its number, or one by its name. */
export async function setState(
  wanted: "offline" | "ready",
  which: string,
  runner: Runner,
  world: AdminWorld,
): Promise<void> {
  const state = await DaemonState.read(runner);
  const update = ["--op", "update", "--mode", "target"];
  const change = ["-n", "state", "-v", wanted];
  if (which === "ALL") {
    for (const { tid } of state.targets.values()) {
      await runner.execute(plain(...update, `--tid=${tid}`, ...change));
    }
    return;
  }
  const number = /tid=(.+)/.exec(which)?.[1];
  if (number !== undefined) {
    await runner.execute(plain(...update, `--tid=${number}`, ...change));
    return;
  }
  const target = state.targets.get(which);
  if (target === undefined) {
    world.print(`There is no target with name "${which}", can't ${wanted} it!\n`);
    throw new AdminEnd(FAILED);
  }
  const start = [...update, `--tid=${target.tid}`];
  await runner.execute({
    shown: `${start.join(" ")} --name="${which}" ${change.join(" ")}`,
    // The name of the parameter comes last, and counts.
    words: [...start, `--name=${which}`, ...change],
  });
}
