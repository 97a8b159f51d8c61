import { expect, test } from "vitest";
import { MemoryDevice } from "../../../src/device/memory-device.ts";
import type { Grower, Growth, NewMember } from "../../../src/thin/pool/auto-growth.ts";
import {
  commandGrower,
  firstOf,
  imageGrower,
  spareGrower,
  stepOf,
} from "../../../src/thin/pool/growers.ts";

const MIB = 1024 * 1024;
const { signal } = new AbortController();

/** Claims devices, but for those of which a reason says why not; `ends` has what became of them. */
class Claims {
  readonly refused = new Map<string, string>();
  readonly ends: string[] = [];

  readonly claim = (path: string): Promise<NewMember> => {
    const reason = this.refused.get(path);
    if (reason !== undefined) return Promise.reject(new Error(reason));
    return Promise.resolve({
      device: new MemoryDevice(MIB, path),
      uuid: path,
      isZero: false,
      settled: (isMember) => Promise.resolve(void this.ends.push(`${path} ${isMember}`)),
    });
  };
}

function need(bytesWanted: number) {
  return { bytesWanted, freeBytes: 1, signal };
}

function names(growths: readonly Growth[]): string[] {
  return growths.map((growth) =>
    growth.kind === "device" ? growth.device.name : `${growth.device} grown`,
  );
}

test("a step is what is wanted, a share of what is there, and no more than there is room for", () => {
  expect(stepOf(20, 80, Infinity)).toBe(20);
  expect(stepOf(1, 80, Infinity)).toBe(10);
  expect(stepOf(20, 80, 5)).toBe(5);
  expect(stepOf(20, 80, -5)).toBe(0);
});

test("an image grows by what is wanted, as far as there is room", async () => {
  const image = new MemoryDevice(64 * MIB);
  const grower = imageGrower({
    device: 3,
    image,
    roomBytes: () => 100 * MIB - image.capacityBytes,
    resize: (sizeBytes) => Promise.resolve(image.resize(sizeBytes)),
  });
  expect(await grower(need(20 * MIB))).toEqual([{ kind: "grown", device: 3, isZero: true }]);
  expect(image.capacityBytes).toBe(84 * MIB);
  await grower(need(20 * MIB));
  expect(image.capacityBytes).toBe(100 * MIB);
  expect(await grower(need(20 * MIB))).toEqual([]);
});

test("spare devices are added one at a time; one that is refused does not keep the next one away", async () => {
  const claims = new Claims();
  const members = new Set(["a"]);
  const grower = spareGrower({
    paths: ["a", "b", "c"],
    isMember: (path) => Promise.resolve(members.has(path)),
    claim: claims.claim,
  });
  claims.refused.set("b", "something is on it");
  expect(names(await grower(need(1)))).toEqual(["c"]);
  members.add("c");
  await expect(grower(need(1))).rejects.toThrow("something is on it");
  claims.refused.clear();
  expect(names(await grower(need(1)))).toEqual(["b"]);
  members.add("b");
  expect(await grower(need(1))).toEqual([]);
});

test("a command is told what is wanted; what has grown and what it names is taken", async () => {
  const claims = new Claims();
  const asked: unknown[] = [];
  let roomBytes = Infinity;
  const grower = commandGrower({
    presentBytes: () => 800,
    roomBytes: () => roomBytes,
    run: (wanted) => {
      asked.push(wanted);
      return Promise.resolve(["old", "new", "new"]);
    },
    refresh: () => Promise.resolve([1]),
    isMember: (path) => Promise.resolve(path === "old"),
    claim: claims.claim,
  });
  expect(names(await grower(need(7)))).toEqual(["1 grown", "new"]);
  roomBytes = 50;
  await grower(need(7));
  roomBytes = 0;
  expect(await grower(need(7))).toEqual([]);
  expect(asked).toEqual([
    { bytesWanted: 100, freeBytes: 1, signal },
    { bytesWanted: 50, freeBytes: 1, signal },
  ]);
});

test("where one device that a command names is refused, the others are let go", async () => {
  const claims = new Claims();
  claims.refused.set("bad", "something is on it");
  const grower = commandGrower({
    presentBytes: () => 0,
    roomBytes: () => Infinity,
    run: () => Promise.resolve(["good", "bad"]),
    refresh: () => Promise.resolve([]),
    isMember: () => Promise.resolve(false),
    claim: claims.claim,
  });
  await expect(grower(need(1))).rejects.toThrow("something is on it");
  expect(claims.ends).toEqual(["good false"]);
});

test("the first that has something is enough, and a failure counts where none has", async () => {
  const nothing: Grower = () => Promise.resolve([]);
  const broken: Grower = () => Promise.reject(new Error("no disk"));
  const grown: Growth = { kind: "grown", device: 0, isZero: false };
  const rich: Grower = () => Promise.resolve([grown]);
  expect(await firstOf([nothing, broken, rich])(need(1))).toEqual([grown]);
  expect(await firstOf([nothing])(need(1))).toEqual([]);
  await expect(firstOf([broken, nothing])(need(1))).rejects.toThrow("no disk");
});
