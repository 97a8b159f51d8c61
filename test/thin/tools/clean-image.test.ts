import { expect, it } from "vitest";
import { MemoryDevice } from "../../../src/device/memory-device.ts";
import { PARTIAL_FLAG } from "../../../src/thin/format/layout.ts";
import { checkPool } from "../../../src/thin/tools/check.ts";
import { cleanImage } from "../../../src/thin/tools/clean-image.ts";
import { writePool } from "../../../src/thin/tools/write-pool.ts";
import { chooseSeed, SeededRandom } from "../../../src/util/random.ts";
import { opened, ownerOf } from "../checkpoint/fixture.ts";
import { contentOf, exampleDevice, imageOf } from "./support/example-data.ts";

const seed = chooseSeed(process.env);

it("leaves nothing in an image that a pool may not hold", async () => {
  const image = await imageOf([await exampleDevice()]);
  const [first, second] = [...image.volumes.values()];
  const leaf = first?.leaves.get(0);
  if (leaf === undefined || second === undefined) throw new Error("the example has two volumes");
  leaf.bases ??= new Uint32Array(1008);
  leaf.masks ??= new Uint32Array(1008);
  // An extent that is not there, none at all, two masks that are none, itself and nothing as a base.
  const wrong = [
    [849, 0, 0],
    [PARTIAL_FLAG, 1, 0],
    [PARTIAL_FLAG + 22, 0, 0],
    [PARTIAL_FLAG + 22, 0xffff, 0],
    [PARTIAL_FLAG + 22, 1, 22],
    [PARTIAL_FLAG + 22, 1, 849],
  ];
  for (const [index, [word = 0, mask = 0, base = 0]] of wrong.entries()) {
    leaf.words[100 + index] = word;
    leaf.masks[100 + index] = mask;
    leaf.bases[100 + index] = base;
  }
  const { name, uuid } = first!.attributes;
  second.attributes = { ...second.attributes, name, uuid };
  const notes: string[] = [];
  const newUuid = (): string => "0c0c0c0c-4a59-4687-9785-a4b3c2d1e0ff";
  cleanImage(image, newUuid, (message) => notes.push(message));
  expect(notes).toEqual([
    `entries of maps that cannot be, and are left out: ${wrong.length}`,
    expect.stringContaining("volume 2 gets another"),
    expect.stringContaining('volume 2 is called "recovered-2" now'),
  ]);
  const again: string[] = [];
  cleanImage(image, newUuid, (message) => again.push(message));
  expect(again).toEqual([]);
  const random = new SeededRandom(seed);
  const target = new MemoryDevice(40 * 2 ** 20, "new");
  await writePool(image, {
    targets: [{ device: target, isZero: true }],
    uuid: "0e0e0e0e-4a59-4687-9785-a4b3c2d1e0ff",
    randomBytes: (length) => random.bytes(length),
    owner: ownerOf(1),
  });
  expect((await checkPool([target])).findings).toEqual([]);
  expect((await opened([target])).report.fellBack).toBe(false);
  expect(await contentOf(await imageOf([target]))).toEqual({
    [name]: "0=17 1=18 9=20,19,20",
    "recovered-2": "0=17 1=18 9=19",
  });
});
