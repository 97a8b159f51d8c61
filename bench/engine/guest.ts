import { Guest } from "../../test/guest/machine/guest.ts";
import { comparisonRow, type Measured, type Report } from "./report.ts";

/**
 * dm-thin beside dm-linear, both of the same kernel on the same memory disk, in an emulated guest. The processor is emulated and makes
 * both slow: only the ratio says something, and that not much.
 */

const ROUNDS = 3;
const DISK_MIB = 192;
/** Half of the disk: the other half is for what the snapshot makes new. */
const EXTENTS = 1536;
const DEPTH = 32;

/**
 * One loop device each for data and metadata on tmpfs; 64 KiB blocks. fio writes 4 KiB with O_DIRECT into each extent once. Of what it says
 * tersely, field 49 is the writes a second.
 */
const SCRIPT = `
modprobe -a loop dm_thin_pool
cd /tmp
truncate -s ${DISK_MIB}M data linear; truncate -s 16M meta
# The backing pages are there from the beginning.
dd if=/dev/zero of=data bs=1M count=${DISK_MIB} conv=notrunc status=none
dd if=/dev/zero of=linear bs=1M count=${DISK_MIB} conv=notrunc status=none
D=$(losetup -f --show data); L=$(losetup -f --show linear); M=$(losetup -f --show meta)
sectors=$((${DISK_MIB} * 2048)); half=$((sectors / 2))
dmsetup create raw --table "0 $half linear $L 0"
dmsetup create pool --table "0 $sectors thin-pool $M $D 128 0 1 skip_block_zeroing"
work() {
  fio --name=work --filename=$1 --rw=write:60k --bs=4k --size=${EXTENTS * 64}k --number_ios=${EXTENTS} --direct=1 \\
    --ioengine=libaio --iodepth=${DEPTH} --output-format=terse --terse-version=3 > /tmp/terse
  echo "$2 $(cut -d';' -f49 /tmp/terse)"
}
for ((round = 0; round < ${ROUNDS}; round++)); do
  dmsetup message pool 0 "create_thin $round"
  dmsetup create thin --table "0 $half thin /dev/mapper/pool $round"
  work /dev/mapper/raw raw
  work /dev/mapper/thin first
  work /dev/mapper/raw raw
  work /dev/mapper/thin again
  dmsetup suspend thin
  dmsetup message pool 0 "create_snap 10$round $round"
  dmsetup resume thin
  work /dev/mapper/raw raw
  work /dev/mapper/thin snapshot
  udevadm settle
  dmsetup remove --retry thin
  dmsetup message pool 0 "delete 10$round"
  dmsetup message pool 0 "delete $round"
done
dmsetup remove_all
`;

export async function benchGuest(report: Report): Promise<void> {
  report.heading(
    `dm-thin beside dm-linear in a Linux guest, EMULATED: only ratios, 4 KiB in each 64 KiB, QD ${DEPTH}`,
  );
  const guest = await Guest.boot("tcg");
  let output: string;
  try {
    output = await guest.run(SCRIPT);
  } finally {
    await guest.powerOff();
  }
  const series: Record<string, Measured[]> = {};
  for (const line of output.trim().split("\n")) {
    const [name = "", commandsPerSecond] = line.split(" ");
    (series[name] ??= []).push({ commandsPerSecond: Number(commandsPerSecond) });
  }
  const raw = series["raw"] ?? [];
  const names = [
    ["first", "first write into a hole"],
    ["again", "allocated"],
    ["snapshot", "first write after a snapshot"],
  ] as const;
  for (const [place, [key, name]] of names.entries()) {
    report.add(
      comparisonRow({
        group: "dm-thin",
        name,
        ours: series[key] ?? [],
        theirs: raw.filter((_, index) => index % names.length === place),
        oursName: "dm-thin",
        theirsName: "linear",
      }),
    );
  }
}
