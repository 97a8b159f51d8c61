import { describe, expect, it } from "vitest";
import { checkLvm, checkMultipath, rejects } from "../../../src/cli/doctor/device-checks.ts";
import { exportedDevices } from "../../../src/cli/doctor/exported-devices.ts";
import { hostWith, poolWith } from "./support.ts";

describe("a filter of lvm.conf", () => {
  it.each([
    ['global_filter=["r|.*|"]', true],
    ['global_filter=["a|.*|"]', false],
    ['global_filter=["a|^/dev/sda$|","r|.*|"]', true],
    ['global_filter=["a|^/dev/sdb$|","r|.*|"]', false],
    ['global_filter=["r|^/dev/sdb$|","a|.*|"]', true],
    ['global_filter="r|/dev/sdb|"', true],
    ['global_filter=["r/sdb/"]', true],
    ['global_filter=["r|(|"]', false],
    ["", false],
  ])("%s rejects /dev/sdb: %s", (filter, isRejected) => {
    expect(rejects(filter, "/dev/sdb")).toBe(isRejected);
  });
});

describe("LVM", () => {
  const lvs = { lvs: "" };
  const filterLine = "lvmconfig devices/global_filter";
  const fileLine = "lvmconfig --typeconfig full devices/use_devicesfile";
  const listed = {
    "/etc/lvm/devices/system.devices": "IDTYPE=x IDNAME=y DEVNAME=/dev/sdc PVID=z\n",
  };

  it.each([
    ["is not there", {}, {}, "ok"],
    ["has no filter", lvs, {}, "warn"],
    ["rejects it", { ...lvs, [filterLine]: 'global_filter=["r|sdb|"]' }, {}, "ok"],
    ["rejects another", { ...lvs, [filterLine]: 'global_filter=["r|sdc|"]' }, {}, "warn"],
    ["has a list without it", { ...lvs, [fileLine]: "use_devicesfile=1\n" }, listed, "ok"],
    ["has a list that is off", { ...lvs, [fileLine]: "use_devicesfile=0\n" }, listed, "warn"],
  ])("that %s", async (_, programs, files, level) => {
    const host = hostWith({ programs, files });
    expect(await checkLvm(host, ["/dev/sdb"])).toMatchObject({ check: "lvm", level });
  });

  it("sees nothing where no devices are exported", async () => {
    expect(await checkLvm(hostWith({ programs: lvs }), [])).toMatchObject({ level: "ok" });
  });

  it("is told of a device in its list, and by lines that reject just what is exported", async () => {
    const programs = { ...lvs, [fileLine]: "use_devicesfile=1\n" };
    const { message, fix } = await checkLvm(hostWith({ programs, files: listed }), ["/dev/sdc"]);
    expect(message).toContain("/dev/sdc");
    expect(fix).toContain('global_filter = [ "r|^/dev/sdc$|", "a|.*|" ]');
    expect(rejects(fix ?? "", "/dev/sdc")).toBe(true);
    expect(rejects(fix ?? "", "/dev/sdc1")).toBe(false);
  });

  it("gets patterns in which names mean themselves", async () => {
    const { fix } = await checkLvm(hostWith({ programs: lvs }), ["/dev/mapper/a.b+c"]);
    expect(rejects(fix ?? "", "/dev/mapper/a.b+c")).toBe(true);
    expect(rejects(fix ?? "", "/dev/mapper/axb+c")).toBe(false);
  });
});

describe("multipath", () => {
  const folders = { "/sys/block/sdb/holders": ["dm-3"] };
  const files = {
    "/sys/block/dm-3/dm/uuid": "mpath-36001\n",
    "/sys/block/dm-3/dm/name": "mpatha\n",
  };

  it("is told of one path of it", async () => {
    const finding = await checkMultipath(hostWith({ folders, files }), ["/dev/sda", "/dev/sdb"]);
    expect(finding).toMatchObject({ level: "warn" });
    expect(finding.message).toContain("mpatha");
    expect(finding.fix).toContain('wwid "36001"');
  });

  it("is not what every holder is", async () => {
    const others = { ...files, "/sys/block/dm-3/dm/uuid": "LVM-abc\n" };
    const host = hostWith({ folders, files: others });
    expect(await checkMultipath(host, ["/dev/sdb"])).toMatchObject({ level: "ok" });
  });
});

describe("the devices that are exported", () => {
  const text = `
pools: { tank: { devices: [/dev/disk/by-id/x, /srv/pool.img] }, bad: null }
volumes: { a: { driver: raw, path: /dev/sda }, b: { driver: memory }, c: { path: 7 } }
targets: []
`;

  it("are those of the daemon and of the configuration, by the names that the kernel has", async () => {
    const host = hostWith({
      files: { "/etc/thinlun/thinlun.yaml": text },
      resolve: (path) => Promise.resolve(path.replace("disk/by-id/x", "sdz")),
    });
    const pools = [poolWith({ device: "/dev/sdb" }), poolWith({ device: "/dev/sda" })];
    expect(await exportedDevices(host, { pools })).toEqual(["/dev/sda", "/dev/sdb", "/dev/sdz"]);
  });

  it.each(["{", "7", "pools: 7", "[]", ""])("are none of the file %j", async (broken) => {
    const host = hostWith({ files: { "/etc/thinlun/thinlun.yaml": broken } });
    expect(await exportedDevices(host, { unreachable: "" })).toEqual([]);
  });
});
