import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { Daemon } from "../support/daemon.ts";
import { Guest } from "./machine/guest.ts";
import { HOST_SEEN_BY_GUEST, OpenIscsi } from "./machine/open-iscsi.ts";
import { Promises } from "./promises.ts";

const accelerator = inject("accelerator");

const TARGET = "iqn.2026-11.net.example:disk";
const LUN = 0;

/** Short enough that a daemon that is stopped is noticed soon. */
const EAGER_PINGS = {
  "node.conn[0].timeo.noop_out_interval": "2",
  "node.conn[0].timeo.noop_out_timeout": "4",
};

describe.skipIf(accelerator === "none")("the kernel's initiator gets over", () => {
  let guest: Guest;
  let daemon: Daemon;
  let initiator: OpenIscsi;
  let disk: string;

  beforeAll(async () => {
    daemon = await Daemon.start(
      (folder) => ({
        volumes: {
          disk: { driver: "raw", path: join(folder, "disk.img"), size: "256MiB", create: true },
        },
        targets: [{ name: TARGET, luns: [{ lun: LUN, volume: "disk" }] }],
      }),
      HOST_SEEN_BY_GUEST,
    );
    guest = await Guest.boot(accelerator === "kvm" ? "kvm" : "tcg");
    initiator = new OpenIscsi(guest, daemon.port);
    disk = await initiator.login(TARGET, EAGER_PINGS, LUN);
    await guest.run(`mkfs.ext4 -q -F ${disk}; mount ${disk} /mnt`);
  });

  afterAll(async () => {
    await guest?.powerOff();
    await daemon?.dispose();
  });

  it("a daemon that is killed under load, three times: every file that was promised is whole", async () => {
    const promises = await Promises.begin(guest);
    for (let kill = 0; kill < 3; kill++) {
      await promises.progress(5);
      await daemon.kill();
      await sleep(2000);
      await daemon.restart();
    }
    await promises.progress(5);
    await promises.kept(disk);
    expect(await promises.count()).toBeGreaterThanOrEqual(20);
    expect(await initiator.sessions(1)).toMatch(/iSCSI Session State: LOGGED_IN/);
    expect(await guest.run("dmesg")).not.toMatch(/I\/O error|EXT4-fs error|Aborting journal/);
  });

  it("a daemon that is killed with promises made and is not there for a while", async () => {
    await guest.run(`
      head -c 1M /dev/urandom > /tmp/content
      dd if=/tmp/content of=/mnt/last bs=1M conv=fsync status=none`);
    await daemon.kill();
    // The guest's cache is dropped while there is nobody to read from, so that the comparison waits for the target.
    await guest.run(
      "echo 3 > /proc/sys/vm/drop_caches; (cmp /tmp/content /mnt/last && touch /tmp/equal) &> /dev/null &",
    );
    await sleep(3000);
    await daemon.restart();
    await guest.run(
      "for attempt in {1..240}; do [ -e /tmp/equal ] && exit 0; sleep 0.5; done; exit 1",
    );
  });

  it("a daemon that answers no ping for longer than the initiator waits", async () => {
    await guest.run("dmesg --clear");
    daemon.signal("SIGSTOP");
    try {
      await guest.run(`
        (dd if=/dev/urandom of=/mnt/stalled bs=64k count=4 conv=fsync status=none && touch /tmp/written) &> /dev/null &
        for attempt in {1..240}; do dmesg | grep -q 'ping timeout' && exit 0; sleep 0.5; done
        dmesg; exit 1`);
    } finally {
      daemon.signal("SIGCONT");
    }
    await guest.run(
      "for attempt in {1..240}; do [ -e /tmp/written ] && exit 0; sleep 0.5; done; dmesg; exit 1",
    );
    expect(await initiator.sessions(1)).toMatch(/iSCSI Session State: LOGGED_IN/);
  });

  it("an orderly end of the daemon, and logs out of the next one", async () => {
    expect(await daemon.stop()).toBe(0);
    await daemon.restart();
    await guest.run(`sync -f /mnt; umount /mnt; e2fsck -fn ${disk}`);
    await initiator.logout(TARGET);
    expect(await initiator.sessions(0)).toBe("");
  });
});
