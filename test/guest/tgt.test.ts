import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { LoopDevice, loopDevicesMissing, orWhyNot } from "../device/loop-device.ts";
import { TgtLab } from "./tgt-lab.ts";

const accelerator = inject("accelerator");
const missing = loopDevicesMissing();

const MIB = 1024 * 1024;
const NAME = "iqn.2026-11.net.example:course";

describe.skipIf(accelerator === "none" || missing !== null)(
  `the steps of a course on tgt${orWhyNot(missing)}:`,
  () => {
    let lab: TgtLab;
    let device: LoopDevice;
    const image = (): string => join(lab.folder, "image.img");
    const portal = (): string => `127.0.0.1:${lab.port}`;
    const node = (): string => `iscsiadm --mode node --targetname ${NAME} --portal ${portal()}`;

    beforeAll(async () => {
      device = await LoopDevice.attach(256 * MIB);
      lab = await TgtLab.start(accelerator === "kvm" ? "kvm" : "tcg");
    });

    afterAll(async () => {
      await lab?.dispose();
      await device?.detach();
    });

    it("a target, shown", async () => {
      await lab.run(`tgtadm --lld iscsi --op new --mode target --tid 1 -T ${NAME}`);
      const shown = await lab.run("tgtadm --lld iscsi --op show --mode target");
      expect(shown).toMatch(`Target 1: ${NAME}\n    System information:\n        Driver: iscsi\n`);
      expect(shown).toMatch(/LUN: 0\n {12}Type: controller/);
    });

    it("a logical unit of a block device, and one of an image of 512 MB", async () => {
      const unit = "tgtadm --lld iscsi --op new --mode logicalunit --tid 1";
      await lab.run(`${unit} --lun 1 -b ${device.path}`);
      const made = await lab.run(
        `tgtimg --op new --device-type disk --type disk --size 512 --file ${image()}`,
      );
      expect(made).toContain(image());
      await lab.run(`${unit} --lun 2 -b ${image()}`);
      const shown = await lab.run("tgtadm --lld iscsi --op show --mode target");
      expect(shown).toContain(`Backing store path: ${device.path}`);
      expect(shown).toContain(`Backing store path: ${image()}`);
      expect(shown).toMatch(/Size: 268 MB, Block size: 512[^]*Size: 537 MB, Block size: 512/);
    });

    it("nobody gets in before a network is bound", async () => {
      const discovery = `iscsiadm --mode discovery --type sendtargets --portal ${portal()}`;
      expect((await lab.guest.attempt(discovery)).output).not.toContain(NAME);
      await lab.run("tgtadm --lld iscsi --op bind --mode target --tid 1 -I 127.0.0.0/8");
      expect(await lab.guest.run(discovery)).toBe(`${portal()},1 ${NAME}\n`);
    });

    it("a login, by which both disks appear", async () => {
      await lab.guest.run(`${node()} --login`);
      const disks = await lab.guest.run(`
        udevadm settle
        for lun in 1 2; do
          link=/dev/disk/by-path/ip-${portal()}-iscsi-${NAME}-lun-$lun
          for attempt in {1..240}; do [ -b $link ] && break; sleep 0.25; done
          blockdev --getsize64 $link
        done
        ls /dev/disk/by-id`);
      expect(disks).toMatch(new RegExp(`^${256 * MIB}\n${512 * MIB}\n`));
      // The names that tgt gives, which hosts have in their fstab and multipath.conf.
      expect(disks).toContain("wwn-0x60000000000000000e00000000010001");
      expect(disks).toContain("scsi-360000000000000000e00000000010002");
      const shown = await lab.run("tgtadm --lld iscsi --op show --mode target");
      expect(shown).toContain("Initiator: iqn.2026-11.net.example:guest alias: ");
      const connections = await lab.run("tgtadm --lld iscsi --op show --mode conn --tid 1");
      expect(connections).toMatch(/^Session: \d+\n {4}Connection: 0\n {8}Initiator: /);
    });

    it("a partition, a file system and a file in it, which is on the server's device then", async () => {
      await lab.guest.run(`
        disk=$(readlink -f /dev/disk/by-path/ip-${portal()}-iscsi-${NAME}-lun-1)
        printf 'n\\np\\n1\\n\\n\\nw\\n' | fdisk $disk
        udevadm settle
        mkfs.ext4 -q \${disk}1
        mount \${disk}1 /mnt
        echo "written over the network" > /mnt/file
        umount /mnt
        ${node()} --logout`);
      expect(readFileSync(device.path).includes("written over the network")).toBe(true);
    });

    it("an account, without which the login fails then, and with which it works", async () => {
      await lab.run(
        "tgtadm --lld iscsi --op new --mode account --user alice --password wonderland123",
      );
      await lab.run("tgtadm --lld iscsi --op bind --mode account --tid 1 --user alice");
      const refused = await lab.guest.attempt(`${node()} --login`);
      expect(refused.status).toBe(24);
      const update = `${node()} --op=update --name`;
      await lab.guest.run(`
        ${update} node.session.auth.authmethod --value=CHAP
        ${update} node.session.auth.username --value=alice
        ${update} node.session.auth.password --value=wonderland123
        ${node()} --login
        link=/dev/disk/by-path/ip-${portal()}-iscsi-${NAME}-lun-1
        for attempt in {1..240}; do [ -b $link-part1 ] && break; sleep 0.25; done
        mount $link-part1 /mnt
        [ "$(cat /mnt/file)" = "written over the network" ]
        umount /mnt
        ${node()} --logout`);
    });

    it("and everything taken away again", async () => {
      await lab.run("tgtadm --lld iscsi --op unbind --mode account --tid 1 --user alice");
      await lab.run("tgtadm --lld iscsi --op delete --mode account --user alice");
      await lab.run("tgtadm --lld iscsi --op delete --mode logicalunit --tid 1 --lun 2");
      await lab.run("tgtadm --lld iscsi --op delete --mode target --tid 1");
      expect(await lab.run("tgtadm --lld iscsi --op show --mode target")).toBe("");
    });
  },
);
