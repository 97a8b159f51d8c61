import { setTimeout as sleep } from "node:timers/promises";
import { truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { impliedVolume } from "../../../src/control/operations/luns.ts";
import {
  read,
  readCapacity16,
  reportLuns,
  vitalProductData,
  write,
} from "../../../src/initiator/scsi.ts";
import { DISK, DaemonBench, MIB } from "./support/daemon-bench.ts";

let bench: DaemonBench;

beforeEach(async () => {
  bench = await DaemonBench.make();
  await bench.run("target/create", { name: DISK });
});

afterEach(() => bench.dispose());

const SECTOR = { lun: 0, lba: 0, blocks: 1, blockBytes: 512 };
const OTHER = "iqn.2026-11.net.example:other";
const map = (volume: string, more: object = {}) =>
  bench.attempt("target/map", { target: DISK, volume, ...more });

describe("maps of LUNs", () => {
  it("lead to volumes of pools, while initiators are logged in, and after a restart", async () => {
    await bench.makePool("a", "b");
    const session = await bench.login();
    const made = await map("tank/a");
    expect(made).toMatchObject({
      target: DISK,
      lun: 0,
      volume: "tank/a",
      driver: "thin",
      sizeBytes: 8 * MIB,
      readOnly: false,
      online: true,
    });
    expect((await map("tank/b")).lun).toBe(1);
    expect((await readCapacity16(session, 1)).blocks).toBe((8 * MIB) / 512);
    await write(session, SECTOR, new Uint8Array(512).fill(7));
    await bench.restart();
    const again = await bench.login();
    expect([...(await read(again, SECTOR))]).toEqual(Array.from({ length: 512 }, () => 7));
    expect((await bench.run("lun/list", { target: DISK }))[0]).toEqual(made);
  });

  it("have numbers of their own, also where two are made at once", async () => {
    await bench.makePool("a", "b", "c");
    const made = await Promise.all(["tank/a", "tank/b", "tank/c"].map((volume) => map(volume)));
    expect(made.map(({ lun }) => lun)).toEqual([0, 1, 2]);
    const twice = await Promise.allSettled([
      bench.run("target/unmap", { target: DISK, lun: 1 }),
      bench.run("target/unmap", { target: DISK, lun: 1 }),
    ]);
    expect(twice.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
    expect(await map("tank/b")).toMatchObject({ lun: 1 });
  });

  it("lead to no file that is there under another name, or in a pool", async () => {
    const path = join(bench.folder, "disk.img");
    writeFileSync(path, new Uint8Array(MIB));
    const document = `volumes: { disk: { driver: raw, path: ${path} } }`;
    await bench.attempt("system/apply", { document });
    await expect(map(path)).rejects.toMatchObject({
      kind: "exists",
      message: `${path} is the volume "disk" already: it is mapped by that name`,
    });
    expect(await map("disk")).toMatchObject({ lun: 0 });
    await bench.makePool("a");
    await expect(map(join(bench.folder, "tank.img"))).rejects.toMatchObject({
      kind: "exists",
      message: expect.stringContaining('tank.img is in the pool "tank" already') as string,
    });
  });

  it("go while initiators are logged in; the volume stays, and is free again", async () => {
    await bench.makePool("a");
    await map("tank/a", { lun: 5 });
    const session = await bench.login();
    expect(await reportLuns(session)).toEqual([5]);
    await bench.run("target/unmap", { target: DISK, lun: 5 });
    await expect(readCapacity16(session, 5)).rejects.toThrow();
    expect(session.closed).toBe(null);
    expect(await bench.run("lun/list", {})).toEqual([]);
    await bench.run("volume/delete", { pool: "tank", volume: "a" });
  });

  it("become another disk under a number that initiators know only by force", async () => {
    await bench.makePool("a", "b");
    await map("tank/a", { lun: 5 });
    const session = await bench.login();
    await bench.run("target/unmap", { target: DISK, lun: 5 });
    // The host that logs in does not know it yet, and the number after that is free anyhow.
    await expect(map("tank/b", { lun: 5 })).rejects.toMatchObject({
      kind: "busy",
      message: expect.stringContaining("know another disk as LUN 5") as string,
    });
    await expect(map("tank/b", { lun: 5, force: false })).rejects.toMatchObject({ kind: "busy" });
    expect(await map("tank/b", { lun: 5, force: true })).toMatchObject({
      lun: 5,
      volume: "tank/b",
    });
    expect(await reportLuns(session)).toEqual([5]);
  });

  it.each(["volume", "snapshot", "clone"])(
    "lead to a %s that gets another name, and whoever is logged in does not notice",
    async (kind) => {
      await bench.makePool("origin");
      if (kind === "volume") {
        await bench.run("volume/create", { pool: "tank", volume: "a", sizeBytes: 8 * MIB });
      } else {
        const copies = [{ volume: "origin", name: "a" }];
        await bench.run("snapshot/create", { pool: "tank", copies, writable: kind === "clone" });
      }
      const before = await map("tank/a");
      const session = await bench.login();
      if (kind !== "snapshot") await write(session, SECTOR, new Uint8Array(512).fill(7));
      const content = [...(await read(session, SECTOR))];
      const id = await vitalProductData(session, 0, 0x83);
      const renamed = await bench.run("volume/rename", { pool: "tank", volume: "a", name: "b" });
      expect(renamed).toMatchObject({ name: "b", uuid: before.uuid, isServed: true });
      const now = { ...before, volume: "tank/b" };
      expect(await bench.run("lun/list", {})).toEqual([now]);
      // No unit attention, no new session, the same disk.
      expect([...(await read(session, SECTOR))]).toEqual(content);
      expect(await vitalProductData(session, 0, 0x83)).toEqual(id);
      expect(session.closed).toBe(null);
      await expect(bench.run("volume/delete", { pool: "tank", volume: "b" })).rejects.toMatchObject(
        { kind: "busy" },
      );
      await bench.restart();
      expect(await bench.run("lun/list", {})).toEqual([now]);
      const again = await bench.login();
      expect([...(await read(again, SECTOR))]).toEqual(content);
      expect(await vitalProductData(again, 0, 0x83)).toEqual(id);
    },
  );

  it("lead to files, which must be there", async () => {
    const path = join(bench.folder, "disk image.raw");
    await expect(map(path)).rejects.toMatchObject({ kind: "missing" });
    writeFileSync(path, "");
    truncateSync(path, MIB);
    expect(await map(path)).toMatchObject({ driver: "raw", sizeBytes: MIB, volume: path });
  });

  it("describe a volume alike wherever it is mapped", async () => {
    await bench.makePool("a");
    await bench.run("target/create", { name: OTHER });
    await map("tank/a", { blockBytes: 4096, vendor: "ACME", serial: "one" });
    const twin = await bench.run("target/map", { target: OTHER, volume: "tank/a", lun: 3 });
    expect(twin).toMatchObject({ lun: 3, blockBytes: 4096 });
    await bench.run("target/unmap", { target: OTHER, lun: 3 });
    await expect(
      bench.run("target/map", { target: OTHER, volume: "tank/a", blockBytes: 512 }),
    ).rejects.toMatchObject({ kind: "invalid" });
  });

  it("refuse what cannot be, and leave everything as it was", async () => {
    await bench.makePool("a", "b");
    await map("tank/b", { lun: 0 });
    for (const [volume, more, kind, complaint] of [
      ["nowhere", {}, "missing", "POOL/VOLUME"],
      ["tank/none", {}, "missing", "none"],
      ["lake/a", {}, "invalid", "lake"],
      ["tank/a", { lun: 0 }, "exists", "LUN 0"],
      ["tank/a", { lun: 70_000 }, "invalid", "lun"],
      ["tank/a", { blockBytes: 1000 }, "invalid", "blockSize"],
      ["tank/a", { vendor: "far too long" }, "invalid", "vendor"],
      ["tank/../a", {}, "invalid", "name"],
      ["tank/b", { lun: 1, target: OTHER }, "missing", OTHER],
      ["tank/b", { lun: 1 }, "exists", "tank/b as LUN 0 already"],
    ] as const) {
      await expect(map(volume, more), volume).rejects.toMatchObject({
        kind,
        message: expect.stringContaining(complaint),
      });
    }
    expect(await bench.run("lun/list", {})).toHaveLength(1);
    await expect(bench.run("target/unmap", { target: DISK, lun: 9 })).rejects.toMatchObject({
      kind: "missing",
    });
  });

  it("have volumes that nobody has named", () => {
    expect(impliedVolume("/srv/a")).toEqual({ driver: "raw", path: "/srv/a" });
    expect(impliedVolume("tank/a")).toEqual({ driver: "thin", pool: "tank", name: "a" });
  });
});

describe("volumes that are mapped", () => {
  it("grow while they are used", async () => {
    await bench.makePool("a");
    await map("tank/a");
    const session = await bench.login();
    await readCapacity16(session, 0);
    await bench.run("volume/resize", { pool: "tank", volume: "a", sizeBytes: 16 * MIB });
    const { sense } = await session.execute({ lun: 0, cdb: new Uint8Array(6) });
    expect(sense).toMatchObject({
      key: 6,
      additionalSenseCode: 0x2a,
      additionalSenseCodeQualifier: 9,
    });
    expect((await readCapacity16(session, 0)).blocks).toBe((16 * MIB) / 512);
  });

  it("are not deleted, also where they are being mapped just now", async () => {
    await bench.makePool("a");
    const { volumes } = bench.harness.parts;
    const open = volumes.open.bind(volumes);
    const deletions: Promise<unknown>[] = [];
    volumes.open = async (name, config) => {
      await open(name, config);
      const deleting = bench.run("volume/delete", { pool: "tank", volume: "a" });
      deletions.push(
        deleting.then(
          () => "deleted",
          (error: unknown) => error,
        ),
      );
      await sleep(50);
    };
    await map("tank/a");
    expect(await Promise.all(deletions)).toMatchObject([{ kind: "busy" }]);
    expect(await bench.run("volume/show", { pool: "tank", volume: "a" })).toMatchObject({
      name: "a",
    });
    const session = await bench.login();
    expect((await readCapacity16(session, 0)).blocks).toBe((8 * MIB) / 512);
  });

  it("are not deleted, and say where they are used", async () => {
    await bench.makePool("a");
    await map("tank/a");
    await expect(bench.run("volume/delete", { pool: "tank", volume: "a" })).rejects.toMatchObject({
      kind: "busy",
      message: expect.stringContaining(`LUN 0 of ${DISK}`),
    });
  });

  it("get other names that nobody has", async () => {
    await bench.makePool("a", "taken");
    await map("tank/a");
    const a = { pool: "tank", volume: "a" };
    const refusals = [
      ["taken", "exists"],
      ["a/b", "invalid"],
      ["", "invalid"],
    ] as const;
    for (const [name, kind] of refusals) {
      await expect(bench.run("volume/rename", { ...a, name })).rejects.toMatchObject({ kind });
    }
    expect((await bench.run("volume/rename", { ...a, name: "a" })).name).toBe("a");
    expect((await bench.run("lun/list", {}))[0]?.volume).toBe("tank/a");
    const both = await Promise.allSettled([
      bench.run("volume/rename", { ...a, name: "b" }),
      bench.run("volume/rename", { ...a, name: "c" }),
    ]);
    expect(both.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
    expect((await bench.run("lun/list", {}))[0]?.volume).toBe("tank/b");
  });
});
