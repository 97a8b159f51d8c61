import type { FileSystemCalls } from "./file-system-calls.ts";

/**
 * File systems of which an error of a write is that write's own: they find or set aside its blocks before they take its bytes. The numbers
 * of ext2 to ext4, XFS, Btrfs, F2FS, ZFS, bcachefs, tmpfs, ramfs, exFAT and VFAT in Linux's magic.h or their own headers; and of overlayfs,
 * which hands writes on to one of those.
 */
const PROMPT_FILE_SYSTEMS: ReadonlySet<number> = new Set([
  0xef53, 0x5846_5342, 0x9123_683e, 0xf2f5_2010, 0x2fc1_2fc1, 0xca45_1a4e, 0x0102_1994, 0x8584_58f6,
  0x2011_bab0, 0x4d44, 0x794c_7630,
]);

/**
 * Whether an error that a write meets on a file system of this type (statfs's number) may be that of other pages, which were written before,
 * are lost, and will never be heard of again: the kernel's NFS client writes back what it has when the server has no room, says so to
 * whoever writes then, and has told the descriptor with that. Daemons behind FUSE do the same. What is not known is taken for one of those.
 */
export function reportsLate(fileSystemType: number): boolean {
  // Some systems hand the number on as a signed one of 32 bits.
  return !PROMPT_FILE_SYSTEMS.has(fileSystemType >>> 0);
}

/** The calls, and `met` told of each error of a write before anybody else hears of it. */
export function watchWrites(calls: FileSystemCalls, met: (error: Error) => void): FileSystemCalls {
  return {
    readSync: (...range) => calls.readSync(...range),
    writeSync: (...range) => {
      try {
        return calls.writeSync(...range);
      } catch (error) {
        met(error instanceof Error ? error : new Error(String(error)));
        throw error;
      }
    },
    read: (...range) => calls.read(...range),
    write: (fd, buffers, at, done) =>
      calls.write(fd, buffers, at, (error, count) => {
        if (error !== null) met(error);
        done(error, count);
      }),
    fdatasync: (fd, done) => calls.fdatasync(fd, done),
    fileSize: (fd, done) => calls.fileSize(fd, done),
  };
}
