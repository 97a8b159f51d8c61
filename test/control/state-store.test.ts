import { chmod, mkdtemp, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { EMPTY_INVENTORY } from "../../src/control/config/inventory.ts";
import { systemSteps } from "../../src/control/durable-file.ts";
import { StartError } from "../../src/control/start-error.ts";
import { StateStore } from "../../src/control/state-store.ts";

import { fullInventory } from "./support/inventories.ts";

let folder: string;
let count: number;

const uuidNumber = (number: number): string =>
  `00000000-0000-4000-8000-${String(number).padStart(12, "0")}`;

const makeUuid = (): string => {
  count += 1;
  return uuidNumber(count);
};

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "thinlun-state-"));
  count = 0;
});

afterEach(() => rm(folder, { recursive: true }));

async function uuidAfterRestart(name: string): Promise<string> {
  const store = await StateStore.open(folder, { makeUuid });
  const uuid = await store.volumes.uuidOf(name);
  await store.close();
  return uuid;
}

async function opened(): Promise<Pick<StateStore, "volumes" | "close">> {
  const store = await StateStore.open(folder, { makeUuid });
  return { volumes: store.volumes, close: () => store.close() };
}

describe("StateStore", () => {
  it("gives a volume one identity for good", async () => {
    const first = await uuidAfterRestart("disk");
    expect(await uuidAfterRestart("other")).not.toBe(first);
    expect(await uuidAfterRestart("disk")).toBe(first);
  });

  it("remembers which volumes were open once, and as what", async () => {
    const first = await StateStore.open(folder, { makeUuid });
    const uuid = await first.volumes.uuidOf("disk");
    expect(first.volumes.wasMade("disk")).toBe(false);
    await first.volumes.rememberMade("disk", uuid);
    await first.close();
    const second = await StateStore.open(folder, { makeUuid });
    expect([second.volumes.wasMade("disk"), second.volumes.wasMade("other")]).toEqual([
      true,
      false,
    ]);
    expect(await second.volumes.uuidOf("disk")).toBe(uuid);
    await second.close();
  });

  it("makes its folder and keeps what is in it to its owner", async () => {
    const inner = join(folder, "a", "b");
    const store = await StateStore.open(inner, { makeUuid });
    await store.volumes.uuidOf("disk");
    await store.close();
    expect((await stat(inner)).mode & 0o777).toBe(0o700);
    expect((await stat(join(inner, "state.json"))).mode & 0o777).toBe(0o600);
  });

  it("makes every folder stable that it made, so that no identity is lost with its folder", async () => {
    const synced: string[] = [];
    const steps = { ...systemSteps, syncFolder: async (path: string) => void synced.push(path) };
    const inner = join(folder, "a", "b");
    await (await StateStore.open(inner, { makeUuid, steps })).close();
    expect(synced).toEqual([join(folder, "a"), folder]);
    await (await StateStore.open(inner, { makeUuid, steps })).close();
    expect(synced).toHaveLength(2);
  });

  it("remembers all of several that come at once", async () => {
    const store = await StateStore.open(folder, { makeUuid });
    const names = ["a", "b", "c", "a"];
    const uuids = await Promise.all(names.map((name) => store.volumes.uuidOf(name)));
    await store.close();
    expect(uuids[3]).toBe(uuids[0]);
    const again = await StateStore.open(folder, { makeUuid });
    expect(await Promise.all(names.map((name) => again.volumes.uuidOf(name)))).toEqual(uuids);
    await again.close();
  });

  it("is one daemon's at a time", async () => {
    const store = await StateStore.open(folder, { makeUuid });
    const second = StateStore.open(folder, { makeUuid });
    await expect(second).rejects.toThrow(StartError);
    await expect(second).rejects.toThrow(/another thinlun is running .*--state-dir/);
    await store.close();
    await (await StateStore.open(folder, { makeUuid })).close();
  });

  it.each([
    ["nothing", "", /not JSON/],
    ["half of it", '{"format": "thinlun state", "ver', /not JSON/],
    ["something else", '{"a": 1}', /not a state file/],
    ["a list", "[]", /not a state file/],
    ["no version", '{"format": "thinlun state"}', /no version/],
    [
      "a later version",
      '{"format": "thinlun state", "version": 3, "volumes": {}}',
      /newer version/,
    ],
    ["no volumes", '{"format": "thinlun state", "version": 1}', /no volumes/],
    [
      "a bad uuid",
      '{"format": "thinlun state", "version": 1, "volumes": {"d": {"uuid": "1"}}}',
      /"d" has no uuid/,
    ],
    [
      "a bad inventory",
      '{"format": "thinlun state", "version": 2, "volumes": {}, "inventory": {"x": 1}}',
      /unknown key "x"/,
    ],
    [
      "a creation of what nobody knows",
      '{"format": "thinlun state", "version": 2, "volumes": {}, "creations": [{"kind": "x", "name": "x"}]}',
      /not understood/,
    ],
    [
      "a number of a target that is none",
      '{"format": "thinlun state", "version": 2, "volumes": {}, "numbers": {"iqn.x": 0}}',
      /number of the target "iqn.x"/,
    ],
  ])("leaves a file with %s in it alone, and says so", async (_about, text, message) => {
    const path = join(folder, "state.json");
    await writeFile(path, text);
    const opening = StateStore.open(folder, { makeUuid });
    await expect(opening).rejects.toThrow(StartError);
    await expect(opening).rejects.toThrow(message);
    await expect(opening).rejects.toThrow(path);
    expect(await readFile(path, "utf8")).toBe(text);
    await writeFile(path, '{"format": "thinlun state", "version": 1, "volumes": {}}');
    await (await StateStore.open(folder, { makeUuid })).close();
  });

  it("keeps what commands have made, secrets and all, and what is being made", async () => {
    const store = await StateStore.open(folder, { makeUuid });
    expect(store.inventory).toEqual(EMPTY_INVENTORY);
    const uuid = await store.volumes.uuidOf("disk");
    const creations = [
      { kind: "volume", name: "disk", pool: "tank", itsName: "d", uuid },
      { kind: "file", name: "tank", path: "/srv/x", sizeBytes: 4096 },
    ] as const;
    const numbers = new Map([["iqn.2026-11.net.example:one", 7]]);
    await store.keep(fullInventory(), [], numbers);
    // They stay where nothing is said of them.
    await store.keep(fullInventory(), creations);
    expect(store.inventory).toEqual(fullInventory());
    await store.close();
    const again = await StateStore.open(folder, { makeUuid });
    expect(again.inventory).toEqual(fullInventory());
    expect(again.numbers).toEqual(numbers);
    expect(again.creations).toEqual(creations);
    expect(await again.volumes.uuidOf("disk")).toBe(uuid);
    await again.close();
  });

  it("goes back at the next start to what was before a change in two steps, until the second is kept", async () => {
    const before = { ...EMPTY_INVENTORY, portals: fullInventory().portals };
    const store = await StateStore.open(folder, { makeUuid });
    await store.keep(EMPTY_INVENTORY, [], undefined, before);
    // Identities of what the second step makes are kept between them.
    const uuid = await store.volumes.uuidOf("disk");
    expect(store.inventory).toEqual(EMPTY_INVENTORY);
    await store.close();
    const again = await StateStore.open(folder, { makeUuid });
    expect(again.inventory).toEqual(before);
    expect(await again.volumes.uuidOf("disk")).toBe(uuid);
    await again.keep(EMPTY_INVENTORY, [], undefined, before);
    await again.keep(fullInventory(), []);
    await again.close();
    const last = await StateStore.open(folder, { makeUuid });
    expect(last.inventory).toEqual(fullInventory());
    await last.close();
  });

  it("has an identity for each place that a name has led to, and finds it again", async () => {
    const at = (path: string) => ({ driver: "raw", path }) as const;
    const { volumes, close } = await opened();
    const first = await volumes.uuidOf("disk", at("/a"));
    expect(await volumes.uuidOf("disk", at("/a"))).toBe(first);
    await volumes.rememberMade("disk", first, at("/a"));
    const second = await volumes.uuidOf("disk", at("/b"));
    expect(second).not.toBe(first);
    // It was not there, so nobody knows it, and it does not make the other one forgotten.
    expect(volumes.wasMade("disk")).toBe(true);
    const third = await volumes.uuidOf("disk", at("/c"));
    await volumes.rememberMade("disk", third, at("/c"));
    expect(volumes.disksOf("disk").map(({ uuid }) => uuid)).toEqual([third, first]);
    await close();
    const again = await opened();
    expect(await again.volumes.uuidOf("disk", at("/a"))).toBe(first);
    expect(await again.volumes.uuidOf("disk")).toBe(third);
    await again.volumes.rememberMade("disk", first, at("/d"));
    expect(again.volumes.disksOf("disk")).toEqual([
      { uuid: first, made: true, place: at("/d") },
      { uuid: third, made: true, place: at("/c") },
    ]);
    for (let index = 0; index < 20; index += 1) {
      const place = at(`/more/${index}`);
      await again.volumes.rememberMade("disk", await again.volumes.uuidOf("disk", place), place);
    }
    expect(again.volumes.disksOf("disk")).toHaveLength(9);
    await again.volumes.forget("disk");
    expect(again.volumes.disksOf("disk")).toEqual([]);
    await again.close();
  });

  it("takes an identity from before places were kept for that of whatever has the name", async () => {
    const uuid = makeUuid();
    const text = `{"format": "thinlun state", "version": 2, "volumes": {"d": {"uuid": "${uuid}", "made": true}}}`;
    await writeFile(join(folder, "state.json"), text);
    const { volumes, close } = await opened();
    const place = { driver: "raw", path: "/a" } as const;
    expect(await volumes.uuidOf("d", place)).toBe(uuid);
    await volumes.rememberMade("d", uuid, place);
    expect(await volumes.uuidOf("d", { ...place, path: "/b" })).not.toBe(uuid);
    await close();
  });

  it("goes on with the inventory before where one cannot be kept", async () => {
    let isFull = false;
    const steps = {
      ...systemSteps,
      write: (path: string, text: string) =>
        isFull ? Promise.reject(new Error("ENOSPC")) : systemSteps.write(path, text),
    };
    const store = await StateStore.open(folder, { makeUuid, steps });
    const portals = fullInventory().portals;
    await store.keep({ ...EMPTY_INVENTORY, portals }, []);
    isFull = true;
    await expect(store.keep(fullInventory(), [])).rejects.toThrow("ENOSPC");
    expect(store.inventory).toEqual({ ...EMPTY_INVENTORY, portals });
    isFull = false;
    await store.volumes.uuidOf("disk");
    await store.close();
    const again = await StateStore.open(folder, { makeUuid });
    expect(again.inventory).toEqual({ ...EMPTY_INVENTORY, portals });
    await again.close();
  });

  it("names the state before the last change where that one is good", async () => {
    const store = await StateStore.open(folder, { makeUuid });
    await store.keep(fullInventory(), []);
    await store.volumes.uuidOf("disk");
    await store.close();
    const path = join(folder, "state.json");
    await writeFile(path, '{"format": "thinlun sta');
    const opening = StateStore.open(folder, { makeUuid });
    await expect(opening).rejects.toThrow(`mv ${path}.1 ${path}`);
    await rename(`${path}.1`, path);
    const again = await StateStore.open(folder, { makeUuid });
    expect(again.inventory).toEqual(fullInventory());
    await again.close();
  });

  it("does not hand out an identity that could not be kept", async () => {
    let full = true;
    const steps = {
      ...systemSteps,
      write: (path: string, text: string): Promise<void> =>
        full ? Promise.reject(new Error("ENOSPC")) : systemSteps.write(path, text),
    };
    const store = await StateStore.open(folder, { makeUuid, steps });
    await expect(store.volumes.uuidOf("disk")).rejects.toThrow("ENOSPC");
    full = false;
    const kept = await store.volumes.uuidOf("disk");
    await store.close();
    expect(await uuidAfterRestart("disk")).toBe(kept);
  });

  it("says which folder cannot be used", async () => {
    const file = join(folder, "file");
    await writeFile(file, "");
    await chmod(file, 0o600);
    await expect(StateStore.open(file, { makeUuid })).rejects.toThrow(
      `the state folder ${file} cannot be used`,
    );
  });
});
