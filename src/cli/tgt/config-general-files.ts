/** What a configuration sees of the file system. Relative paths start at a folder of the caller's choice. */
export interface ConfigFiles {
  /** Follows symbolic links; `none` where the path leads nowhere. */
  kindOf(path: string): FileKind;
  /** The start of a file, `bytesMax` at the most. Throws the system's error. */
  read(path: string, bytesMax: number): Uint8Array;
  /** The names in a folder, in any order. Throws the system's error. */
  namesIn(folder: string): readonly string[];
}

export type FileKind = "file" | "folder" | "other" | "none";

/** The order of bytes, in which Perl sorts and the C library's glob answers. */
export function compareBytes(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
}

/** A path below a folder, as File::Spec joins them: an absolute one too, and without looking at "..". */
export function below(folder: string, path: string): string {
  const joined = `${folder}/${path}`.replace(/\/{2,}/g, "/").replace(/\/(?:\.\/)+/g, "/");
  return joined.startsWith("./") ? joined.slice(2) : joined;
}

/** The folder of a path, as File::Spec splits it: up to the last slash, "" where there is none. */
export function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/") + 1);
}
