import { readFile } from "node:fs/promises";
import { replaceFile } from "./durable-file.ts";
import { codeOf } from "./start-error.ts";

/**
 * Where the devices lie that pools were given while the daemon ran. The pools know them by their UUIDs only, and the configuration does not
 * name them. It is a help to find them, and no more: what is at a path is looked at before it is taken for anything.
 */
export class JoinedDevices {
  readonly #path: string;
  /** Changes come one after the other. */
  #writing: Promise<void> = Promise.resolve();

  constructor(path: string) {
    this.#path = path;
  }

  /** The paths that were remembered for a pool; none where the file cannot be used. */
  async of(poolUuid: string): Promise<readonly string[]> {
    return (await this.#read()).get(poolUuid) ?? [];
  }

  /** Durable when it resolves. Rejects where it cannot be written. */
  remember(poolUuid: string, path: string): Promise<void> {
    const next = this.#writing.then(async () => {
      const pools = await this.#read();
      const paths = pools.get(poolUuid) ?? [];
      if (paths.includes(path)) return;
      pools.set(poolUuid, [...paths, path]);
      await replaceFile(this.#path, `${JSON.stringify(Object.fromEntries(pools), null, 2)}\n`);
    });
    this.#writing = next.catch(() => undefined);
    return next;
  }

  async #read(): Promise<Map<string, readonly string[]>> {
    let text: string;
    try {
      text = await readFile(this.#path, "utf8");
    } catch (error) {
      if (codeOf(error) === "ENOENT") return new Map();
      throw error;
    }
    return decode(text);
  }
}

/** What makes no sense is left out. */
function decode(text: string): Map<string, readonly string[]> {
  let document: unknown = null;
  try {
    document = JSON.parse(text);
  } catch {
    // As if nothing had been remembered.
  }
  const pools = new Map<string, readonly string[]>();
  if (typeof document !== "object" || document === null) return pools;
  for (const [uuid, paths] of Object.entries(document) as [string, unknown][]) {
    if (!Array.isArray(paths)) continue;
    pools.set(
      uuid,
      paths.filter((path) => typeof path === "string" && path.startsWith("/")),
    );
  }
  return pools;
}
