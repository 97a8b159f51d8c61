import { closeSync, renameSync, writeFileSync, writeSync } from "node:fs";
import type { Endpoint } from "./config/endpoint.ts";
import { temporaryPath } from "./durable-file.ts";
import { messageOf, StartError } from "./start-error.ts";

/** Who wants to know when logins are accepted. */
export interface ReadinessTargets {
  /** A file that appears then, complete; null for none. */
  readonly file: string | null;
  /** A descriptor that is written to and closed then; null for none. */
  readonly fd: number | null;
}

/** Tells a supervisor, or a test, on which addresses and ports logins are accepted from now on, as a line of JSON. */
export function announceReadiness(to: ReadinessTargets, portals: readonly Endpoint[]): void {
  const line = `${JSON.stringify({ portals, pid: process.pid })}\n`;
  try {
    if (to.file !== null) {
      // Whoever waits for the file must not find half of it.
      writeFileSync(temporaryPath(to.file), line);
      renameSync(temporaryPath(to.file), to.file);
    }
    if (to.fd !== null) {
      writeSync(to.fd, line);
      closeSync(to.fd);
    }
  } catch (error) {
    throw new StartError(`readiness cannot be told: ${messageOf(error)}`, error);
  }
}
