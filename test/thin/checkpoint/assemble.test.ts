import { describe, expect, it } from "vitest";
import { MemoryDevice } from "../../../src/device/memory-device.ts";
import { assemble } from "../../../src/thin/checkpoint/assemble.ts";
import { appendRecord, syncBarrier } from "../../../src/thin/log/promises.ts";
import { copyOf, dump, formatted, MIB, opened } from "./fixture.ts";

describe("assembling a pool", () => {
  it("finds the devices in any order", async () => {
    const [a, b, c] = await formatted([16 * MIB, 12 * MIB, 13 * MIB]);
    const empty = new MemoryDevice(20 * MIB, "empty");
    const found = await assemble([c!, empty, a!, b!]);
    expect(found.name).toBe("tank");
    expect(found.devices).toEqual([a, b, c]);
    expect(found.joining).toEqual([]);
    expect(found.superblocks).toHaveLength(4);
    const pool = await opened([c!, b!, a!]);
    expect(pool.state.addresses.devices).toEqual([a, b, c]);
  });

  it("names what is missing, twice there, foreign or smaller", async () => {
    const [a, b] = await formatted([16 * MIB, 16 * MIB]);
    const { devices } = (await opened([a!, b!])).state;
    const uuids = devices.map(({ uuid }) => uuid);
    await expect(assemble([a!])).rejects.toMatchObject({
      kind: "missing",
      message: expect.stringContaining(uuids[1]!) as string,
    });
    await expect(assemble([b!])).rejects.toMatchObject({
      kind: "missing",
      message: expect.stringContaining(uuids[0]!) as string,
    });
    await expect(assemble([a!, b!, copyOf(b!)])).rejects.toMatchObject({ kind: "exists" });
    await expect(assemble([new MemoryDevice(16 * MIB)])).rejects.toMatchObject({ kind: "missing" });
    await expect(assemble([])).rejects.toMatchObject({ kind: "missing" });
    b!.resize(15 * MIB);
    await expect(assemble([a!, b!])).rejects.toMatchObject({
      kind: "corrupt",
      message: expect.stringContaining("smaller") as string,
    });
  });

  it("says that a superblock is there and broken", async () => {
    const [a] = await formatted();
    for (const { offsetBytes } of (await assemble([a!])).superblocks) {
      a!.tryWrite(Buffer.from([1]), 0, 1, offsetBytes + 2000);
    }
    await expect(assemble([a!])).rejects.toMatchObject({ kind: "corrupt" });
  });

  it("brings a device that the journal adds, and needs it", async () => {
    const [a] = await formatted();
    const pool = await opened([a!], 1);
    const b = new MemoryDevice(16 * MIB, "b");
    const device = { uuid: "77777777-7777-4777-8777-777777777777", sizeBytes: 16 * MIB };
    await pool.superblocks.writeLabel(b, 1, [...pool.state.devices, device]);
    // Twice, as after a growth: the second label goes to the other place.
    await pool.superblocks.writeLabel(b, 1, [...pool.state.devices, device]);
    pool.state.addresses.addDevice(b);
    const segment = { device: 1, offsetBytes: 8 * MIB, extents: 100, virginFrom: 100 };
    await appendRecord(pool.journal, { kind: "add-device", device, segment });
    await syncBarrier(pool.barrier);
    expect((await assemble([b, a!])).joining).toEqual([{ uuid: device.uuid, device: b }]);
    await expect(opened([a!], 2)).rejects.toMatchObject({ kind: "missing" });
    const again = await opened([b, a!], 2);
    expect(again.state.addresses.devices).toEqual([a, b]);
    expect(await dump(again.state)).toBe(await dump(pool.state));
    expect((await assemble([a!, b])).devices).toEqual([a, b]);
  });
});
