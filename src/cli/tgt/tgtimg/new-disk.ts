import { closeSync, fstatSync, ftruncateSync, openSync, writeSync } from "node:fs";
import { INHERITED_FD, runChild } from "../../../../native-free/child-process.ts";
import { bytesOf } from "../byte-words.ts";
import { failure, success, type Ending } from "../ending.ts";
import { systemWords } from "../system-words.ts";
import { CREATE_FLAGS, IMAGE_MODE, uncreated } from "./new-tape.ts";

/** Exit statuses of tgtimg 1.0.85. */
const NO_SPACE_STATUS = 3;
const NO_CAPACITY_STATUS = 3;
const UNSIZED_STATUS = 6;

const MIB = 1024 * 1024;

/** Allocating is quick where the file system can do it; zeros for a large disk take long. */
const ALLOCATE_LIMIT_MS: number = 10 * 60_000;

/**
 * Makes the image of a blank disk.
 *
 * tgtimg 1.0.85 counts in 32 bits, so that 4 TiB and more become something else, and takes no notice of a file system that is
 * full: such images have no bytes. Here a disk has the size that was asked for, or it is a failure.
 * @param size in MiB, as it was typed
 */
export async function newDisk(file: string, size: string, isThin: boolean): Promise<Ending> {
  const sizeMib = Number(/^[ \t-\r]*\+?([0-9]+)/.exec(size)?.[1] ?? 0);
  if (sizeMib === 0) return { ...success("Capacity must be > 0\n"), status: NO_CAPACITY_STATUS };
  let fd: number;
  try {
    fd = openSync(bytesOf(file), CREATE_FLAGS, IMAGE_MODE);
  } catch (error) {
    return uncreated(error);
  }
  try {
    const sizeBytes = sizeMib * MIB;
    const failed = isThin ? setSize(fd, sizeBytes) : await allocate(fd, sizeBytes);
    return failed ?? success(`Created blank DISK image file : ${file}\n`);
  } finally {
    closeSync(fd);
  }
}

/** Makes the image of a blank DVD, which is empty. */
export function newDisc(file: string): Ending {
  try {
    closeSync(openSync(bytesOf(file), CREATE_FLAGS, IMAGE_MODE));
  } catch (error) {
    return uncreated(error);
  }
  return success(`Created blank DVD+R image file : ${file}\n`);
}

function setSize(fd: number, sizeBytes: number): Ending | undefined {
  if (!Number.isSafeInteger(sizeBytes)) return failure(unsized("File too large"), UNSIZED_STATUS);
  try {
    ftruncateSync(fd, sizeBytes);
    return undefined;
  } catch (error) {
    return failure(unsized(systemWords(error)), UNSIZED_STATUS);
  }
}

function unsized(words: string): string {
  return `Failed to set file size: ${words}`;
}

/** Gives a file all of its blocks; what is no file has them. */
async function allocate(fd: number, sizeBytes: number): Promise<Ending | undefined> {
  if (!fstatSync(fd).isFile()) return undefined;
  const fits = setSize(fd, sizeBytes);
  if (fits !== undefined) return fits;
  // The tool shares the descriptor: the file may have been renamed since.
  const { exitCode, stderr } = await runChild(
    "fallocate",
    ["--length", String(sizeBytes), `/proc/self/fd/${INHERITED_FD}`],
    { inheritedFd: fd, timeoutMs: ALLOCATE_LIMIT_MS },
  );
  if (exitCode === 0) return undefined;
  const words = /No space left on device|Disk quota exceeded/.exec(stderr)?.[0];
  return words === undefined ? fillWithZeros(fd, sizeBytes) : unallocated(fd, words);
}

/** For file systems that cannot allocate, and hosts without the tool. */
function fillWithZeros(fd: number, sizeBytes: number): Ending | undefined {
  const zeros = new Uint8Array(MIB);
  try {
    for (let offset = 0; offset < sizeBytes; offset += MIB) writeSync(fd, zeros, 0, MIB, offset);
    return undefined;
  } catch (error) {
    return unallocated(fd, systemWords(error));
  }
}

function unallocated(fd: number, words: string): Ending {
  ftruncateSync(fd, 0);
  return failure(`posix_fallocate failed.: ${words}`, NO_SPACE_STATUS);
}
