import type { Identities } from "../../../src/control/state-store.ts";

/** One identity for all volumes, and no memory of them. */
export function forgetfulIdentities(uuid: string): Identities {
  return {
    uuidOf: () => Promise.resolve(uuid),
    disksOf: () => [],
    wasMade: () => false,
    rememberMade: () => Promise.resolve(),
    forget: () => Promise.resolve(),
  };
}
