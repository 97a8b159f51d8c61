import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Daemon } from "../support/daemon.ts";
import { hasProgram, missingPackages } from "../support/debian-packages.ts";
import { attempt, run } from "../support/program.ts";

const DISK = "iqn.2026-11.net.example:disk";
const LARGE_BLOCKS = "iqn.2026-11.net.example:large-blocks";
const GUARDED = "iqn.2026-11.net.example:guarded";
const THIN = "iqn.2026-11.net.example:thin";
const LUN = 0;
const MIB = 1024 * 1024;
const SECRET = "correcthorse1234";

const usable =
  hasProgram("iscsi-ls") && hasProgram("qemu-img") && missingPackages(["host"]).length === 0;

describe.skipIf(!usable)("programs that bring their own initiator", () => {
  let daemon: Daemon;

  beforeAll(async () => {
    daemon = await Daemon.start((folder) => ({
      pools: { tank: { devices: [join(folder, "pool.img")], create: { size: "128MiB" } } },
      volumes: {
        thin: { driver: "thin", pool: "tank", size: "64MiB", create: true },
        disk: { driver: "raw", path: join(folder, "disk.img"), size: "64MiB", create: true },
        blocks: { driver: "memory", size: "32MiB" },
        guarded: { driver: "memory", size: "16MiB" },
      },
      targets: [
        { name: DISK, luns: [{ lun: LUN, volume: "disk" }] },
        { name: THIN, luns: [{ lun: LUN, volume: "thin" }] },
        { name: LARGE_BLOCKS, luns: [{ lun: LUN, volume: "blocks", blockSize: 4096 }] },
        {
          name: GUARDED,
          luns: [{ lun: LUN, volume: "guarded" }],
          auth: { accounts: [{ user: "alice", password: SECRET }] },
        },
      ],
    }));
  });

  afterAll(async () => {
    await daemon.dispose();
  });

  describe("libiscsi", () => {
    it("iscsi-ls finds every target and its LUN", async () => {
      const listing = await run("iscsi-ls", `iscsi://127.0.0.1:${daemon.port}`);
      for (const target of [DISK, THIN, LARGE_BLOCKS, GUARDED]) {
        expect(listing).toContain(`Target:${target} Portal:127.0.0.1:${daemon.port},1\n`);
      }
      const portal = `iscsi://alice%${SECRET}@127.0.0.1:${daemon.port}`;
      const units = await run("iscsi-ls", "-s", portal);
      expect(units).toMatch(/:disk Portal.*\nLun:0 +Type:DIRECT_ACCESS \(Size:6\dM\)/);
      expect(units).toMatch(/:large-blocks Portal.*\nLun:0 +Type:DIRECT_ACCESS \(Size:3\dM\)/);
      expect(units).toMatch(/:guarded Portal.*\nLun:0 +Type:DIRECT_ACCESS \(Size:1\dM\)/);
    });

    it("iscsi-inq reads the standard data", async () => {
      const inquiry = await run("iscsi-inq", daemon.url(DISK, LUN));
      expect(inquiry).toMatch(/Peripheral Device Type:DIRECT_ACCESS/);
      expect(inquiry).toMatch(/HiSup:1/);
      expect(inquiry).toMatch(/CmdQue:1/);
    });

    it.each([
      ["0x00", /Page:0x83 DEVICE_IDENTIFICATION[^]*Page:0xb0 BLOCK_LIMITS/],
      ["0x80", /Unit Serial Number:\[ *[^ \]]/],
      ["0x83", /Designator Type:\(3\) NAA/],
      ["0xb0", /maximum unmap block descriptor count:[1-9]/],
      ["0xb1", /Medium Rotation Rate/],
      ["0xb2", /lbpu:1[^]*lbpws:1/],
    ])("iscsi-inq reads the page %s of vital product data", async (page, expected) => {
      const { status, stdout } = await attempt(
        ...(["iscsi-inq", "-e", "1", "-c", String(Number(page))] as const),
        daemon.url(DISK, LUN),
      );
      expect(stdout).toMatch(expected);
      expect(status).toBe(0);
    });

    it("iscsi-readcapacity16 reads the size in blocks of 512 and of 4096 bytes", async () => {
      const small = await run("iscsi-readcapacity16", daemon.url(DISK, LUN));
      expect(small).toMatch(/BLOCK LENGTH IN BYTES:512\n/);
      expect(small).toMatch(/Total size:67108864\n/);
      const large = await run("iscsi-readcapacity16", daemon.url(LARGE_BLOCKS, LUN));
      expect(large).toMatch(/BLOCK LENGTH IN BYTES:4096\n/);
      expect(large).toMatch(/RETURNED LOGICAL BLOCK ADDRESS:8191\n/);
    });

    it("iscsi-perf reads for a while", async () => {
      const { stdout, stderr } = await attempt("iscsi-perf", "-t", "2", daemon.url(DISK, LUN));
      expect(stdout + stderr).toMatch(/iops average \d+/);
    });
  });

  describe("QEMU", () => {
    it.each([
      ["raw file", DISK],
      ["thin volume", THIN],
    ])("copies an image into a %s and finds it equal", async (_, target) => {
      const image = join(daemon.folder, "source.img");
      writeFileSync(image, Buffer.concat([randomBytes(24 * MIB), Buffer.alloc(40 * MIB)]));
      const url = daemon.url(target, LUN);
      await run("qemu-img", "convert", "-n", "-f", "raw", "-O", "raw", image, url);
      await run("qemu-img", "compare", "-f", "raw", "-F", "raw", image, url);
      writeFileSync(image, "another first block", { flag: "r+" });
      expect((await attempt("qemu-img", "compare", image, url)).status).toBe(1);
    });

    // QEMU 7.2 stops itself with an assertion when it reads 32 KiB or more of a thin LUN with blocks of 4096 bytes.
    it.each([
      ["blocks of 512 bytes", DISK, "4M"],
      ["a thin volume", THIN, "4M"],
      ["blocks of 4096 bytes", LARGE_BLOCKS, "28k"],
    ])("writes, verifies and discards on %s", async (_, target, length) => {
      const output = await qemuIo(daemon.url(target, LUN), [
        "write -P 0x5a 0 4k",
        "write -P 0xa5 4k 4k",
        `write -P 0x11 1M ${length}`,
        "flush",
        "read -P 0x5a 0 4k",
        "read -P 0xa5 4k 4k",
        `read -P 0x11 1M ${length}`,
        `discard 1M ${length}`,
        `read -P 0 1M ${length}`,
        "write -z 0 4k",
        "read -P 0 0 4k",
        "read -P 0xa5 4k 4k",
      ]);
      expect(output).not.toMatch(/failed|error/i);
    });

    it("sees which parts of a thin volume hold data, and has unmapped ones back as holes", async () => {
      const url = daemon.url(THIN, LUN);
      await qemuIo(url, ["discard 0 64M", "write -P 0x11 1M 1M", "write -P 0x22 8M 64k", "flush"]);
      expect(await dataRanges(url)).toEqual([
        [MIB, MIB],
        [8 * MIB, 64 * 1024],
      ]);
      const copy = join(daemon.folder, "copy.img");
      await run("qemu-img", "convert", "-f", "raw", "-O", "raw", url, copy);
      await run("qemu-img", "compare", "-f", "raw", "-F", "raw", url, copy);
      await qemuIo(url, ["discard 1M 1M", "read -P 0 1M 1M", "read -P 0x22 8M 64k"]);
      expect(await dataRanges(url)).toEqual([[8 * MIB, 64 * 1024]]);
      await qemuIo(url, ["discard 8M 4k", "read -P 0 8M 4k", "read -P 0x22 8196k 60k"]);
      expect(
        (await attempt("qemu-img", "compare", "-f", "raw", "-F", "raw", url, copy)).status,
      ).toBe(1);
    });

    it("is refused without a secret and with a wrong one, and let in with the right one", async () => {
      const commands = ["write -P 0x77 0 4k", "read -P 0x77 0 4k"];
      await expect(qemuIo(daemon.url(GUARDED, LUN), commands)).rejects.toThrow(/auth/i);
      const wrong = daemon.url(GUARDED, LUN, "alice%wrongwrong1234@");
      await expect(qemuIo(wrong, commands)).rejects.toThrow(/auth/i);
      await qemuIo(daemon.url(GUARDED, LUN, `alice%${SECRET}@`), commands);
      expect(daemon.log).not.toContain(SECRET);
    });
  });

  it("find the data again after the daemon was ended in an orderly way", async () => {
    const urls = [DISK, THIN].map((target) => daemon.url(target, LUN));
    for (const url of urls) await qemuIo(url, ["write -P 0x3c 8M 64k"]);
    expect(await daemon.stop()).toBe(0);
    await daemon.restart();
    for (const url of urls) await qemuIo(url, ["read -P 0x3c 8M 64k"]);
  });

  it("find the data again after the daemon was killed, without ever having flushed", async () => {
    const urls = [DISK, THIN].map((target) => daemon.url(target, LUN));
    for (const url of urls) await qemuIo(url, ["write -P 0xc3 9M 64k"]);
    await daemon.kill();
    await daemon.restart();
    for (const url of urls) await qemuIo(url, ["read -P 0xc3 9M 64k"]);
  });
});

/** Offset and length in bytes of each part of a LUN that holds data, as qemu-img finds them by GET LBA STATUS. */
async function dataRanges(url: string): Promise<[number, number][]> {
  const map = JSON.parse(await run("qemu-img", "map", "-f", "raw", "--output=json", url)) as {
    start: number;
    length: number;
    data: boolean;
  }[];
  return map.filter(({ data }) => data).map(({ start, length }) => [start, length]);
}

/** Runs commands of qemu-io, which exits with 0 whatever a read found: a pattern that is not there is an error here. */
async function qemuIo(url: string, commands: readonly string[]): Promise<string> {
  const { status, stdout, stderr } = await attempt(
    ...(["qemu-io", "-f", "raw", "-d", "unmap"] as const),
    ...commands.flatMap((command) => ["-c", command]),
    url,
  );
  const output = `${stdout}${stderr}`;
  if (status !== 0 || /verification failed|error/i.test(output)) throw new Error(output);
  return output;
}
