import { expect, it } from "vitest";
import { serveBanner } from "../../src/cli/serve-banner.ts";

const lun = { lun: 3, volume: "d", capacityBytes: 2 ** 30, path: "/s/d.img", isNew: true };
const target = { name: "iqn.2026-11.net.thinlun:demo", usesChap: false, luns: [lun] };

const HERE = { program: "npx thinlun", options: " --state-dir /s" };

it("says what was made, where, and what to type", () => {
  const text = serveBanner(
    {
      portals: [{ address: "127.0.0.1", port: 3260 }],
      stateDir: "/s",
      targets: [target],
      demo: "demo/disk",
    },
    HERE,
  );
  expect(text).toContain("LUN 3  d, 1 GiB, /s/d.img (new)");
  expect(text).toContain("iscsiadm -m discovery -t sendtargets -p 127.0.0.1:3260");
  expect(text).toContain("qemu-img info iscsi://127.0.0.1:3260/iqn.2026-11.net.thinlun:demo/3");
  expect(text).toContain("  npx thinlun volume show demo/disk --state-dir /s\n");
  expect(text).toContain("  npx thinlun snapshot create demo/disk --state-dir /s\n");
  expect(text).toContain("npx thinlun serve --config FILE");
  expect(text).toContain("Ctrl-C");
});

it("gives an address that can be typed where it listens on all", () => {
  const portals = [
    { address: "0.0.0.0", port: 1 },
    { address: "::", port: 2 },
  ];
  const memory = { ...lun, path: null, isNew: false };
  const text = serveBanner(
    {
      portals,
      stateDir: "/s",
      targets: [{ ...target, usesChap: true, luns: [memory] }],
      demo: null,
    },
    HERE,
  );
  expect(text).toContain("ready on 127.0.0.1:1, [::1]:2");
  expect(text).toContain("(CHAP)");
  expect(text).toContain("in memory");
  expect(text).not.toContain("--config FILE");
});

it("copes with nothing to show", () => {
  expect(serveBanner({ portals: [], stateDir: "/s", targets: [], demo: null }, HERE)).toContain(
    "/s",
  );
});
