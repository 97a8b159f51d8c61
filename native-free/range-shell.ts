import { INHERITED_FD } from "./child-process.ts";
import type { RangeOutcome, RangeProgram } from "./range-program.ts";

/**
 * The shell's part. Only digits and the four words ever reach it. Descriptor 4 keeps its output open in the tool, so
 * that this process learns of the end of both. blkdiscard asks for exclusive use unless forced, which the daemon has.
 */
const SCRIPT = `
exec 4>&1
set -f
file=/proc/self/fd/${INHERITED_FD}
force=
case $(blkdiscard --help 2>&1 </dev/null) in *--force*) force=-f;; esac
while read -r operation offset length; do
  case $operation in
    punch) message=$(fallocate --punch-hole --keep-size --offset $offset --length $length $file 2>&1 </dev/null);;
    zero) message=$(fallocate --zero-range --keep-size --offset $offset --length $length $file 2>&1 </dev/null);;
    discard) message=$(blkdiscard $force --offset $offset --length $length $file 2>&1 </dev/null);;
    zero-device) message=$(blkdiscard $force --zeroout --offset $offset --length $length $file 2>&1 </dev/null);;
  esac
  status=$?
  echo "$status" $message
done
`;

/** What the tools say, in the C locale, for each error number that makes a difference. */
const MESSAGES: readonly (readonly [RegExp, RangeOutcome])[] = [
  // EOPNOTSUPP, ENOTTY and, from a kernel or file system without the call, ENOSYS; and a tool that is not there.
  [/not supported|unsupported|inappropriate ioctl|function not impl|not found/i, "unsupported"],
  [/unrecognized option|invalid option|unknown option/i, "unsupported"],
  [/no space left|quota exceeded/i, "ENOSPC"],
  [/operation not permitted|permission denied/i, "EPERM"],
  [/read-only file system/i, "EROFS"],
  [/invalid argument|not aligned/i, "EINVAL"],
  [/no such device/i, "ENODEV"],
  [/resource busy|text file busy/i, "EBUSY"],
];

function outcomeOf(answer: string): RangeOutcome {
  if (answer === "0" || answer.startsWith("0 ")) return "";
  if (answer.startsWith("127")) return "unsupported";
  return MESSAGES.find(([pattern]) => pattern.test(answer))?.[1] ?? "EIO";
}

/**
 * Clears ranges by the system's own tools, fallocate(1) and blkdiscard(8), one process for each range. It hears of one
 * range at a time: against the start of a tool a wake-up costs nothing, and what waits merges.
 */
export const RANGE_SHELL: RangeProgram = {
  name: "shell",
  command: "/bin/sh",
  args: ["-c", SCRIPT],
  greeting: null,
  sentRangesMax: 1,
  outcomeOf,
};
