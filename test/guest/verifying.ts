import type { ThinLab } from "./thin-lab.ts";

/** So small that a round takes some seconds in a guest without hardware's help. */
const FILE_MIB = 8;
const ROUND_MIB = 4;
/** How much is written and read back to show that it goes on. */
const PROGRESS_MIB = 1;

const SECTORS_PER_MIB = 2048;

/** What every verification does: past the guest's cache, so that what is checked is what the disk has. */
const VERIFIED =
  "--direct=1 --ioengine=libaio --iodepth=8 --verify=crc32c --verify_fatal=1 --do_verify=1";

/** How much of a disk has been read and written since the guest has it, in sectors. */
interface Moved {
  readonly read: number;
  readonly written: number;
}

/** fio in the guest, round after round: it writes to a file all over, and reads everything back, some of it at once. */
export class Verifying {
  readonly #lab: ThinLab;
  readonly #disk: string;

  private constructor(lab: ThinLab, disk: string) {
    this.#lab = lab;
    this.#disk = disk;
  }

  /** Begins with a file of the file system that the disk has. */
  static async start(lab: ThinLab, disk: string, file: string): Promise<Verifying> {
    await lab.guest.run(`
      rm -f /tmp/stop /tmp/finished /tmp/failed
      (
        for ((round = 1; ; round++)); do
          [ ! -e /tmp/stop ] || { touch /tmp/finished; break; }
          fio --name=rounds --filename=${file} --size=${FILE_MIB}M --io_size=${ROUND_MIB}M --rw=randwrite \\
            --bsrange=4k-64k --blockalign=4k --fsync=32 --verify_backlog=16 --randseed=$round ${VERIFIED} \\
            || { touch /tmp/failed; break; }
        done
      ) > /tmp/fio.log 2>&1 &`);
    return new Verifying(lab, disk);
  }

  /** Waits until more was written, and as much read back. */
  async goesOn(): Promise<void> {
    const sectors = PROGRESS_MIB * SECTORS_PER_MIB;
    const before = await this.#moved();
    await this.#lab.until(
      () => this.#moved(),
      ({ read, written }) => read - before.read >= sectors && written - before.written >= sectors,
    );
  }

  /** Writes another file, and compares. */
  async verifyOnce(file: string, sizeMib: number): Promise<void> {
    await this.#lab.guest.run(
      `fio --name=once --filename=${file} --size=${sizeMib}M --rw=write --bs=256k --end_fsync=1 ${VERIFIED}`,
    );
  }

  /** Ends with the round under way. Throws where anything was not what had been written, or could not be read or written. */
  async stop(): Promise<void> {
    await this.#lab.guest.run(`
      touch /tmp/stop
      until [ -e /tmp/finished -o -e /tmp/failed ]; do sleep 0.2; done
      [ -e /tmp/finished ] || { cat /tmp/fio.log; exit 1; }
      ! grep -E 'err= *[1-9]|verify: |error' /tmp/fio.log`);
  }

  /** Also fails as soon as fio has. */
  async #moved(): Promise<Moved> {
    const said = await this.#lab.guest.run(`
      [ ! -e /tmp/failed ] || { cat /tmp/fio.log; exit 1; }
      awk '{ print $3, $7 }' /sys/block/$(basename ${this.#disk})/stat`);
    const [read = 0, written = 0] = said.trim().split(" ").map(Number);
    return { read, written };
  }
}
