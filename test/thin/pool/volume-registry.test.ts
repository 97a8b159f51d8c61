import { expect, test } from "vitest";
import { VolumeRegistry } from "../../../src/thin/pool/volume-registry.ts";
import { PoolBench } from "./support/pool-bench.ts";

test("volumes are found, counted in use, and gone when they are removed", async () => {
  const bench = await PoolBench.make();
  const { engine } = await bench.create("one");
  await bench.create("two");
  const registry = new VolumeRegistry(engine);
  const [one, two] = registry.all();
  expect([one?.attributes.name, two?.attributes.name]).toEqual(["one", "two"]);
  expect(registry.find("two")).toBe(two);
  expect(registry.find(one!.attributes.uuid)).toBe(one);
  expect(registry.find("three")).toBeNull();
  const release = registry.use(one!);
  const other = registry.use(one!);
  expect(registry.uses(one!)).toBe(2);
  release();
  release();
  expect(registry.uses(one!)).toBe(1);
  other();
  expect(registry.uses(one!)).toBe(0);
  registry.remove(one!);
  expect(() => registry.mustHave(one!)).toThrow("volume one is not there any more");
  expect(registry.all()).toEqual([two]);
});

test("a volume is used or renamed, not both", async () => {
  const bench = await PoolBench.make();
  const { engine } = await bench.create("one");
  const registry = new VolumeRegistry(engine);
  const [one] = registry.all();
  const release = registry.use(one!);
  expect(() => registry.beginRename(one!)).toThrow("in use under this name");
  release();
  const renamed = registry.beginRename(one!);
  expect(() => registry.use(one!)).toThrow("being renamed");
  renamed();
  registry.use(one!)();
});

test("a volume in use is renamed where its user learns of the name", async () => {
  const bench = await PoolBench.make();
  const { engine } = await bench.create("one");
  const registry = new VolumeRegistry(engine);
  const [one] = registry.all();
  const release = registry.use(one!);
  const renamed = registry.beginRename(one!, true);
  expect(() => registry.use(one!)).toThrow("being renamed");
  renamed();
  expect(registry.uses(one!)).toBe(1);
  release();
});

test("a volume of another opening is not this pool's", async () => {
  const bench = await PoolBench.make();
  const before = await bench.create("data");
  await bench.kill();
  expect(() => bench.pool.use(before)).toThrow("not there any more");
});
