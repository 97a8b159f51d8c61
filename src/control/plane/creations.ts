import { lstat, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import type { Log } from "../../util/log.ts";
import { syncFolder } from "../../util/sync-folder.ts";
import type { VolumeConfig } from "../config/config.ts";
import { placeOf } from "../disk-place.ts";
import type { PoolStore } from "../pool-store.ts";
import { OperationError } from "../protocol.ts";
import { codeOf } from "../start-error.ts";
import type { Creation } from "../state-document.ts";
import type { Identities } from "../state-store.ts";
import { renameBack } from "./renaming.ts";

/*
 * What a change makes is written down before it is made, so that it can be taken back where the change is not kept. Taking back
 * destroys, so it asks for proof each time: only what this program was about to make under that very name, and in which nothing is.
 */

export interface CreationParts {
  readonly log: Log;
  readonly volumeIdentities: Identities;
  readonly pools: Pick<PoolStore, "find">;
}

/** What opening a volume will make; null where nothing is to be made. Errors: exists. */
export async function creationOf(
  name: string,
  config: VolumeConfig,
  { volumeIdentities, pools }: CreationParts,
): Promise<Creation | null> {
  if ((config.driver !== "raw" && config.driver !== "thin") || !config.create) return null;
  // One that was there before is not made again: it is missing, and opening it says so.
  if (config.sizeBytes === null || volumeIdentities.wasMade(name)) return null;
  if (config.driver === "raw") {
    const { path, sizeBytes } = config;
    return (await isAbsent(path)) ? { kind: "file", name, path, sizeBytes } : null;
  }
  const volumes = pools.find(config.pool)?.pool.volumes() ?? [];
  const itsName = config.name ?? name;
  if (volumes.some(({ attributes }) => attributes.name === itsName)) return null;
  const uuid = config.uuid ?? (await volumeIdentities.uuidOf(name, placeOf(config)));
  const other = volumes.find(({ attributes }) => attributes.uuid === uuid);
  if (other === undefined) return { kind: "volume", name, pool: config.pool, itsName, uuid };
  throw new OperationError(
    "exists",
    `volume ${name}: pool ${config.pool} has a volume of its uuid ${uuid} already: ${other.attributes.name}`,
  );
}

/** Nothing at all has the name: no link that leads nowhere, no folder that nobody may look into. */
async function isAbsent(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return false;
  } catch (error) {
    return codeOf(error) === "ENOENT";
  }
}

/**
 * Takes back what was made for a change that failed, or that a crash cut short. What holds data, or is something else by now, stays.
 *
 * @returns what could not be told or taken back this time: it is to be tried again
 */
export async function takeBack(
  creations: readonly Creation[],
  parts: CreationParts,
): Promise<readonly Creation[]> {
  const rest: Creation[] = [];
  for (const creation of creations.toReversed()) {
    try {
      const outcome = await takeBackOne(creation, parts);
      if (outcome === "unknown") rest.unshift(creation);
      else parts.log.info({ ...creation, outcome }, "a change that failed had begun to make this");
    } catch (error) {
      rest.unshift(creation);
      parts.log.error(
        { ...creation, error },
        "what was made for a change that failed is still there",
      );
    }
  }
  return rest;
}

type Outcome = "taken back" | "never made" | "kept: it is something else" | "unknown";

async function takeBackOne(creation: Creation, parts: CreationParts): Promise<Outcome> {
  const outcome = await outcomeOf(creation, parts);
  if (outcome === "taken back") await parts.volumeIdentities.forget(creation.name);
  return outcome;
}

function outcomeOf(creation: Creation, parts: CreationParts): Promise<Outcome> {
  switch (creation.kind) {
    case "file":
      return removeEmpty(creation);
    case "volume":
      return deleteEmpty(creation, parts);
    case "renaming":
      return renameBack(parts.pools.find(creation.pool)?.pool, creation);
  }
}

/** An image that was just made is a hole from its beginning to its end. */
async function removeEmpty({ path, sizeBytes }: Creation & { kind: "file" }): Promise<Outcome> {
  let stats;
  try {
    stats = await lstat(path);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return "never made";
    throw error;
  }
  if (!stats.isFile() || stats.size !== sizeBytes || stats.blocks > 0) {
    return "kept: it is something else";
  }
  await unlink(path);
  await syncFolder(dirname(path));
  return "taken back";
}

async function deleteEmpty(
  { pool: poolName, itsName, uuid }: Creation & { kind: "volume" },
  { pools }: CreationParts,
): Promise<Outcome> {
  const pool = pools.find(poolName)?.pool;
  if (pool === undefined) return "unknown";
  const made = pool.volumes().find(({ attributes }) => attributes.uuid === uuid);
  if (made === undefined) return "never made";
  if (made.attributes.name !== itsName || made.state.mappedExtents > 0) {
    return "kept: it is something else";
  }
  await pool.delete(made);
  return "taken back";
}
