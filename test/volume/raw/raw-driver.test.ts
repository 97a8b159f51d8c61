import {
  lstat,
  mkdir,
  mkdtemp,
  rename,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { discard, flush, writeBytes } from "../../../src/util/io-request.ts";
import { RawDriver } from "../../../src/volume/raw/raw-driver.ts";
import { describeVolumeContract } from "../contract.ts";
import { failureOf, type VolumeHarness } from "../contract/factory.ts";

const UUID = "0d0c3b74-5f4b-4a0e-8d1e-0c8e2a3f9b10";
const MIB = 1024 * 1024;

async function harness(options: Readonly<Record<string, unknown>> = {}): Promise<VolumeHarness> {
  const folder = await mkdtemp(join(tmpdir(), "thinlun-raw-"));
  return {
    driver: new RawDriver(),
    spec: (name, sizeBytes) => ({
      name,
      uuid: UUID,
      options: { path: join(folder, `${name}.img`), ...options },
      ...(sizeBytes === undefined ? {} : { sizeBytes }),
    }),
    dispose: () => rm(folder, { recursive: true }),
  };
}

const factory = {
  driver: { create: true, delete: true, resize: true, snapshot: false, rollback: false },
  volume: { writable: true, extents: false, persistent: true, resizable: true, rotational: false },
  sizeStepBytes: 4096,
};

describeVolumeContract("raw image file", {
  ...factory,
  volume: { ...factory.volume, rotational: expect.any(Boolean) as boolean },
  prepare: () => harness(),
});

describeVolumeContract("raw image file behind a delay", {
  ...factory,
  volume: { ...factory.volume, rotational: expect.any(Boolean) as boolean },
  prepare: () => harness({ delayMs: 1 }),
});

describe("the raw driver", () => {
  let place: VolumeHarness;

  beforeEach(async () => {
    place = await harness();
  });

  afterEach(() => place.dispose());

  const pathOf = (name: string): string => String(place.spec(name).options["path"]);

  it("makes sparse files for the owner's eyes only", async () => {
    await place.driver.create(place.spec("disk", 1024 * MIB));
    const stats = await stat(pathOf("disk"));
    expect(stats.size).toBe(1024 * MIB);
    expect(stats.blocks * 512).toBeLessThan(MIB);
    expect(stats.mode & 0o777).toBe(0o600);
  });

  it("gives space back on discard, where the manifest calls the volume thin", async () => {
    await place.driver.create(place.spec("disk", 8 * MIB));
    const volume = await place.driver.open(place.spec("disk"));
    await writeBytes(volume, 0, Buffer.alloc(4 * MIB, 1));
    await flush(volume);
    const before = (await stat(pathOf("disk"))).blocks;
    if (volume.capabilities.thin) {
      await discard(volume, 0, 4 * MIB);
      expect((await stat(pathOf("disk"))).blocks).toBeLessThan(before);
    }
    await volume.close();
  });

  it("does not write over a file that is there, nor through a link", async () => {
    await writeFile(pathOf("notes"), "precious");
    await expect(place.driver.create(place.spec("notes", MIB))).rejects.toThrow(/EEXIST/);
    await symlink(pathOf("notes"), pathOf("link"));
    await expect(place.driver.create(place.spec("link", MIB))).rejects.toThrow(/EEXIST/);
    expect((await stat(pathOf("notes"))).size).toBe("precious".length);
  });

  it("does not delete a link, nor what it points to", async () => {
    await place.driver.create(place.spec("disk", MIB));
    await symlink(pathOf("disk"), pathOf("link"));
    const error = await failureOf(place.driver.delete(place.spec("link")));
    expect(error).toHaveProperty("kind", "unsupported");
    expect((await lstat(pathOf("link"))).isSymbolicLink()).toBe(true);
    expect((await stat(pathOf("disk"))).size).toBe(MIB);
  });

  it("sees that the file was grown by somebody else", async () => {
    await place.driver.create(place.spec("disk", MIB));
    const volume = await place.driver.open(place.spec("disk"));
    await truncate(pathOf("disk"), 3 * MIB);
    expect(volume.capacityBytes).toBe(MIB);
    await volume.refresh();
    expect(volume.capacityBytes).toBe(3 * MIB);
    await volume.close();
  });

  it("does not resize another file that has taken the name", async () => {
    await place.driver.create(place.spec("disk", MIB));
    const volume = await place.driver.open(place.spec("disk"));
    await rename(pathOf("disk"), pathOf("moved"));
    await writeFile(pathOf("disk"), "somebody else's");
    await expect(place.driver.resize(volume, 2 * MIB, false)).rejects.toThrow(/another file/);
    expect((await stat(pathOf("disk"))).size).toBe("somebody else's".length);
    await volume.close();
  });

  it("does not write to a file that the host uses: behind a loop device, as swap, mounted", async () => {
    const folder = dirname(pathOf("disk"));
    const folders = { sys: join(folder, "sys"), proc: join(folder, "proc"), udev: "" };
    const driver = new RawDriver(folders);
    await driver.create(place.spec("disk", MIB));
    const put = async (path: string, text: string): Promise<void> => {
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, text);
    };
    const backingFile = join(folders.sys, "block/loop3/loop/backing_file");
    await put(backingFile, `${pathOf("disk")}\n`);
    const behindLoop = await failureOf(driver.open(place.spec("disk")));
    expect(behindLoop).toMatchObject({
      kind: "busy",
      message: expect.stringMatching(/^volume disk: .*the file behind \/dev\/loop3/),
    });
    // Nothing is left open, and who only reads does no harm.
    await (await driver.open({ ...place.spec("disk"), readOnly: true })).close();
    await rm(backingFile);
    await put(join(folders.proc, "swaps"), `Filename Type\n${pathOf("disk")} file 1 0 -2\n`);
    expect(await failureOf(driver.open(place.spec("disk")))).toHaveProperty("kind", "busy");
    await rm(join(folders.proc, "swaps"));
    await (await driver.open(place.spec("disk"))).close();
  });

  it("refuses what is neither file nor device", async () => {
    const options = { path: tmpdir() };
    const spec = { name: "folder", uuid: UUID, options };
    expect(await failureOf(place.driver.open(spec))).toHaveProperty("kind", "unsupported");
  });

  it("names the volume and the path in what it says", async () => {
    const error = await failureOf(place.driver.open(place.spec("nowhere")));
    expect(String(error)).toContain("volume nowhere");
    expect(String(error)).toContain(pathOf("nowhere"));
  });

  it.each([
    [{}, /option path/],
    [{ path: "" }, /option path/],
    [{ path: "/x", direct: "yes" }, /option direct/],
    [{ path: "/x", delayMs: -1 }, /option delayMs/],
    [{ path: "/x", delayms: 1 }, /unknown option delayms; known are path, direct, delayMs/],
  ])("refuses the options %j", async (options, message) => {
    const spec = { name: "disk", uuid: UUID, options };
    await expect(place.driver.open(spec)).rejects.toThrow(message);
  });
});
