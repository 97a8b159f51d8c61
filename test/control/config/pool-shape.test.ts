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
      shared: false,
      takeOver: false,
      optional: false,
      overcommitMax: null,
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
        "overcommit: 2.5",
        "shared: true",
      ),
    );
    expect(config.pools.get("tank")).toMatchObject({
      create: { sizeBytes: 10 * 2 ** 30, extentBytes: 16 * 1024 },
      thresholds: [50],
      autogrow: {
        belowBytes: 2 ** 30,
        stepBytes: 2 ** 31,
        maxBytes: 2 ** 40,
        image: true,
        spares: [],
        command: null,
      },
      fullRetrySeconds: 0,
      overcommitMax: 2.5,
      shared: true,
      direct: true,
    });
  });

  it("are taken over from others by more than a yes, where those never showed life", () => {
    for (const [given, expected] of [
      ["true", true],
      ["force", "force"],
      ["false", false],
    ] as const) {
      const { config } = parse(withPool("devices: [/d]", `takeOver: ${given}`));
      const pool = config.pools.get("tank");
      expect(pool).toMatchObject({ takeOver: expected, direct: expected !== false });
    }
    const wrong = () => parse(withPool("devices: [/d]", "takeOver: perhaps"));
    expect(wrong).toThrow(/must be true, false or force/);
  });

  it("grow by spares and commands, which are no images", () => {
    const grown = (...keys: string[]) =>
      parse(
        withPool("devices: [/d]", `autogrow: { below: 1GiB, ${keys.join(", ")} }`),
      ).config.pools.get("tank")?.autogrow;
    expect(grown("spares: [s.img, /dev/sdy]")).toEqual({
      belowBytes: 2 ** 30,
      stepBytes: 2 ** 30,
      maxBytes: null,
      image: false,
      spares: ["/etc/thinlun/s.img", "/dev/sdy"],
      command: null,
    });
    expect(grown("step: 2GiB", "command: [hooks/grow, tank]", "timeout: 5")).toMatchObject({
      image: false,
      command: { program: "/etc/thinlun/hooks/grow", args: ["tank"], timeoutSeconds: 5 },
    });
    expect(grown("step: 2GiB", "command: [grow]")?.command).toEqual({
      program: "grow",
      args: [],
      timeoutSeconds: 60,
    });
    expect(grown("step: 1GiB", "max: 9GiB", "image: true", "spares: [s]")?.image).toBe(true);
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
      "a growth in steps of nothing",
      withPool("devices: [p]", "autogrow: { below: 1GiB, command: [x] }"),
      /the key "step" is missing/,
    ],
    [
      "a growth of nothing",
      withPool("devices: [p]", "autogrow: { below: 1GiB, image: false }"),
      /nothing is left that could grow/,
    ],
    [
      "a command that is none",
      withPool("devices: [p]", "autogrow: { below: 1GiB, step: 1GiB, command: [] }"),
      /a program and its arguments/,
    ],
    [
      "a spare that is a device already",
      withPool("devices: [p]", "autogrow: { below: 1GiB, spares: [p] }"),
      /also in the pool "tank"/,
    ],
    [
      "a limit that nothing is below",
      withPool("devices: [p]", "overcommit: 0.5"),
      /a number from 1 to 10000, or 0/,
    ],
    ["a limit that is no number", withPool("devices: [p]", "overcommit: much"), /not "much"/],
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
