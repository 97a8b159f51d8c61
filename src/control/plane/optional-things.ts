import type { Config } from "../config/config.ts";
import type { PlaneView } from "./control-plane.ts";

/** All that is wanted. What a command has made must not keep the daemon from starting: it takes commands to put it right. */
export function withOptionalThings({ all, inventory }: PlaneView): Config {
  const optionally = <T extends { readonly optional: boolean }>(
    things: ReadonlyMap<string, T>,
    made: ReadonlyMap<string, unknown>,
  ): ReadonlyMap<string, T> =>
    new Map(
      [...things].map(([name, it]) => [name, made.has(name) ? { ...it, optional: true } : it]),
    );
  const pools = optionally(all.pools, inventory.pools);
  return { ...all, pools, volumes: optionally(all.volumes, inventory.volumes) };
}
