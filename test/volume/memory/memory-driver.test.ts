import { expect, it } from "vitest";
import { readBytes } from "../../../src/util/io-request.ts";
import { MemoryDriver } from "../../../src/volume/memory/memory-driver.ts";
import { describeVolumeContract } from "../contract.ts";
import type { VolumeHarness } from "../contract/factory.ts";

const UUID = "8b7a5f9c-2f5e-4c8e-9d35-54a2cbbd3c11";

function harness(options: Readonly<Record<string, unknown>> = {}): VolumeHarness {
  return {
    driver: new MemoryDriver(),
    spec: (name, sizeBytes) => ({
      name,
      uuid: UUID,
      options,
      ...(sizeBytes === undefined ? {} : { sizeBytes }),
    }),
    dispose: () => Promise.resolve(),
  };
}

const factory = {
  driver: { create: true, delete: true, resize: true, snapshot: false, rollback: false },
  volume: { writable: true, thin: true, discardZeroes: true, persistent: false, resizable: true },
  sizeStepBytes: 512,
};

describeVolumeContract("memory", { ...factory, prepare: () => Promise.resolve(harness()) });

it("a delay leaves the turn of the event loop, whatever the memory could do", async () => {
  const { driver, spec } = harness({ delayMs: 1 });
  await driver.create(spec("slow", 4096));
  const volume = await driver.open(spec("slow"));
  expect(volume.tryRead(Buffer.alloc(512), 0, 512, 0)).toBe(false);
  expect(await readBytes(volume, 0, 512)).toHaveLength(512);
  await volume.close();
});

it("refuses more than a process can be asked to hold", async () => {
  const { driver, spec } = harness();
  await expect(driver.create(spec("huge", 2 ** 50))).rejects.toThrow(/at most \d+ bytes/);
});
