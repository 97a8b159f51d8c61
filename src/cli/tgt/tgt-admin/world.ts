import type { RunResult } from "../../../../native-free/child-process.ts";
import type { ConfigFiles } from "../config-general-files.ts";
import type { Ending } from "../ending.ts";
import type { ApplyClient } from "./apply-client.ts";

/** What stands at a path that is to become a logical unit. `busy`: the system has it; `open`: a process has it open. */
export type DeviceState = "missing" | "free" | "busy" | "open";

/** What tgt-admin speaks to: strings with one character a byte. */
export interface AdminWorld {
  /** Runs a command line of tgtadm. */
  readonly tgtadm: (words: readonly string[]) => Promise<Ending>;
  /** Those of the configuration; paths are texts. */
  readonly files: ConfigFiles;
  readonly print: (text: string) => void;
  readonly complain: (text: string) => void;
  readonly lookAt: (path: string) => Promise<DeviceState>;
  /** Runs another program, without a shell. */
  readonly run: (program: string, words: readonly string[]) => Promise<RunResult>;
  /** The daemon behind a control port, where it is thinlun's own and can take all of a change at once; otherwise null. */
  readonly applyClient: (controlPort: string) => Promise<ApplyClient | null>;
}
