import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";

/** What the place of the state depends on. */
export interface Surroundings {
  readonly isSuperuser: boolean;
  readonly home: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export function systemSurroundings(): Surroundings {
  return {
    isSuperuser: process.getuid?.() === 0,
    home: homedir(),
    environment: process.env,
  };
}

/** Where state is kept unless told otherwise: /var/lib of the system, or the user's own place (XDG base directories). */
export function defaultStateFolder({ isSuperuser, home, environment }: Surroundings): string {
  if (isSuperuser) return "/var/lib/thinlun";
  const xdg = environment["XDG_STATE_HOME"];
  // The specification has relative paths ignored.
  const base = xdg !== undefined && isAbsolute(xdg) ? xdg : join(home, ".local", "state");
  return join(base, "thinlun");
}
