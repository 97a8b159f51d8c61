import type { Config } from "../../../src/control/config/config.ts";
import { Reloader, type ReloaderParts } from "../../../src/control/reloader.ts";
import type { PlaneHarness } from "./plane-harness.ts";

/** What a reading works on where there is no file, no service manager and no HTTP. */
export function reloaderParts(harness: PlaneHarness, load: () => Config): ReloaderParts {
  const service = { reloading: () => undefined, ready: () => undefined };
  return {
    ...harness.parts,
    plane: harness.plane,
    configFile: null,
    load,
    service,
    configureHttp: () => Promise.resolve(),
  };
}

/** Sends SIGHUP to a daemon in a test, whose configuration is this one by now; resolves when it is read. */
export async function hangUp(harness: PlaneHarness, config: Config): Promise<void> {
  const reloader = new Reloader();
  await new Promise<void>((resolve) => {
    const parts = reloaderParts(harness, () => config);
    reloader.start({ ...parts, service: { ...parts.service, ready: () => resolve() } });
    reloader.onHangUp();
  });
  await reloader.stop();
}
