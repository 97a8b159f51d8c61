import { SimDisk } from "./sim-disk.ts";

/** Ways to break the engine or what it stands on, each of which the simulation must notice. */
const PATCHES = {
  /** Flushes of devices do nothing. */
  flushNothing: () => {
    SimDisk.breakage.flushNothing = true;
    return () => void (SimDisk.breakage.flushNothing = false);
  },
  /** Only the first device is flushed. */
  flushOneDevice: () => {
    SimDisk.breakage.flushOneDevice = true;
    return () => void (SimDisk.breakage.flushOneDevice = false);
  },
} as const;

export type Mutation = keyof typeof PATCHES;

export const MUTATIONS: readonly Mutation[] = Object.keys(PATCHES) as Mutation[];

export function isMutation(name: string): name is Mutation {
  return name in PATCHES;
}

/** Breaks it; returns what mends it. */
export function mutate(mutation: Mutation): () => void {
  return PATCHES[mutation]();
}
