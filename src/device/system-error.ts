import { IoError, type IoErrorKind } from "../util/io-error.ts";

/** Error numbers of the system that mean more than "the medium failed". */
const KINDS: Readonly<Record<string, IoErrorKind>> = {
  ENOSPC: "space",
  EDQUOT: "space",
  EFBIG: "space",
  EROFS: "read-only",
  EPERM: "read-only",
  EACCES: "read-only",
  ENODEV: "gone",
  ENXIO: "gone",
  ENOENT: "gone",
  EBADF: "gone",
  ESTALE: "gone",
  EOPNOTSUPP: "unsupported",
  ENOTSUP: "unsupported",
  ENOSYS: "unsupported",
};

/** What somebody has done who meets these, which are no fault of a device. */
const WORDS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file, device or folder",
  EACCES: "the user of this process may not",
};

function codeOf(error: unknown): string {
  if (error instanceof Error && "code" in error && typeof error.code === "string") {
    return error.code;
  }
  return "";
}

/** The kind of a system error by its code ("EIO"); what is not in the table is the medium's fault. */
export function kindOfCode(code: string): IoErrorKind {
  return KINDS[code] ?? "medium";
}

/** Turns an error of `fs` into one of this house, with the original as its cause. */
export function ioErrorFrom(
  error: unknown,
  what: string,
  object: string,
  offsetBytes: number = -1,
): IoError {
  if (error instanceof IoError) return error;
  const code = codeOf(error);
  const words = WORDS[code] === undefined ? "" : ` (${WORDS[code]})`;
  const message = code === "" ? `${what} failed` : `${what} failed with ${code}${words}`;
  return new IoError(kindOfCode(code), message, { object, offsetBytes, cause: error });
}
