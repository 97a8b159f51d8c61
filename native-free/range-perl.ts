import { constants } from "node:os";
import { INHERITED_FD } from "./child-process.ts";
import type { RangeOutcome, RangeProgram } from "./range-program.ts";

/** The number of fallocate(2), by `process.arch`: where a long has 64 bits and an ioctl without data is just its number. */
const FALLOCATE_NUMBERS: ReadonlyMap<string, number> = new Map([
  ["x64", 285],
  ["arm64", 47],
]);

const GREETING = "ready";

/** Ranges that share two wake-ups, one of perl and one of this process. */
const SENT_RANGES_MAX = 8;

/**
 * Core Perl without any module but those two, which perl-base has. Only digits and the four words ever reach it.
 *
 * It greets when the call answers as fallocate(2) does without a file: a perl of another width, or a system call filter
 * that refuses or kills, ends it before it has been told of anything. It ends with its input alone, so that a signal
 * that was meant for the daemon's whole group leaves no range without an answer. Modes and requests are of
 * linux/falloc.h and linux/fs.h: 0x02 PUNCH_HOLE and 0x10 ZERO_RANGE, each with 0x01 KEEP_SIZE; BLKDISCARD, BLKZEROOUT.
 */
function scriptFor(fallocateNumber: number): string {
  return `
use strict;
use warnings;
my ($EINTR, $EBADF, $EINVAL) = (4, 9, 22);
my %mode = ('punch' => 0x03, 'zero' => 0x11);
my %request = ('discard' => 0x1277, 'zero-device' => 0x127f);

sub attempt {
  my ($operation, $offset, $length) = @_;
  if (defined $mode{$operation}) {
    return syscall(${fallocateNumber}, ${INHERITED_FD}, $mode{$operation}, $offset + 0, $length + 0) != -1;
  }
  my $range = pack('QQ', $offset, $length);
  return defined ioctl(DEVICE, $request{$operation}, $range);
}

sub answer {
  my ($line) = @_;
  my @words = $line =~ /^([a-z-]+) ([0-9]+) ([0-9]+)$/;
  if (@words != 3 || !defined($mode{$words[0]} // $request{$words[0]})) {
    return "$EINVAL not a range";
  }
  until (attempt(@words)) {
    next if $! == $EINTR;
    return ($! + 0) . " $!";
  }
  return '0';
}

sub say_all {
  my ($text) = @_;
  while (length $text) {
    my $written = syswrite(STDOUT, $text);
    if (defined $written) { substr($text, 0, $written) = '' }
    elsif ($! != $EINTR) { exit 1 }
  }
}

$SIG{$_} = 'IGNORE' for qw(HUP INT TERM);
exit 1 unless length(pack('l!', 0)) == 8 && length(pack('j', 0)) == 8;
open(DEVICE, '<&=', ${INHERITED_FD}) or exit 1;
exit 1 unless syscall(${fallocateNumber}, -1, 0x03, 0, 4096) == -1 && $! == $EBADF;
say_all("${GREETING}\\n");

my $input = '';
while (1) {
  my $count = sysread(STDIN, $input, 65536, length $input);
  if (!defined $count) { next if $! == $EINTR; exit 1 }
  last if $count == 0;
  my $answers = '';
  $answers .= answer($1) . "\\n" while $input =~ s/^([^\\n]*)\\n//;
  say_all($answers);
}
`;
}

const {
  EOPNOTSUPP,
  ENOTTY,
  ENOSYS,
  ENOSPC,
  EDQUOT,
  EPERM,
  EACCES,
  EROFS,
  EINVAL,
  ENODEV,
  ENXIO,
  EBUSY,
  ETXTBSY,
} = constants.errno;

/** The error numbers that make a difference. */
const OUTCOMES: ReadonlyMap<number, RangeOutcome> = new Map<number, RangeOutcome>([
  [0, ""],
  [EOPNOTSUPP, "unsupported"],
  [ENOTTY, "unsupported"],
  [ENOSYS, "unsupported"],
  [ENOSPC, "ENOSPC"],
  [EDQUOT, "ENOSPC"],
  [EPERM, "EPERM"],
  [EACCES, "EPERM"],
  [EROFS, "EROFS"],
  [EINVAL, "EINVAL"],
  [ENODEV, "ENODEV"],
  [ENXIO, "ENODEV"],
  [EBUSY, "EBUSY"],
  [ETXTBSY, "EBUSY"],
]);

/** `answer` is the error number in decimal, and after a blank what it means; 0 alone is success. */
function outcomeOf(answer: string): RangeOutcome {
  return OUTCOMES.get(Number.parseInt(answer, 10)) ?? "EIO";
}

/**
 * Clears ranges by the system calls themselves, which perl can make: no process is started for a range.
 *
 * It uses the inherited descriptor as it is, with the exclusive use of a block device that comes with it: the kernel
 * then drops dirty pages of the range, and does not call the device busy.
 *
 * Null where `architecture`, as in `process.arch`, is not known here.
 */
export function rangePerl(architecture: string): RangeProgram | null {
  const fallocateNumber = FALLOCATE_NUMBERS.get(architecture);
  if (fallocateNumber === undefined) return null;
  return {
    name: "perl",
    command: "perl",
    args: ["-e", scriptFor(fallocateNumber)],
    greeting: GREETING,
    sentRangesMax: SENT_RANGES_MAX,
    outcomeOf,
  };
}
