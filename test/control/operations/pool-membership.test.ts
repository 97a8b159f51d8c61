import { existsSync, writeFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DISK, DaemonBench, MIB } from "./support/daemon-bench.ts";

let bench: DaemonBench;

beforeEach(async () => {
  bench = await DaemonBench.make();
});

afterEach(() => bench.dispose());

const image = (): string => join(bench.folder, "tank.img");

describe("pools of a running daemon", () => {
  it("are made, are there after a restart, are let go of and taken again", async () => {
    const { pool, backups } = await bench.run("pool/create", {
      pool: "tank",
      devices: [image()],
      createBytes: 64 * MIB,
      extentBytes: 16 * 1024,
      overcommitMax: 2,
    });
    expect(pool).toMatchObject({ name: "tank", extentBytes: 16 * 1024, overcommitMax: 2 });
    expect(backups).toEqual([]);
    await bench.run("volume/create", { pool: "tank", volume: "a", sizeBytes: MIB });
    await bench.restart();
    expect((await bench.run("pool/list", {})).map(({ uuid }) => uuid)).toEqual([pool.uuid]);
    await bench.run("pool/remove", { pool: "tank" });
    expect(await bench.run("pool/list", {})).toEqual([]);
    const added = await bench.run("pool/add", { pool: "tank", devices: [image()] });
    expect(added).toMatchObject({ uuid: pool.uuid, volumeCount: 1 });
    await bench.run("pool/remove", { pool: "tank" });
    const other = join(bench.folder, "other.img");
    await bench.run("pool/create", { pool: "tank", devices: [other], createBytes: 64 * MIB });
  });

  it("are kept while a volume of theirs is mapped", async () => {
    await bench.makePool("a");
    await bench.run("target/create", { name: DISK });
    await bench.run("target/map", { target: DISK, volume: "tank/a" });
    await expect(bench.run("pool/remove", { pool: "tank" })).rejects.toMatchObject({
      kind: "busy",
      message: expect.stringContaining("tank/a"),
    });
  });

  it("destroy nothing that is not named", async () => {
    writeFileSync(image(), Buffer.alloc(64 * MIB, 1));
    const body = { pool: "tank", devices: [image()] };
    await expect(bench.run("pool/create", body)).rejects.toMatchObject({ kind: "foreign" });
    await expect(
      bench.run("pool/create", { ...body, acceptData: true, overcommitMax: 0.5 }),
    ).rejects.toMatchObject({ kind: "invalid" });
    await expect(bench.run("pool/create", body)).rejects.toMatchObject({ kind: "foreign" });
    const { backups } = await bench.run("pool/create", { ...body, acceptData: true });
    expect(backups).toHaveLength(1);
    const line = bench.harness.lines.find(({ message }) => message.startsWith("devices wiped"));
    expect(line?.fields).toMatchObject({
      pool: "tank",
      found: { [image()]: ["data:-"] },
      backups,
    });
    expect((await readdir(join(bench.folder, "backup"))).length).toBeGreaterThan(0);
    expect(await bench.run("pool/list", {})).toHaveLength(1);
  });

  it.each([
    [{ pool: "a/b", createBytes: 64 * MIB }, "invalid"],
    [{ pool: "tank", createBytes: 1 }, "invalid"],
    [{ pool: "tank", createBytes: 64 * MIB, extentBytes: 5 }, "invalid"],
    [{ pool: "tank" }, "missing"],
    [{ pool: "tank", createBytes: 64 * MIB, devices: [] }, "invalid"],
  ])("are not made for %j", async (more, kind) => {
    const body = { devices: [image()], ...more };
    await expect(bench.attempt("pool/create", body)).rejects.toMatchObject({ kind });
    expect(existsSync(image())).toBe(false);
  });

  it("have names of their own", async () => {
    await bench.makePool();
    const body = { pool: "tank", devices: [join(bench.folder, "b.img")], createBytes: 64 * MIB };
    await expect(bench.run("pool/create", body)).rejects.toMatchObject({ kind: "exists" });
    await expect(bench.run("pool/remove", { pool: "lake" })).rejects.toMatchObject({
      kind: "missing",
    });
  });
});
