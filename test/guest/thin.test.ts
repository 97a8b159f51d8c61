import { statSync, truncateSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from "vitest";
import type { ReplyOf } from "../../src/control/protocol.ts";
import { type PoolName, ThinLab, type VolumeName } from "./thin-lab.ts";
import { Verifying } from "./verifying.ts";

const accelerator = inject("accelerator");

const MIB = 1024 * 1024;
const EXTENT_BYTES = 65536;
/** What makes file systems leave nothing to be written later. */
const EVERYTHING = "-E lazy_itable_init=0,lazy_journal_init=0";
const FORGET = "echo 3 > /proc/sys/vm/drop_caches";
const IO_ERRORS = /I\/O error|critical .* error|EXT4-fs error|Aborting journal|writeback error/;

/**
 * Writes 300 KiB files one after the other, until /tmp/stop appears or one cannot be written. A file counts as promised, and
 * gets into the list with its checksum, when fsync has returned.
 */
const WRITER = `
  rm -f /tmp/stop /tmp/finished
  : > /tmp/promised
  (
    n=0
    while [ ! -e /tmp/stop ]; do
      n=$((n + 1))
      head -c 300K /dev/urandom > /tmp/content
      dd if=/tmp/content of=/mnt/file$n bs=64k conv=fsync status=none || break
      echo "$(sha256sum < /tmp/content | cut -d' ' -f1)  file$n" >> /tmp/promised
    done
    touch /tmp/finished
  ) > /tmp/writer.log 2>&1 &`;

/**
 * Counts in a file, and makes each number a promise by fsync, until /tmp/stop appears; /tmp/promised has the newest. Meanwhile blocks
 * of another file are overwritten at random, many at a time.
 */
const LOAD = `
  rm -f /tmp/stop /tmp/finished
  echo 0 > /tmp/promised
  fio --name=load --filename=/mnt/load --size=16M --rw=randwrite --bs=4k --direct=1 --ioengine=libaio --iodepth=8 \\
    --time_based --runtime=600 > /tmp/fio.log 2>&1 &
  (
    n=0
    while [ ! -e /tmp/stop ]; do
      n=$((n + 1))
      printf '%08d\\n' $n | dd of=/mnt/counter conv=notrunc,fsync status=none
      echo $n > /tmp/promised
    done
    touch /tmp/finished
  ) > /tmp/writer.log 2>&1 &`;

/** Afterwards nobody has the file system open: also fio takes its time to go. */
const END_OF_LOAD = `
  touch /tmp/stop
  pkill -x fio || true
  for attempt in {1..240}; do [ -e /tmp/finished ] && ! pgrep -x fio > /tmp/left && break; sleep 0.5; done
  [ -e /tmp/finished ]
  if [ -s /tmp/left ]; then
    echo "fio does not end:"; ps -o pid,ppid,stat,wchan:30,args -C fio; cat /tmp/fio.log; dmesg | tail -20
    exit 1
  fi`;

describe.skipIf(accelerator === "none")("the kernel's initiator uses thin volumes:", () => {
  let lab: ThinLab;

  beforeAll(async () => {
    lab = await ThinLab.start(accelerator === "kvm" ? "kvm" : "tcg");
  });

  afterAll(async () => {
    await lab?.dispose();
  });

  /** A number that the guest says. */
  async function numberOf(script: string): Promise<number> {
    return Number(await lab.guest.run(script));
  }

  describe("space", () => {
    let disk: string;

    beforeAll(async () => {
      disk = await lab.disk("space");
    });

    afterAll(async () => {
      await lab.guest.attempt("umount /mnt");
    });

    it("is thin provisioned to it, with extents of 64 KiB", async () => {
      const pages = await lab.guest.run(`sg_vpd -p lbpv ${disk}; sg_vpd -p bl ${disk}`);
      expect(pages).toMatch(/Provisioning type: 2 \(thin provisioned\)/);
      expect(pages).toMatch(/Logical block provisioning read zeros \(LBPRZ\): 1/);
      expect(pages).toMatch(/Optimal unmap granularity: 128 blocks/);
      const said = await lab.guest.run(`
        lsblk -D -b -n -d -o DISC-GRAN ${disk}
        cat /sys/block/$(basename ${disk})/queue/discard_granularity`);
      expect(said.trim().split(/\s+/)).toEqual([`${EXTENT_BYTES}`, `${EXTENT_BYTES}`]);
    });

    it("is mapped where something was written, and nowhere else", async () => {
      const status = async (): Promise<string[]> => {
        const said = await lab.guest.run(`sg_get_lba_status -b --maxlen=4096 ${disk}`);
        return said.split("\n").filter((line) => line.startsWith("0x"));
      };
      expect(await status()).toEqual(["0x0000000000000000  0x80000  1  0"]);
      // Two whole extents, of which the first goes away again, and a block in another one.
      await lab.guest.run(`
        dd if=/dev/urandom of=${disk} bs=64k seek=16 count=2 oflag=direct status=none
        dd if=/dev/urandom of=${disk} bs=4k seek=513 count=1 oflag=direct status=none
        blkdiscard -o 1M -l 64K ${disk}`);
      expect(await status()).toEqual([
        "0x0000000000000000  0x880  1  0",
        "0x0000000000000880  0x80  0  0",
        "0x0000000000000900  0x700  1  0",
        "0x0000000000001000  0x80  0  0",
        "0x0000000000001080  0x7ef80  1  0",
      ]);
    });

    it("comes back to the pool, and to the file below it, when a file system is trimmed", async () => {
      const fileBytes = (): number => statSync(lab.image("main")).blocks * 512;
      await lab.guest.run(`
        mkfs.ext4 -q -F ${EVERYTHING} ${disk}
        mount ${disk} /mnt
        echo kept > /mnt/kept
        sync`);
      const before = await lab.space("main");
      await lab.guest.run("head -c 32M /dev/urandom > /mnt/large; sync");
      const filled = await lab.space("main");
      const filledFileBytes = fileBytes();
      expect(before.freeBytes - filled.freeBytes).toBeGreaterThanOrEqual(32 * MIB);
      await lab.guest.run(
        `rm /mnt/large; sync; fstrim /mnt; ${FORGET}; [ "$(cat /mnt/kept)" = kept ]`,
      );
      const isBack = (now: number): boolean => now - filled.freeBytes >= 31 * MIB;
      await lab.until(async () => (await lab.space("main")).freeBytes, isBack);
      await lab.until(fileBytes, (now) => filledFileBytes - now >= 31 * MIB);
    });
  });

  describe("growth", () => {
    /** What comes to the log when the initiator has lost sight of the disk, or the target of it. */
    const LOSSES = /conn error|session recovery|rejecting I\/O|[Dd]evice reset|abort/;

    const fileSystems = [
      {
        name: "ext4",
        make: "mkfs.ext4 -q -F -b 4096",
        fromMib: 256,
        toMib: 384,
        grow: "resize2fs",
        check: "e2fsck -fn",
      },
      // Does not take less.
      {
        name: "XFS",
        make: "mkfs.xfs -q -f",
        fromMib: 384,
        toMib: 512,
        grow: "xfs_growfs -d",
        check: "xfs_repair -n",
      },
    ];

    // Nobody is to be disconnected: also not for being slow.
    beforeAll(() => lab.loginAnew({ isPatient: true }));

    afterEach(async () => {
      await lab.guest.attempt(`
        touch /tmp/stop
        pkill -x fio || true
        for attempt in {1..60}; do mountpoint -q /mnt || break; umount /mnt || sleep 1; done`);
    });

    afterAll(() => lab.loginAnew({ isPatient: false }));

    /** Who is logged in, as both sides see it. */
    async function sessions(): Promise<unknown> {
      const ids = await lab.guest.run("iscsiadm -m session -P 1 | grep -E 'Target:|SID:'");
      const report = await lab.daemon.command("session", "list", "--json");
      const listed = JSON.parse(report) as ReplyOf<"session/list">;
      expect(listed).not.toEqual([]);
      // With the port that the initiator has taken: another connection has another one.
      return { ids, listed: listed.map(({ tsih, isid, address }) => ({ tsih, isid, address })) };
    }

    it.each(fileSystems)(
      "reaches $name while it is mounted and fio verifies, and disturbs nobody",
      async ({ make, fromMib, toMib, grow, check }) => {
        const disk = await lab.disk("space");
        await lab.guest.run(`
          [ "$(blockdev --getsize64 ${disk})" = ${fromMib * MIB} ]
          ${make} ${disk}
          mount ${disk} /mnt
          echo kept > /mnt/kept
          dmesg --clear`);
        const sizeMib = "df --output=size -B1M /mnt | tail -1";
        const hadMib = await numberOf(sizeMib);
        const before = await sessions();
        const verifying = await Verifying.start(lab, disk, "/mnt/verified");
        await verifying.goesOn();
        await lab.daemon.command("volume", "resize", "main/space", `${toMib}MiB`);
        // Whatever fio sends next gets the news, 2A/09, and is sent again.
        await lab.until(
          () => lab.guest.run("dmesg"),
          (said) => said.includes("Capacity data has changed"),
        );
        await verifying.goesOn();
        await lab.guest.run(`
          iscsiadm -m session --rescan > /dev/null
          [ "$(blockdev --getsize64 ${disk})" = ${toMib * MIB} ]`);
        await verifying.goesOn();
        await lab.guest.run(`${grow} ${grow.startsWith("xfs") ? "/mnt" : disk}`);
        expect(await numberOf(sizeMib)).toBeGreaterThan(hadMib + 100);
        await verifying.goesOn();
        // With this, more is in use than there was before.
        await lab.guest.run(`fallocate -l ${fromMib - 8}M /mnt/ballast`);
        await verifying.verifyOnce("/mnt/beyond", 16);
        await verifying.stop();
        expect(await sessions()).toEqual(before);
        const said = await lab.guest.run("dmesg");
        expect(said).not.toMatch(IO_ERRORS);
        expect(said).not.toMatch(LOSSES);
        await lab.guest.run(`
          [ "$(cat /mnt/kept)" = kept ]
          umount /mnt
          ${check} ${disk}`);
      },
    );
  });

  describe("snapshots", () => {
    let disk: string;
    let snapshot: string;
    let clone: string;
    /** The numbers that were promised before and after the snapshot was taken. */
    let promised: readonly [before: number, after: number];

    beforeAll(async () => {
      disk = await lab.disk("disk");
      await lab.guest.run(`
        mkdir -p /view /clone
        mkfs.ext4 -q -F ${EVERYTHING} ${disk}
        mount ${disk} /mnt
        for i in {1..6}; do head -c 2M /dev/urandom > /mnt/file$i; done
        (cd /mnt && sha256sum file*) > /tmp/sums
        echo 00000000 > /mnt/counter
        fallocate -l 16M /mnt/load
        # Mounted without its journal, the snapshot is to have them in their places.
        umount /mnt
        mount ${disk} /mnt`);
    });

    afterAll(async () => {
      await lab.guest.attempt(
        "pkill -x fio; touch /tmp/stop; umount /view; umount /clone; umount /mnt",
      );
    });

    /** The files of the beginning are there, as they were. */
    async function compare(folder: string): Promise<void> {
      await lab.guest.run(`${FORGET}; cd ${folder}; sha256sum --quiet -c /tmp/sums`);
    }

    it("are taken of a file system under load, which does not notice", async () => {
      await lab.guest.run(`
        ${LOAD}
        for attempt in {1..240}; do [ "$(cat /tmp/promised)" -ge 5 ] && break; sleep 0.5; done`);
      const before = await numberOf("cat /tmp/promised");
      await lab.daemon.command("snapshot", "create", "main/disk", "--name", "monday");
      const after = await numberOf("cat /tmp/promised");
      promised = [before, after];
      await lab.until(
        () => numberOf("cat /tmp/promised"),
        (now) => now >= after + 5,
      );
      await lab.guest.run(`pgrep -x fio; ${END_OF_LOAD}; [ ! -s /tmp/writer.log ]`);
      expect(await lab.guest.run("dmesg")).not.toMatch(IO_ERRORS);
    });

    it("are served read-only to another session, and cloned", async () => {
      await lab.daemon.command("snapshot", "clone", "main/monday", "copy");
      [snapshot = "", clone = ""] = await lab.view("monday", "copy");
      const said = await lab.guest.run(`blockdev --getro ${disk} ${clone} ${snapshot}`);
      expect(said.trim().split("\n")).toEqual(["0", "0", "1"]);
      await lab.guest.run(
        `mount -o ro,noload ${snapshot} /view; ! touch /view/new; mount ${clone} /clone`,
      );
      await compare("/view");
      await compare("/clone");
    });

    it("hold what was promised before them", async () => {
      const counted = Number(await lab.guest.run("cat /clone/counter"));
      expect(counted).toBeGreaterThanOrEqual(promised[0]);
      // One more may have been written when the newest promise was read.
      expect(counted).toBeLessThanOrEqual(promised[1] + 1);
      expect(await numberOf("cat /mnt/counter")).toBeGreaterThan(counted);
    });

    it("keep the old content while the origin and the clone change, each for itself", async () => {
      await lab.guest.run(`
        cd /mnt
        rm file1
        head -c 2M /dev/urandom > file2
        dd if=/dev/urandom of=file3 bs=4k seek=7 count=9 conv=notrunc status=none
        mv file4 moved
        sync
        cd /clone
        echo changed > file5
        rm file6
        sync`);
      await compare("/view");
      await lab.guest.run(`
        (cd /mnt && grep -E 'file[56]' /tmp/sums | sha256sum --quiet -c -)
        (cd /clone && grep -E 'file[1-4]' /tmp/sums | sha256sum --quiet -c -)
        ! (cd /mnt && grep file3 /tmp/sums | sha256sum --status -c -)
        [ ! -e /mnt/file1 ]
        [ "$(cat /clone/file5)" = changed ]
        umount /clone
        e2fsck -fn ${clone}`);
    });

    it("become the origin again while it is logged in, which is told", async () => {
      await lab.guest.run("umount /mnt; udevadm settle");
      await lab.daemon.command("snapshot", "rollback", "main/disk", "monday", "--yes");
      const told = await lab.guest.attempt(`sg_turs -v ${disk}`);
      expect(told.output).toMatch(/medium may have changed/);
      await lab.guest.run(`sg_turs ${disk}; mount ${disk} /mnt`);
      await compare("/mnt");
      await lab.guest.run(`
        [ "$(cat /mnt/counter)" = "$(cat /view/counter)" ]
        umount /mnt
        e2fsck -fn ${disk}`);
    });

    it("give their space back when they are deleted", async () => {
      await lab.guest.run(`
        mount ${disk} /mnt
        for i in {1..6}; do dd if=/dev/urandom of=/mnt/file$i bs=1M count=2 conv=notrunc status=none; done
        sync
        umount /view`);
      await lab.leaveView();
      const { freeBytes } = await lab.space("main");
      await lab.daemon.command("volume", "delete", "main/copy", "--yes");
      await lab.daemon.command("snapshot", "delete", "main/monday", "--yes");
      const isBack = (now: number): boolean => now - freeBytes >= 12 * MIB;
      await lab.until(async () => (await lab.space("main")).freeBytes, isBack);
      expect((await lab.space("main")).sharedBytes).toBe(0);
      await lab.guest.run(`umount /mnt; e2fsck -fn ${disk}`);
    });
  });

  describe("a pool that is full to the brim", () => {
    let disk: string;

    afterAll(async () => {
      await lab.guest.attempt("touch /tmp/stop; umount /mnt");
    });

    /** Makes and mounts a file system in a pool, and lets somebody write until the pool is full. */
    async function fill(volume: VolumeName & PoolName, makeFileSystem: string): Promise<void> {
      disk = await lab.disk(volume);
      const from = lab.daemon.log.length;
      await lab.guest.run(`
        dmesg --clear
        ${makeFileSystem} ${disk}
        mount ${disk} /mnt`);
      const { usableBytes } = await lab.space(volume);
      await lab.guest.run(`
        head -c ${usableBytes - 4 * MIB} /dev/urandom > /mnt/ballast
        sync
        (cd /mnt && sha256sum ballast) > /tmp/sums
        ${WRITER}`);
      await lab.until(
        () => lab.hasLogged(from, "the pool is full"),
        (isFull) => isFull,
      );
    }

    /** Everything that was promised is there, and the file system is whole, also after it was mounted anew. */
    async function compare(check: string): Promise<void> {
      await lab.guest.run(`
        umount /mnt
        mount ${disk} /mnt
        (cd /mnt && sha256sum --quiet -c /tmp/promised && sha256sum --quiet -c /tmp/sums)
        umount /mnt
        ${check} ${disk}`);
    }

    it("has ext4 wait for space, and go on when its image has grown", async () => {
      await fill("patient", "mkfs.ext4 -q -F");
      const stuckAt = await numberOf("wc -l < /tmp/promised");
      const from = lab.daemon.log.length;
      await lab.until(
        () => lab.hasLogged(from, "the pool is full for now: try again"),
        (isRefused) => isRefused,
      );
      await sleep(3000);
      expect(await numberOf("wc -l < /tmp/promised")).toBeLessThanOrEqual(stuckAt + 1);
      truncateSync(lab.image("patient"), 128 * MIB);
      lab.daemon.signal("SIGHUP");
      await lab.until(
        () => numberOf("wc -l < /tmp/promised"),
        (now) => now >= stuckAt + 5,
      );
      await lab.guest.run(`${END_OF_LOAD}; [ ! -s /tmp/writer.log ]`);
      expect(await lab.guest.run("dmesg")).not.toMatch(IO_ERRORS);
      await compare("e2fsck -fn");
    });

    it("tells XFS that there is no space, and takes its writes when a device was added", async () => {
      await fill("brief", "mkfs.xfs -q -f");
      await lab.guest.run(`
        for attempt in {1..240}; do [ -e /tmp/finished ] && break; sleep 0.5; done
        [ -e /tmp/finished ]`);
      expect(await lab.guest.run("cat /tmp/writer.log")).toMatch(/No space left on device/);
      const said = await lab.guest.run("dmesg");
      expect(said).toMatch(/reached a thin provisioning soft threshold/);
      expect(said).toMatch(/Space allocation failed write protect/);
      await lab.extendByImage("brief", "64MiB");
      await compare("xfs_repair -n");
      await lab.guest.run(`
        mount ${disk} /mnt
        head -c 16M /dev/urandom > /tmp/content
        dd if=/tmp/content of=/mnt/more bs=1M conv=fsync status=none
        (cd /tmp && sha256sum content | sed s/content/more/) >> /tmp/promised`);
      await compare("xfs_repair -n");
    });
  });

  describe("the death of the daemon", () => {
    it("three times under fio, with snapshots taken, loses nothing", async () => {
      const disk = await lab.disk("space");
      const name = disk.replace("/dev/", "");
      /** Sectors that the kernel has written to the disk. */
      const written = (): Promise<number> => numberOf(`awk '{ print $7 }' /sys/block/${name}/stat`);
      await lab.guest.run(`
        rm -f /tmp/stop /tmp/finished /tmp/failed
        (
          for ((round = 1; ; round++)); do
            [ ! -e /tmp/stop ] || { touch /tmp/finished; break; }
            fio --name=verify --filename=${disk} --direct=1 --ioengine=libaio --iodepth=16 --rw=randwrite \\
              --bsrange=4k-128k --blockalign=4k --size=96M --io_size=32M --fsync=32 \\
              --verify=crc32c --verify_fatal=1 --do_verify=1 --randseed=$round || { touch /tmp/failed; break; }
          done
        ) > /tmp/fio.log 2>&1 &`);
      for (let kill = 1; kill <= 3; kill++) {
        const aim = (await written()) + (8 * MIB) / 512;
        await lab.until(written, (now) => now >= aim);
        await lab.daemon.command("snapshot", "create", "main/space", "--name", `kill${kill}`);
        await lab.until(written, (now) => now > aim + (2 * MIB) / 512);
        await lab.daemon.kill();
        await lab.daemon.restart();
      }
      await lab.guest.run(`
        touch /tmp/stop
        until [ -e /tmp/finished -o -e /tmp/failed ]; do sleep 0.5; done
        [ -e /tmp/finished ] || { cat /tmp/fio.log; exit 1; }`);
      expect(await lab.guest.run("cat /tmp/fio.log")).toMatch(/err= 0/);
    });
  });

  it("every pool is sound in the end", async () => {
    const pools = ["main", "patient", "brief"] as const;
    for (const pool of pools) await lab.daemon.command("pool", "check", pool);
    expect(await lab.daemon.stop()).toBe(0);
    for (const pool of pools) {
      const devices = lab.devices(pool).flatMap((path) => ["--device", path]);
      await lab.daemon.command("pool", "check", ...devices);
    }
  });
});
