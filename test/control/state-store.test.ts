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
    await store.keep(fullInventory(), creations);
    expect(store.inventory).toEqual(fullInventory());
    await store.close();
    const again = await StateStore.open(folder, { makeUuid });
    expect(again.inventory).toEqual(fullInventory());
    expect(again.creations).toEqual(creations);
    expect(await again.volumes.uuidOf("disk")).toBe(uuid);
    await again.close();
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
