import type { BlockDevice } from "../../device/block-device.ts";
import { IoError } from "../../util/io-error.ts";
import { formatSize } from "../../util/units.ts";
import type { FoundBlock } from "../checkpoint/journal-scan.ts";
import { isFault } from "../format/fault.ts";
import { NO_POINTER } from "../format/pointer.ts";
import type { PoolDevice, PoolSettings, Segment } from "../format/records.ts";
import type { Superblock } from "../format/superblock.ts";
import type { VolumeRecord } from "../format/volume-record.ts";
import { readJournal, unreadableBlocks } from "./check-journal.ts";
import { type LocatedPool, locatePool } from "./locate-pool.ts";
import { imageOfTree, inWords, type MapRun, runsOf } from "./pool-image.ts";
import { type NoteFault, type PoolTree, readTree } from "./pool-tree.ts";

export interface DumpOptions {
  /** Also what each volume maps, as of the checkpoint; true: of all, otherwise by name. */
  readonly maps?: boolean | readonly string[];
  /** Also the records of the journal behind the checkpoint. */
  readonly journal?: boolean;
}

export interface DumpedVolume extends Omit<VolumeRecord, "root"> {
  readonly rootBlock: number;
  /** Null where it was not asked for. */
  readonly map: readonly MapRun[] | null;
}

/** What lies on the devices, in the terms of FORMAT.md; plain values, fit for JSON. */
export interface PoolDump {
  readonly poolUuid: string;
  readonly name: string;
  readonly superblocks: readonly {
    readonly device: string;
    readonly offsetBytes: number;
    readonly superblock: Superblock | null;
    readonly fault: string | null;
  }[];
  readonly checkpoint: {
    readonly generation: number;
    readonly checkpointSeq: number;
    readonly nextVolumeId: number;
    readonly settings: PoolSettings;
    readonly devices: readonly PoolDevice[];
    readonly segments: readonly Segment[];
    readonly volumes: readonly DumpedVolume[];
  } | null;
  /** Null where it was not asked for, or cannot be read. */
  readonly journal: readonly FoundBlock[] | null;
  /** Pages that are broken, and what of the journal cannot be read. */
  readonly faults: readonly string[];
}

/**
 * Reads what lies on the devices of a pool, and judges nothing. A pool that is in use may change meanwhile: then pages show up as faults.
 *
 * @throws {PoolError} missing: no pool is there; foreign: more than one
 * @throws {IoError}
 */
export async function dumpPool(
  devices: readonly BlockDevice[],
  options: DumpOptions = {},
): Promise<PoolDump> {
  const pool = await locatePool(devices);
  const faults: string[] = [];
  const [newest] = pool.superblocks;
  const note: NoteFault = (what, fault) => void faults.push(inWords(what, fault));
  const tree = newest === undefined ? null : await readTree(pool, newest, note);
  const volumes = tree === null ? [] : await dumpVolumes(tree, options, note);
  const journal = options.journal === true ? await dumpJournal(pool, faults) : null;
  return {
    poolUuid: pool.poolUuid,
    name: pool.name,
    superblocks: pool.copies.map(({ device, offsetBytes, superblock }) => ({
      device: device.name,
      offsetBytes,
      superblock: isFault(superblock) ? null : superblock,
      fault: isFault(superblock) ? superblock.message : null,
    })),
    checkpoint:
      tree === null
        ? null
        : {
            generation: tree.superblock.generation,
            checkpointSeq: tree.root.checkpointSeq,
            nextVolumeId: tree.root.nextVolumeId,
            settings: tree.root.settings,
            devices: tree.root.devices,
            segments: tree.root.segments,
            volumes,
          },
    journal,
    faults,
  };
}

/** Null: it cannot be read. */
async function dumpJournal(pool: LocatedPool, faults: string[]): Promise<FoundBlock[] | null> {
  try {
    const { blocks, unreadable } = await readJournal(pool);
    if (unreadable.length > 0) faults.push(unreadableBlocks(unreadable));
    return [...blocks];
  } catch (error) {
    if (!(error instanceof IoError)) throw error;
    faults.push(`the journal cannot be read: ${error.message}`);
    return null;
  }
}

async function dumpVolumes(
  tree: PoolTree,
  { maps = false }: DumpOptions,
  note: NoteFault,
): Promise<DumpedVolume[]> {
  const image = maps === false ? null : await imageOfTree(tree, note);
  return tree.volumes.map(({ root, ...rest }) => {
    const { id, name } = rest.attributes;
    const volume = maps === true || (maps !== false && maps.includes(name));
    const found = volume ? image?.volumes.get(id) : undefined;
    const rootBlock = root === NO_POINTER ? 0 : root.block;
    return { ...rest, rootBlock, map: found === undefined ? null : [...runsOf(found)] };
  });
}

/** A dump as text, line by line. */
export function* linesOfDump(dump: PoolDump): Generator<string> {
  yield `pool "${dump.name}" ${dump.poolUuid}`;
  for (const { device, offsetBytes, superblock, fault } of dump.superblocks) {
    const found =
      superblock === null
        ? fault
        : `generation ${superblock.generation}, epoch ${superblock.epoch}, device ` +
          `${superblock.deviceIndex}, ${superblock.owner.state}`;
    yield `superblock ${device} at ${offsetBytes}: ${found}`;
  }
  if (dump.checkpoint !== null) yield* linesOfCheckpoint(dump.checkpoint);
  for (const { seq, records } of dump.journal ?? []) {
    for (const record of records) yield `journal ${seq} ${JSON.stringify(record)}`;
  }
  for (const fault of dump.faults) yield `fault ${fault}`;
}

function* linesOfCheckpoint(checkpoint: NonNullable<PoolDump["checkpoint"]>): Generator<string> {
  const { generation, checkpointSeq, nextVolumeId, settings } = checkpoint;
  yield `checkpoint generation ${generation} seq ${checkpointSeq} next-volume ${nextVolumeId}`;
  yield `settings ${JSON.stringify(settings)}`;
  for (const [index, { uuid, sizeBytes }] of checkpoint.devices.entries()) {
    yield `device ${index} ${uuid} ${formatSize(sizeBytes)}`;
  }
  for (const [
    index,
    { device, offsetBytes, extents, virginFrom },
  ] of checkpoint.segments.entries()) {
    yield `segment ${index} device ${device} offset ${offsetBytes} extents ${extents} virgin ${virginFrom}`;
  }
  for (const { attributes, mappedExtents, map } of checkpoint.volumes) {
    const { id, name, uuid, sizeBytes, isSnapshot, readOnly, originId } = attributes;
    const kind = isSnapshot ? `snapshot of ${originId}` : "volume";
    const access = readOnly ? "read-only" : "writable";
    yield `volume ${id} "${name}" ${uuid} ${formatSize(sizeBytes)} ${kind} ${access} maps ${mappedExtents}`;
    for (const { lext, run, phys, partial } of map ?? []) {
      const rest =
        partial === null ? "" : ` partial mask 0x${partial.mask.toString(16)} base ${partial.base}`;
      yield `  ${lext} +${run} -> ${phys}${rest}`;
    }
  }
}
