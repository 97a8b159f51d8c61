import { describe, expect, it } from "vitest";
import { itRefuses, parse } from "./support.ts";

/** A configuration with one pool of these settings, which begin at line 3, and a volume in it. */
function withPool(...lines: string[]): string {
  return [
    "pools:",
    "  tank:",
    ...lines.map((line) => `    ${line}`),
    "volumes: { disk: { driver: thin, pool: tank } }",
    "targets: [{ name: iqn.2026-11.net.example:x, luns: [{ lun: 0, volume: disk }] }]",
  ].join("\n");
}

describe("pools of the configuration", () => {
  it("have defaults, and paths from the folder of the file", () => {
    const { config, warnings } = parse(withPool("devices: [p.img, /dev/sdx]"));
    expect(config.pools.get("tank")).toEqual({
      devices: ["/etc/thinlun/p.img", "/dev/sdx"],
      create: null,
      direct: false,
      optional: false,
      thresholds: [80, 95],
      autogrow: null,
      fullRetrySeconds: 60,
    });
    expect(warnings).toEqual([]);
  });

  it("take everything", () => {
    const { config } = parse(
      withPool(
        "devices: [p.img]",
        "create: { size: 10GiB, extentSize: 16KiB }",
        "thresholds: [50]",
        "autogrow: { below: 1GiB, step: 2GiB, max: 1TiB }",
        "fullRetry: 0",
      ),
    );
    expect(config.pools.get("tank")).toMatchObject({
      create: { sizeBytes: 10 * 2 ** 30, extentBytes: 16 * 1024 },
      thresholds: [50],
      autogrow: { belowBytes: 2 ** 30, stepBytes: 2 ** 31, maxBytes: 2 ** 40 },
      fullRetrySeconds: 0,
    });
  });

  it("are none where none are given", () => {
    expect(parse("volumes: {}\ntargets: []").config.pools.size).toBe(0);
  });

  it("warn about one that nobody uses", () => {
    const text = "pools: { tank: { devices: [p.img] } }\nvolumes: {}\ntargets: []";
    expect(parse(text).warnings[0]?.message).toBe("pools.tank: no volume is in it");
  });

  itRefuses([
    ["a pool without devices", withPool("direct: true"), /the key "devices" is missing/],
    ["a pool of nothing", withPool("devices: []"), /a pool has a device/],
    [
      "an extent size that is none",
      withPool("devices: [p]", "create: { extentSize: 48KiB }"),
      /power of two from 16KiB to 1MiB/,
    ],
    [
      "an image that is too small",
      withPool("devices: [p]", "create: { size: 1MiB }"),
      /must be from 64 MiB/,
    ],
    [
      "thresholds out of order",
      withPool("devices: [p]", "thresholds: [95, 80]"),
      /must be ascending/,
    ],
    ["thresholds that are none", withPool("devices: [p]", "thresholds: [100]"), /from 1 to 99/],
    ["one device twice", withPool("devices: [p, ./p]"), /also in the pool "tank"/],
    [
      "a growth without a limit",
      withPool("devices: [p]", "autogrow: { below: 1GiB, step: 1GiB }"),
      /the key "max" is missing/,
    ],
    [
      "a device that is a volume",
      "pools: { tank: { devices: [p] } }\nvolumes: { d: { driver: raw, path: p } }\ntargets: []",
      /the device \/etc\/thinlun\/p is also in the volume "d"/,
    ],
    [
      "a name that is none",
      "pools: { a/b: { devices: [p] } }\nvolumes: {}\ntargets: []",
      /a pool's name/,
    ],
  ]);
});
