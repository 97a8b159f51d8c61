import { UsageError } from "./exit-code.ts";

/** A volume or snapshot as it is called on the command line. */
export interface VolumePath {
  readonly pool: string;
  readonly volume: string;
}

/** Reads POOL/VOLUME. */
export function parseVolumePath(text: string): VolumePath {
  const [pool = "", volume = "", ...rest] = text.split("/");
  if (pool !== "" && volume !== "" && rest.length === 0) return { pool, volume };
  throw new UsageError(`"${text}" names no volume: write POOL/VOLUME, such as tank/disk1`);
}

/** Volumes of one pool, of which the first one says the name. A name without a pool is of the same. */
export function parseVolumePaths(texts: readonly string[]): readonly VolumePath[] {
  const [first = "", ...others] = texts;
  const { pool, volume } = parseVolumePath(first);
  const rest = others.map((text) => {
    const path = text.includes("/") ? parseVolumePath(text) : { pool, volume: text };
    if (path.pool === pool) return path;
    throw new UsageError(`${first} and ${text} are of two pools: name volumes of one`);
  });
  return [{ pool, volume }, ...rest];
}
