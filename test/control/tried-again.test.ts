import { once } from "node:events";
import { renameSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { Config, VolumeConfig } from "../../src/control/config/config.ts";
import { readCapacity16 } from "../../src/initiator/scsi.ts";
import { DISK, DaemonBench, MIB } from "./operations/support/daemon-bench.ts";
import { hangUp } from "./support/hang-up.ts";
import {
  imageConfig,
  lunConfig,
  poolConfig,
  targetConfig,
  thinConfig,
} from "./support/inventories.ts";
import { emptyConfig } from "./support/plane-harness.ts";

let bench: DaemonBench;

beforeEach(async () => {
  bench = await DaemonBench.make();
});

afterEach(() => bench.dispose());

const lunsOf = (name: string): number[] => [
  ...(bench.harness.server.targets.get(name)?.device.units.keys() ?? []),
];
const path = (name: string): string => join(bench.folder, name);

it("what commands have made and was not there at the start is tried again at SIGHUP", async () => {
  await bench.makePool("disk");
  const raw = path("raw.img");
  await writeFile(raw, new Uint8Array(MIB));
  await bench.run("target/create", { name: DISK });
  await bench.run("target/map", { target: DISK, volume: "tank/disk" });
  await bench.run("target/map", { target: DISK, volume: raw });
  const { address: free } = await bench.run("portal/create", { listen: "localhost:0" });
  const address = free ?? "";
  await bench.run("portal/delete", { listen: "localhost:0" });
  await bench.run("portal/create", { listen: address });
  await bench.harness.dispose();
  for (const name of ["tank.img", "raw.img"]) renameSync(path(name), path(`${name}.away`));
  const other = createServer().listen(Number(address.split(":")[1]), "127.0.0.1");
  await once(other, "listening");
  await bench.start();
  expect(lunsOf(DISK)).toEqual([]);
  expect(bench.harness.parts.portals.portals).toHaveLength(1);
  await bench.run("target/create", { name: `${DISK}2` });
  for (const volume of ["tank/disk", raw]) {
    const mapped = bench.run("target/map", { target: `${DISK}2`, volume });
    await expect(mapped).rejects.toThrow(/could not be opened when the daemon started/);
  }
  for (const name of ["tank.img", "raw.img"]) renameSync(path(`${name}.away`), path(name));
  other.close();
  await once(other, "close");
  await hangUp(bench.harness, bench.harness.plane.view.config);
  expect(lunsOf(DISK)).toEqual([0, 1]);
  const listening = await bench.run("portal/list", {});
  expect(listening.map((portal) => portal.address)).toContain(address);
  const session = await bench.login();
  const { blocks, blockBytes } = await readCapacity16(session, 0);
  expect(blocks * blockBytes).toBe(8 * MIB);
});

it("so is what the configuration can do without, with the pool that it lies in", async () => {
  const config = (pools: Config["pools"]): Config => ({
    ...emptyConfig(bench.folder),
    pools,
    volumes: new Map<string, VolumeConfig>([
      ["disk", thinConfig("vault", { optional: true, create: true, sizeBytes: MIB })],
      ["image", imageConfig(path("image.img"), { optional: true, create: false })],
    ]),
    targets: [targetConfig(DISK, { luns: [lunConfig(0, "disk"), lunConfig(1, "image")] })],
  });
  const devices = [path("vault.img")];
  const create = { sizeBytes: 64 * MIB, extentBytes: 64 * 1024 };
  const pools = new Map([["vault", poolConfig({ devices, create })]]);
  await bench.restart(config(pools));
  expect(lunsOf(DISK)).toEqual([0]);
  await bench.harness.dispose();
  renameSync(path("vault.img"), path("away"));
  const optional = config(new Map([["vault", poolConfig({ devices, optional: true })]]));
  await bench.start(optional);
  expect(lunsOf(DISK)).toEqual([]);
  await hangUp(bench.harness, optional);
  expect(lunsOf(DISK)).toEqual([]);
  // It is still there to be seen that it is wanted.
  expect([...bench.harness.plane.view.all.volumes.keys()]).toEqual(["disk", "image"]);
  renameSync(path("away"), path("vault.img"));
  await writeFile(path("image.img"), new Uint8Array(MIB));
  await hangUp(bench.harness, optional);
  expect(lunsOf(DISK)).toEqual([0, 1]);
});
