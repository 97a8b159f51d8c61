import type { AccountConfig, Config, DiscoveryConfig, PortalConfig } from "./config.ts";

/** Of what the daemon is told to do, what commands can change while it runs; kept in the state folder. */
export interface Inventory extends Pick<Config, "pools" | "volumes" | "targets"> {
  /** Beside those of the configuration. */
  readonly portals: readonly PortalConfig[];
  /** Null: as the configuration has it. */
  readonly discovery: DiscoveryConfig | null;
  /** Beside those of the configuration, oldest first. */
  readonly accounts: readonly AccountConfig[];
}

export const EMPTY_INVENTORY: Inventory = {
  portals: [],
  pools: new Map(),
  volumes: new Map(),
  targets: [],
  discovery: null,
  accounts: [],
};

/** The configuration with what commands have made. Where both have a thing, see `collisionsOf`. */
export function merged(config: Config, inventory: Inventory): Config {
  return {
    ...config,
    portals: [...config.portals, ...inventory.portals],
    pools: new Map([...config.pools, ...inventory.pools]),
    volumes: new Map([...config.volumes, ...inventory.volumes]),
    targets: [...config.targets, ...inventory.targets],
    discovery: inventory.discovery ?? config.discovery,
    accounts: [...config.accounts, ...inventory.accounts],
  };
}

function shared(what: string, mine: Iterable<string>, theirs: Iterable<string>): string[] {
  const known = new Set(theirs);
  return [...mine].filter((name) => known.has(name)).map((name) => `${what} ${name}`);
}

/** Things that the configuration and commands have both given the same name, in words. */
export function collisionsOf(config: Config, inventory: Inventory): readonly string[] {
  const targetNames = ({ targets }: Pick<Config, "targets">): string[] =>
    targets.map(({ name }) => name);
  const users = ({ accounts }: Pick<Config, "accounts">): string[] =>
    accounts.map(({ user }) => user);
  return [
    ...shared("pool", inventory.pools.keys(), config.pools.keys()),
    ...shared("volume", inventory.volumes.keys(), config.volumes.keys()),
    ...shared("target", targetNames(inventory), targetNames(config)),
    ...shared("account", users(inventory), users(config)),
  ];
}
