import type { LogOutput } from "../util/log.ts";
import { endProcess } from "./end-process.ts";

const STOP_SIGNALS = ["SIGTERM", "SIGINT"] as const;

/** A shutdown that takes longer than this hangs on a device that is stuck. What is acknowledged is with the kernel. */
const SHUTDOWN_MS_MAX = 30_000;

const FAILED_STATUS = 1;

export interface StopSignal {
  /** Resolves at the first signal to stop. */
  readonly asked: Promise<void>;
  /** As a signal does. */
  readonly ask: (why: string) => void;
  readonly release: () => void;
}

/** After the first signal to stop, a second one or too long a time ends the process at once. */
export function listenForStop({ log, endsNow }: Pick<LogOutput, "log" | "endsNow">): StopSignal {
  const force = (why: string): void => {
    endProcess(FAILED_STATUS, () => {
      endsNow();
      const rest = "ending without waiting; nothing acknowledged is lost unless power fails";
      log.fatal({}, `${why}: ${rest}`);
    });
  };
  let limit: NodeJS.Timeout | null = null;
  let resolve: () => void = () => undefined;
  const asked = new Promise<void>((settle) => (resolve = settle));
  const onSignal = (signal: NodeJS.Signals): void => {
    if (limit !== null) return force(`second ${signal}`);
    ask(signal);
  };
  const ask = (signal: string): void => {
    if (limit !== null) return;
    log.info({ signal }, "shutting down; a second signal ends at once");
    limit = setTimeout(() => force("the shutdown takes too long"), SHUTDOWN_MS_MAX).unref();
    resolve();
  };
  for (const signal of STOP_SIGNALS) process.on(signal, onSignal);
  const release = (): void => {
    for (const signal of STOP_SIGNALS) process.off(signal, onSignal);
    if (limit !== null) clearTimeout(limit);
  };
  return { asked, ask, release };
}

/**
 * A defect must not go on writing. What was acknowledged is with the kernel, so to end at once loses nothing of it. Returns how to have
 * the process as it was.
 */
export function endOnDefects({ log, endsNow }: Pick<LogOutput, "log" | "endsNow">): () => void {
  const end = (error: unknown): void => {
    endProcess(FAILED_STATUS, () => {
      endsNow();
      log.fatal({ error }, "a defect of the program: it ends here");
    });
  };
  process.on("uncaughtException", end);
  process.on("unhandledRejection", end);
  return () => {
    process.off("uncaughtException", end);
    process.off("unhandledRejection", end);
  };
}
