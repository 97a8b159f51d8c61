import { expect, it } from "vitest";
import type { VolumeConfig } from "../../src/control/config/config.ts";
import { demoConfig } from "../../src/control/demo-config.ts";
import { describeTargets, statusText } from "../../src/control/running.ts";
import type { OpenVolume } from "../../src/control/volume-store.ts";
import { FakeVolume } from "../scsi/support/fake-volume.ts";

const { pools, volumes, targets } = demoConfig("/state");
const [target] = targets;
const [lun] = target?.luns ?? [];
const common = { sizeBytes: null, uuid: null, readOnly: false, optional: false, delayMs: 0 };

function open(config: VolumeConfig | undefined): OpenVolume {
  if (config === undefined) throw new Error("there is a volume");
  return { volume: new FakeVolume(4096), config, isNew: true };
}

it("tells of each LUN that is there where its data lie", () => {
  if (target === undefined || lun === undefined) throw new Error("demo");
  const opened = new Map([
    ["thin", open(volumes.get("disk"))],
    ["raw", open({ ...common, driver: "raw", path: "/a.img", create: false, direct: false })],
    ["memory", open({ ...common, driver: "memory", sizeBytes: 4096 })],
  ]);
  const luns = ["thin", "raw", "absent", "memory"].map((volume, at) => {
    return { ...lun, lun: at, volume };
  });
  const [described] = describeTargets({ pools, targets: [{ ...target, luns }] }, opened);
  expect(described).toMatchObject({ name: target.name, usesChap: false });
  expect(described?.luns.map((one) => [one.lun, one.volume, one.path])).toEqual([
    [0, "thin", "thin, in /state/demo-pool.img"],
    [1, "raw", "/a.img"],
    [3, "memory", null],
  ]);
  expect(described?.luns[0]).toMatchObject({ capacityBytes: 4096, isNew: true });
});

it("says in a line how many targets there are, and where", () => {
  const portals = ["127.0.0.1", "::1"].map((address) => ({ endpoint: { address, port: 3260 } }));
  expect(statusText([1], portals)).toBe("1 target on 127.0.0.1:3260, [::1]:3260");
  expect(statusText([], portals.slice(1))).toBe("0 targets on [::1]:3260");
});
