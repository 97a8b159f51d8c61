/** What the C library says for errors of the system: perror(3) has these words, and Node.js others. */
const WORDS: ReadonlyMap<string, string> = new Map([
  ["EPERM", "Operation not permitted"],
  ["ENOENT", "No such file or directory"],
  ["EIO", "Input/output error"],
  ["ENXIO", "No such device or address"],
  ["ENOMEM", "Cannot allocate memory"],
  ["EACCES", "Permission denied"],
  ["EBUSY", "Device or resource busy"],
  ["EEXIST", "File exists"],
  ["ENODEV", "No such device"],
  ["ENOTDIR", "Not a directory"],
  ["EISDIR", "Is a directory"],
  ["EINVAL", "Invalid argument"],
  ["ENFILE", "Too many open files in system"],
  ["EMFILE", "Too many open files"],
  ["ETXTBSY", "Text file busy"],
  ["EFBIG", "File too large"],
  ["ENOSPC", "No space left on device"],
  ["ESPIPE", "Illegal seek"],
  ["EROFS", "Read-only file system"],
  ["ENAMETOOLONG", "File name too long"],
  ["ELOOP", "Too many levels of symbolic links"],
  ["EDQUOT", "Disk quota exceeded"],
  ["EOPNOTSUPP", "Operation not supported"],
]);

/** The words for an error of a call to the system. What is none of these is thrown on: it is a defect. */
export function systemWords(error: unknown): string {
  if (!(error instanceof Error) || !("code" in error)) throw error;
  const code = String(error.code);
  return WORDS.get(code) ?? code;
}
