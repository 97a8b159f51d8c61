import type { Guest } from "./machine/guest.ts";

/** Writes one file after the other into /mnt. Ends when /tmp/stop appears. */
const WRITER = `
  rm -f /tmp/promised /tmp/stop /tmp/finished
  touch /tmp/promised
  (
    n=0
    while [ ! -e /tmp/stop ]; do
      n=$((n + 1))
      head -c $(((n % 7 + 1) * 16384)) /dev/urandom > /tmp/content
      dd if=/tmp/content of=/mnt/file$n bs=64k conv=fsync status=none || exit 1
      echo "$(sha256sum < /tmp/content | cut -d' ' -f1)  file$n" >> /tmp/promised
    done
    touch /tmp/finished
  ) > /tmp/writer.log 2>&1 &`;

/**
 * Files that a guest writes into the file system at /mnt. One counts as promised, and gets into the list with its checksum, when
 * fsync has returned.
 */
export class Promises {
  readonly #guest: Guest;

  private constructor(guest: Guest) {
    this.#guest = guest;
  }

  /** Begins to write, which goes on between the scripts of the guest. */
  static async begin(guest: Guest): Promise<Promises> {
    await guest.run(WRITER);
    return new Promises(guest);
  }

  async count(): Promise<number> {
    return Number(await this.#guest.run("wc -l < /tmp/promised"));
  }

  /** Waits until the writer has made this many promises more. */
  async progress(files: number): Promise<void> {
    const aim = (await this.count()) + files;
    await this.#guest.run(`
      for attempt in {1..480}; do
        [ "$(wc -l < /tmp/promised)" -ge ${aim} ] && exit 0
        sleep 0.5
      done
      echo "no progress"; cat /tmp/writer.log; iscsiadm -m session -P 1; dmesg | tail -20; exit 1`);
  }

  /** Ends the writer, and holds the file system of `disk` and all files that were promised to what they should be. */
  async kept(disk: string): Promise<void> {
    await this.#guest.run(`
      touch /tmp/stop
      for attempt in {1..240}; do [ -e /tmp/finished ] && break; sleep 0.5; done
      [ -e /tmp/finished ]
      umount /mnt
      e2fsck -fn ${disk}
      mount ${disk} /mnt
      (cd /mnt && sha256sum --quiet -c /tmp/promised)`);
  }
}
