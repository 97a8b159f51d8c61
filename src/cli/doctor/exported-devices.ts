import { parse } from "yaml";
import type { Host, PoolsAnswer } from "./host.ts";

const DEVICES = "/dev/";

/** Block devices that this daemon has, or is told to have, with links followed; in their order. */
export async function exportedDevices(host: Host, answer: PoolsAnswer): Promise<string[]> {
  const fromDaemon =
    "pools" in answer ? answer.pools.flatMap(({ devices }) => devices.map(({ path }) => path)) : [];
  const text = await host.readText(host.configFile);
  const paths = [...fromDaemon, ...(text === null ? [] : configuredPaths(text))];
  const resolved = await Promise.all(
    paths.filter((path) => path.startsWith(DEVICES)).map((path) => host.resolve(path)),
  );
  return [...new Set(resolved)].sort();
}

function valuesOf(value: unknown): unknown[] {
  return typeof value === "object" && value !== null ? Object.values(value) : [];
}

function textsIn(value: unknown): string[] {
  return typeof value === "string" ? [value] : [];
}

/** Volumes' paths and pools' devices. A file with errors is for the daemon to complain about: what is found is found. */
function configuredPaths(text: string): string[] {
  let config: unknown;
  try {
    config = parse(text, { maxAliasCount: 100 });
  } catch {
    return [];
  }
  const { pools, volumes } = (config ?? {}) as { pools?: unknown; volumes?: unknown };
  const devices = valuesOf(pools).flatMap((pool) =>
    valuesOf((pool as { devices?: unknown } | null)?.devices),
  );
  const files = valuesOf(volumes).map((volume) => (volume as { path?: unknown } | null)?.path);
  return [...devices, ...files].flatMap(textsIn);
}
