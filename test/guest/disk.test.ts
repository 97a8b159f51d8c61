import { statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { Daemon } from "../support/daemon.ts";
import { Guest } from "./machine/guest.ts";
import { DIGESTS, HOST_SEEN_BY_GUEST, OpenIscsi } from "./machine/open-iscsi.ts";

const accelerator = inject("accelerator");

const EXT4 = "iqn.2026-11.net.example:ext4";
const XFS = "iqn.2026-11.net.example:xfs";
const LUN = 0;
const MIB = 1024 * 1024;
/** XFS does not take less. */
const DISK_BYTES = 384 * MIB;
const GROWN_BYTES = 512 * MIB;

describe.skipIf(accelerator === "none")("the kernel's initiator uses a disk", () => {
  let guest: Guest;
  let daemon: Daemon;
  let initiator: OpenIscsi;
  const fileOf = (name: string): string => join(daemon.folder, `${name}.img`);

  beforeAll(async () => {
    daemon = await Daemon.start((folder) => {
      const path = join(folder, "ext4.img");
      writeFileSync(path, "");
      truncateSync(path, DISK_BYTES);
      // One disk of each kind: a file as it is, and a thin volume.
      const image = join(folder, "pool.img");
      return {
        pools: { pool: { devices: [image], create: { size: "512MiB" } } },
        volumes: {
          ext4: { driver: "raw", path },
          xfs: { driver: "thin", pool: "pool", size: DISK_BYTES, create: true },
        },
        targets: [
          { name: EXT4, luns: [{ lun: LUN, volume: "ext4" }] },
          { name: XFS, luns: [{ lun: LUN, volume: "xfs", blockSize: 4096 }] },
        ],
      };
    }, HOST_SEEN_BY_GUEST);
    guest = await Guest.boot(accelerator === "kvm" ? "kvm" : "tcg");
    initiator = new OpenIscsi(guest, daemon.port);
  });

  afterAll(async () => {
    await guest?.powerOff();
    await daemon?.dispose();
  });

  /** Makes a file system, fills it, forgets what is cached, and compares. */
  async function fillAndCompare(makeFileSystem: string, disk: string): Promise<void> {
    await guest.run(`
      ${makeFileSystem} ${disk}
      mount ${disk} /mnt
      for i in {1..8}; do head -c 2M /dev/urandom > /mnt/file$i; done
      (cd /mnt && sha256sum file*) > /tmp/sums
      sync
      echo 3 > /proc/sys/vm/drop_caches
      (cd /mnt && sha256sum --quiet -c /tmp/sums)
      umount /mnt
      mount ${disk} /mnt
      (cd /mnt && sha256sum --quiet -c /tmp/sums)
      umount /mnt`);
  }

  describe("with ext4", () => {
    let disk: string;

    beforeAll(async () => {
      disk = await initiator.login(EXT4, {}, LUN);
    });

    afterAll(async () => {
      await guest.attempt("umount /mnt");
      await initiator.logout(EXT4);
    });

    it("finds again what it wrote", async () => {
      // Nothing is left to be written later: the next test counts what the file takes.
      const everything = "-E lazy_itable_init=0,lazy_journal_init=0";
      await fillAndCompare(`mkfs.ext4 -q -F ${everything}`, disk);
      await guest.run(`e2fsck -fn ${disk}`);
    });

    it("gives the space of deleted files back to the host's file", async () => {
      await guest.run(`
        mount ${disk} /mnt
        head -c 64M /dev/urandom > /mnt/large
        sync`);
      const allocatedBefore = statSync(fileOf("ext4")).blocks * 512;
      const said = await guest.run("rm /mnt/large; sync; fstrim -v /mnt; umount /mnt");
      const allocatedAfter = statSync(fileOf("ext4")).blocks * 512;
      expect(allocatedBefore - allocatedAfter, said).toBeGreaterThan(60 * MIB);
    });

    it("sees that the disk has grown after a rescan, and grows the mounted file system", async () => {
      await guest.run(`mount ${disk} /mnt`);
      truncateSync(fileOf("ext4"), GROWN_BYTES);
      daemon.signal("SIGHUP");
      const size = await guest.run(`
        for attempt in {1..60}; do
          iscsiadm -m session --rescan > /dev/null
          [ "$(blockdev --getsize64 ${disk})" != ${DISK_BYTES} ] && break
          sleep 1
        done
        blockdev --getsize64 ${disk}`);
      expect(size).toBe(`${GROWN_BYTES}\n`);
      await guest.run(`
        resize2fs ${disk}
        [ "$(df --output=size -B1M /mnt | tail -1)" -gt 420 ]
        (cd /mnt && sha256sum --quiet -c /tmp/sums)
        umount /mnt
        e2fsck -fn ${disk}`);
    });
  });

  describe("with XFS on a thin volume, blocks of 4096 bytes, and digests over headers and data", () => {
    let disk: string;

    beforeAll(async () => {
      disk = await initiator.login(XFS, DIGESTS, LUN);
    });

    afterAll(async () => {
      await guest.attempt("umount /mnt");
      await initiator.logout(XFS);
    });

    it("has negotiated the digests", async () => {
      const detail = await initiator.sessions(3);
      expect(detail).toMatch(/HeaderDigest: CRC32C/);
      expect(detail).toMatch(/DataDigest: CRC32C/);
      expect(await guest.run(`blockdev --getss ${disk}`)).toBe("4096\n");
    });

    it("finds again what it wrote", async () => {
      await fillAndCompare("mkfs.xfs -q -f", disk);
      await guest.run(`xfs_repair -n ${disk}`);
    });

    it("passes fio's verification, with writes in random order and of mixed sizes", async () => {
      const output = await guest.run(`
        fio --name=verify --filename=${disk} --direct=1 --ioengine=libaio --iodepth=16 --rw=randwrite \\
          --bsrange=4k-256k --blockalign=4k --size=24M --verify=crc32c --verify_fatal=1 --do_verify=1 --randseed=7`);
      expect(output).toMatch(/err= 0/);
    });
  });
});
