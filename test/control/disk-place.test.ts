import { link, mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { diskAt, isAt, placeAt, placeOf } from "../../src/control/disk-place.ts";
import type { Disk } from "../../src/control/state-document.ts";
import { imageConfig, thinConfig } from "./support/inventories.ts";

const uuid = "6fa459ea-ee8a-4ca4-894e-db77e160355e";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "thinlun-place-"));
  await writeFile(path("a.img"), "a");
});

afterEach(() => rm(folder, { recursive: true }));

const path = (name: string): string => join(folder, name);
const disk = async (name: string): Promise<Disk> => ({
  uuid,
  made: true,
  place: await placeAt(path(name)),
});

describe("the place of a disk", () => {
  it("is a path, or a pool, or nothing but memory", () => {
    expect(placeOf(imageConfig("/srv/../a.img"))).toEqual({ driver: "raw", path: "/a.img" });
    expect(placeOf(thinConfig("tank"))).toEqual({ driver: "thin", pool: "tank" });
    const memory = { uuid: null, readOnly: false, optional: false, sizeBytes: 512, delayMs: 0 };
    expect(placeOf({ ...memory, driver: "memory" })).toEqual({ driver: "memory" });
    const raw = placeOf(imageConfig("/a.img"));
    expect(isAt({ uuid, made: true, place: raw }, placeOf(imageConfig("/a.img")))).toBe(true);
    expect(isAt({ uuid, made: true, place: raw }, placeOf(imageConfig("/b.img")))).toBe(false);
    expect(isAt({ uuid, made: true, place: raw }, placeOf(thinConfig("tank")))).toBe(false);
    // Of those from before places were kept, nobody knows.
    expect(isAt({ uuid, made: true }, raw)).toBe(true);
  });
});

describe("a disk", () => {
  it("is found by its path, whatever file is there by now, and also where none is", async () => {
    const known = await disk("a.img");
    await rename(path("a.img"), path("elsewhere"));
    expect(await diskAt([known], path("a.img"))).toBe(known);
    await writeFile(path("a.img"), "restored");
    expect(await diskAt([known], path("a.img"))).toBe(known);
  });

  it("is found where its file has another name", async () => {
    const known = await disk("a.img");
    await link(path("a.img"), path("hard.img"));
    await symlink(path("a.img"), path("soft.img"));
    await symlink(folder, path("way"));
    expect(await diskAt([known], path("hard.img"))).toBe(known);
    expect(await diskAt([known], path("soft.img"))).toBe(known);
    expect(await diskAt([known], path("way/a.img"))).toBe(known);
    await rm(path("hard.img"));
    await rename(path("a.img"), path("b.img"));
    expect(await diskAt([known], path("b.img"))).toBe(known);
  });

  it("is found by a device's other names", async () => {
    await symlink("/dev/null", path("by-id"));
    const known: Disk = { uuid, made: true, place: { driver: "raw", path: "/dev/null" } };
    // Devices that are none of blocks are not told apart.
    expect(await diskAt([known], path("by-id"))).toBeUndefined();
    expect(await diskAt([known], "/dev/null")).toBe(known);
  });

  it("is not found in a copy, in what has its inode number by chance, nor in what is not there", async () => {
    const known = await disk("a.img");
    await writeFile(path("copy.img"), "a");
    expect(await diskAt([known], path("copy.img"))).toBeUndefined();
    expect(await diskAt([known], path("none.img"))).toBeUndefined();
    const { place } = await disk("copy.img");
    if (place?.driver !== "raw" || place.file === undefined) throw new Error("it is a file");
    const file = { ...place.file, bornNs: "17" };
    const chance: Disk = { uuid, made: true, place: { driver: "raw", path: "/none", file } };
    expect(await diskAt([chance], path("copy.img"))).toBeUndefined();
  });

  it("is told from others of its name", async () => {
    const [a, b] = [await disk("a.img"), { ...(await disk("a.img")), uuid: "b" }];
    const former: Disk = { ...b, place: { driver: "raw", path: path("b.img") } };
    expect(await diskAt([a, former], path("b.img"))).toBe(former);
    expect(await diskAt([former, a], path("a.img"))).toBe(a);
    expect(await diskAt([{ ...a, place: { driver: "memory" } }], path("a.img"))).toBeUndefined();
  });
});
