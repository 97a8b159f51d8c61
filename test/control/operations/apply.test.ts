import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import type { ChangeReport } from "../../../src/control/protocol.ts";
import { readCapacity16 } from "../../../src/initiator/scsi.ts";
import { DISK, DaemonBench, MIB } from "./support/daemon-bench.ts";

let bench: DaemonBench;

beforeEach(async () => {
  bench = await DaemonBench.make();
});

afterEach(() => bench.dispose());

const OTHER = "iqn.2026-11.net.example:other";
const SECRET = "wonderland-123456";

const apply = (document: object, more: object = {}): Promise<readonly ChangeReport[]> =>
  bench.attempt("system/apply", { document: stringify(document), folder: bench.folder, ...more });

/** A pool, two volumes and a target, all in one. */
const everything = () => ({
  pools: { tank: { devices: ["tank.img"], create: { size: "64MiB" } } },
  volumes: {
    data: { driver: "thin", pool: "tank", size: "8MiB", create: true },
    "tank/log": { driver: "thin", pool: "tank", name: "log", size: "4MiB", create: true },
  },
  accounts: [{ user: "alice", password: SECRET }],
  targets: [
    {
      name: DISK,
      luns: [
        { lun: 0, volume: "data" },
        { lun: 1, volume: "tank/log" },
      ],
    },
  ],
});

const words = (changes: readonly ChangeReport[]): string[] =>
  changes.map(({ action, kind, name }) => `${action} ${kind} ${name}`);

describe("a document that is applied", () => {
  // It said that the size became less, and that it was done.
  it("makes no volume smaller, and nothing else either", async () => {
    const { pools, volumes } = everything();
    const sized = (size: string): object => ({
      pools,
      volumes: { ...volumes, data: { ...volumes.data, size } },
      targets: [{ name: OTHER, luns: [{ lun: 0, volume: "data" }] }],
    });
    await apply(everything());
    for (const more of [{}, { dryRun: true }]) {
      const smaller = apply(sized("4MiB"), more);
      await expect(smaller).rejects.toMatchObject({ kind: "unsupported" });
      await expect(smaller).rejects.toThrow(/volume data has 8 MiB.*resize --shrink/);
    }
    expect(words(await apply(sized("16MiB")))).toEqual([
      "change volume data",
      `create target ${OTHER}`,
    ]);
    await bench.run("volume/resize", { pool: "tank", volume: "data", sizeBytes: 32 * MIB });
    expect(await apply(sized("32MiB"))).toEqual([]);
  });

  it("makes what it says, tells what before it does, and changes nothing the second time", async () => {
    const told = await apply(everything(), { dryRun: true });
    expect(words(told)).toEqual([
      "create pool tank",
      "create volume data",
      "create volume tank/log",
      `create target ${DISK}`,
      "create account alice",
    ]);
    expect(existsSync(join(bench.folder, "tank.img"))).toBe(false);
    expect(await apply(everything())).toEqual(told);
    expect(await apply(everything())).toEqual([]);
    await bench.restart();
    expect(await apply(everything())).toEqual([]);
    expect((await readCapacity16(await bench.login(), 1)).blocks).toBe((4 * MIB) / 512);
    expect(JSON.stringify([told, bench.harness.lines])).not.toContain(SECRET);
  });

  it("changes what differs, says from what to what, and disturbs nobody", async () => {
    await apply(everything());
    const session = await bench.login();
    const { targets, ...rest } = everything();
    const changed = [{ ...targets[0], alias: "new", luns: [{ lun: 1, volume: "tank/log" }] }];
    const changes = await apply({
      ...rest,
      accounts: [{ user: "alice", password: `${SECRET}7` }],
      targets: changed,
    });
    expect(words(changes)).toEqual([`change target ${DISK}`, "change account alice"]);
    expect(changes[0]?.fields).toContainEqual({ field: "alias", before: null, after: '"new"' });
    expect(JSON.stringify(changes)).not.toContain(SECRET);
    expect(session.closed).toBe(null);
    expect((await bench.run("target/show", { target: DISK })).luns.map(({ lun }) => lun)).toEqual([
      1,
    ]);
  });

  it("leaves alone what it does not name, unless that is to go; no data go with it", async () => {
    await apply(everything());
    await bench.run("target/create", { name: OTHER });
    const only = { targets: [{ name: DISK, luns: [{ lun: 0, volume: "data" }] }] };
    expect(words(await apply(only))).toEqual(["delete volume tank/log", `change target ${DISK}`]);
    const all = (await bench.run("target/list", {})).map(({ name }) => name);
    expect(all.toSorted()).toEqual([DISK, OTHER]);
    const { accounts: _, ...rest } = everything();
    const pruned = words(await apply(rest, { prune: true }));
    expect(pruned).toContain(`delete target ${OTHER}`);
    expect(pruned).toContain("delete account alice");
    expect(await apply(rest, { prune: true })).toEqual([]);
    await apply({}, { prune: true });
    expect(await bench.run("pool/list", {})).toEqual([]);
    const again = everything();
    await apply({ ...again, pools: { tank: { devices: ["tank.img"] } } });
    expect(await bench.run("volume/list", {})).toHaveLength(2);
  });

  it("takes away nothing that came after somebody was asked what may go", async () => {
    await apply(everything());
    await bench.run("target/create", { name: OTHER });
    const { accounts: _, ...rest } = everything();
    const told = await apply(rest, { prune: true, dryRun: true });
    const mayGo = told.filter(({ action }) => action === "delete");
    const gone = mayGo.map(({ kind, name }) => ({ kind, name }));
    expect(gone).toEqual([
      { kind: "target", name: OTHER },
      { kind: "account", name: "alice" },
    ]);
    const late = `${OTHER}2`;
    await bench.run("target/create", { name: late });
    const refused = { kind: "busy", message: expect.stringContaining(`target ${late}`) as string };
    for (const dryRun of [true, false]) {
      const asked = apply(rest, { prune: true, mayGo: gone, dryRun });
      await expect(asked).rejects.toMatchObject(refused);
    }
    expect(await bench.run("target/list", {})).toHaveLength(3);
    await bench.run("target/delete", { target: late });
    await bench.run("target/delete", { target: OTHER });
    expect(words(await apply(rest, { prune: true, mayGo: gone }))).toEqual([
      "delete account alice",
    ]);
  });

  it("names volumes that can be deleted when no LUN leads to them, and be made again", async () => {
    const { targets: _, ...rest } = everything();
    await apply(rest);
    const data = { pool: "tank", volume: "data" };
    const { uuid } = await bench.run("volume/show", data);
    await bench.run("volume/delete", data);
    expect(words(await apply(rest))).toEqual(["create volume data"]);
    expect((await bench.run("volume/show", data)).uuid).not.toBe(uuid);
    await apply({ pools: rest.pools }, { prune: true });
    await bench.run("volume/delete", data);
    expect(words(await apply(rest))).toContain("create volume data");
  });

  it("leads LUNs to volumes that nobody has named", async () => {
    await bench.makePool("a");
    const path = join(bench.folder, "raw.img");
    writeFileSync(path, Buffer.alloc(MIB));
    const luns = [
      { lun: 0, volume: "tank/a" },
      { lun: 1, volume: path },
    ];
    await apply({ targets: [{ name: DISK, luns }] });
    expect(await apply({ targets: [{ name: DISK, luns }] })).toEqual([]);
    expect((await bench.run("lun/list", {})).map(({ driver }) => driver)).toEqual(["thin", "raw"]);
  });

  it("leaves everything as it was where any part of it cannot be", async () => {
    await bench.run("target/create", { name: OTHER });
    const state = (): string => readFileSync(join(bench.folder, "state", "state.json"), "utf8");
    const before = await bench.run("target/list", {});
    const kept = state();
    const fine = everything();
    for (const [document, kind] of [
      [{ ...fine, portals: [{ listen: "192.0.2.77:1" }] }, "failed"],
      [
        { ...fine, volumes: { ...fine.volumes, lost: { driver: "raw", path: "no.img" } } },
        "missing",
      ],
      [{ ...fine, targets: [...fine.targets, ...fine.targets] }, "invalid"],
      [{ ...fine, targets: [{ name: DISK, luns: [{ lun: 0, volume: "none" }] }] }, "invalid"],
      [{ ...fine, pools: {} }, "invalid"],
      [{ ...fine, stateDir: "/x" }, "invalid"],
    ] as const) {
      await expect(apply(document)).rejects.toMatchObject({ kind });
      expect(existsSync(join(bench.folder, "tank.img"))).toBe(false);
    }
    expect(await bench.run("target/list", {})).toEqual(before);
    expect((JSON.parse(state()) as { inventory: unknown }).inventory).toEqual(
      (JSON.parse(kept) as { inventory: unknown }).inventory,
    );
    expect(words(await apply(everything()))).toHaveLength(5);
  });

  it("is refused with the line where it is wrong", async () => {
    const document = "targets:\n  - name: iqn.2026-11.net.example:x\n    luns: []\n    alais: y\n";
    await expect(bench.run("system/apply", { document })).rejects.toMatchObject({
      kind: "invalid",
      message: expect.stringMatching(/^document:4:5: .*alais.*alias/),
    });
    for (const text of ["[", "a: 1", "- x", "x"]) {
      await expect(bench.run("system/apply", { document: text })).rejects.toMatchObject({
        kind: "invalid",
      });
    }
  });
});
