import { describe, expect, it } from "vitest";
import { type BadConfig, itRefuses, parse, withVolume } from "./support.ts";

describe("volumes of the configuration", () => {
  it("take sizes in units, and paths from the folder of the file", () => {
    const { config } = parse(withVolume("driver: raw", "path: ../disk.img"));
    expect(config.volumes.get("disk")).toMatchObject({ path: "/etc/disk.img", sizeBytes: null });
  });

  it("warn about one that nobody can reach", () => {
    const { warnings } = parse(withVolume("driver: memory", "size: 1MiB"));
    expect(warnings).toEqual([
      { line: 3, column: 5, message: "volumes.disk: no target has a LUN for it" },
    ]);
  });

  const bad: readonly BadConfig[] = [
    [
      "no driver",
      withVolume("size: 1MiB"),
      /^3:5 volumes\.disk: the key "driver" is missing; it is one of raw/,
    ],
    [
      "an unknown driver",
      withVolume("driver: rwa"),
      /^3:13 .*one of raw, memory, null, thin, not "rwa"; did you mean "raw"/,
    ],
    ["no path", withVolume("driver: raw"), /the key "path" is missing/],
    ["no size", withVolume("driver: memory"), /the key "size" is missing/],
    ["a bare unit", withVolume("driver: memory", "size: 1G"), /^4:11 .*ambiguous; write GiB/],
    ["a tiny disk", withVolume("driver: memory", "size: 512"), /from 4 KiB to 64 GiB, not 512/],
    [
      "an odd size",
      withVolume("driver: memory", "size: 5000"),
      /multiple of 512 bytes, such as 5120, not 5000/,
    ],
    [
      "creation without a size",
      withVolume("driver: raw", "path: x", "create: true"),
      /^3:5 volumes\.disk: "create" needs a "size"/,
    ],
    [
      "creation of what cannot be written",
      withVolume("driver: raw", "path: x", "size: 1MiB", "create: true", "readOnly: true"),
      /stays empty/,
    ],
    ["a flag that is none", withVolume("driver: raw", "path: x", "direct: maybe"), /true or false/],
    [
      "an option of another driver",
      withVolume("driver: memory", "size: 1MiB", "direct: true"),
      /^5:5 volumes\.disk: unknown key "direct"/,
    ],
    [
      "a wrong uuid",
      withVolume("driver: memory", "size: 1MiB", "uuid: 17"),
      /must be a text, not 17/,
    ],
    [
      "a bad uuid",
      withVolume("driver: memory", "size: 1MiB", "uuid: a-b"),
      /must be a UUID such as/,
    ],
    [
      "a bad name",
      "volumes: { a/: { driver: memory, size: 1MiB } }\ntargets: []",
      /^1:12 .*letters/,
    ],
    [
      "one path twice",
      "volumes:\n  a: { driver: raw, path: x }\n  b: { driver: raw, path: ./x }\ntargets: []",
      /^3:6 volumes\.b: "a" has the same path \/etc\/thinlun\/x/,
    ],
  ];

  itRefuses(bad);

  const withPool = (...settings: string[]): string =>
    [
      "pools: { tank: { devices: [p.img] } }",
      "volumes:",
      "  disk:",
      ...["driver: thin", ...settings].map((line) => `    ${line}`),
      "targets: []",
    ].join("\n");

  it("of a pool leave as it is what they do not say", () => {
    const { config } = parse(withPool("pool: tank"));
    expect(config.volumes.get("disk")).toEqual({
      driver: "thin",
      pool: "tank",
      name: null,
      sizeBytes: null,
      create: false,
      reserveBytes: null,
      quotaBytes: null,
      uuid: null,
      readOnly: false,
      optional: false,
      delayMs: 0,
    });
  });

  itRefuses([
    ["a thin volume without a pool", withPool(), /the key "pool" is missing/],
    ["an unknown pool", withPool("pool: tnak"), /^5:11 .*no pool "tnak"; did you mean "tank"/],
    [
      "creation of a thin volume without a size",
      withPool("pool: tank", "create: true"),
      /"create" needs a "size"/,
    ],
    [
      "creation of a thin volume that cannot be written",
      withPool("pool: tank", "create: true", "size: 1MiB", "readOnly: true"),
      /stays empty/,
    ],
    [
      "more reserved than there is",
      withPool("pool: tank", "size: 1GiB", "reserve: 2GiB"),
      /"reserve" is more than the "size"/,
    ],
    [
      "more reserved than may be taken",
      withPool("pool: tank", "reserve: 2GiB", "quota: 1GiB"),
      /"reserve" is more than the "quota"/,
    ],
    [
      "a path for a thin volume",
      withPool("pool: tank", "path: x"),
      /unknown key "path"; did you mean "pool"|unknown key "path"; known are/,
    ],
  ]);
});
