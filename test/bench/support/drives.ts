import type { Drive, ProgramRun, RunProgram } from "../../../bench/generators/generator.ts";
import { LOADS } from "../../../bench/loads.ts";
import type { LoadShape } from "../../../bench/result.ts";

export const URL = "iscsi://127.0.0.1:3260/iqn.2026-11.net.thinlun:bench/1";

export function loadOf(id: string): LoadShape {
  const load = LOADS.find((one) => one.id === id);
  if (load === undefined) throw new Error(`there is no load ${id}`);
  return load;
}

export function driveOf(id: string, seconds = 1): Drive {
  return { url: URL, load: loadOf(id), diskBytes: 1 << 26, seconds };
}

/** Programs that say this, one after the other; what was run goes into `commands`. */
export function sayings(commands: string[], ...outputs: readonly string[]): RunProgram {
  return (command): Promise<ProgramRun> => {
    const stdout = outputs[commands.length] ?? "";
    commands.push(command.join(" "));
    const used = { elapsedSeconds: 1, targetCpuSeconds: 0.5, generatorCpuSeconds: 0.4 };
    return Promise.resolve({ stdout, ...used });
  };
}
