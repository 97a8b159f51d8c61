import * as fs from "node:fs";

/** How many bytes were moved, or why none were. */
export type CountCallback = (error: Error | null, count: number) => void;

/**
 * The calls of `node:fs` that a file device makes once it is open. A parameter, so that tests can count them, hold them
 * back, cut them short and let them fail.
 */
export interface FileSystemCalls {
  readSync(fd: number, buffer: Uint8Array, offset: number, length: number, at: number): number;
  writeSync(fd: number, buffer: Uint8Array, offset: number, length: number, at: number): number;
  read(fd: number, buffers: readonly Uint8Array[], at: number, done: CountCallback): void;
  write(fd: number, buffers: readonly Uint8Array[], at: number, done: CountCallback): void;
  fdatasync(fd: number, done: (error: Error | null) => void): void;
  fileSize(fd: number, done: CountCallback): void;
}

/** The real thing. A single buffer takes the plain call, which costs less than the vectored one. */
export const nodeFileSystem: FileSystemCalls = {
  readSync: fs.readSync,
  writeSync: fs.writeSync,
  read(fd, buffers, at, done) {
    const only = buffers[0];
    if (buffers.length === 1 && only !== undefined) fs.read(fd, only, 0, only.length, at, done);
    else fs.readv(fd, buffers, at, done);
  },
  write(fd, buffers, at, done) {
    const only = buffers[0];
    if (buffers.length === 1 && only !== undefined) fs.write(fd, only, 0, only.length, at, done);
    else fs.writev(fd, buffers as Uint8Array[], at, done);
  },
  fdatasync: fs.fdatasync,
  fileSize: (fd, done) =>
    fs.fstat(fd, (error, stats) => done(error, error === null ? stats.size : 0)),
};
