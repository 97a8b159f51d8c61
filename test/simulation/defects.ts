const EVENTS = ["uncaughtException", "unhandledRejection"] as const;

/**
 * Takes what is thrown where nobody can catch it (microtasks, promises without an owner) until it is released. Whoever
 * listens otherwise, as a test runner does, does not hear of it.
 */
export function trapDefects(caught: (error: unknown) => void): () => void {
  const others = EVENTS.map((event) => process.rawListeners(event));
  for (const event of EVENTS) {
    process.removeAllListeners(event);
    process.on(event, caught);
  }
  return () => {
    for (const [index, event] of EVENTS.entries()) {
      process.removeAllListeners(event);
      for (const listener of others[index] ?? []) {
        process.on(event as "uncaughtException", listener as NodeJS.UncaughtExceptionListener);
      }
    }
  };
}
