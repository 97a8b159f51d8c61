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
      /^3:13 .*one of raw, memory, not "rwa"; did you mean "raw"/,
    ],
    ["no path", withVolume("driver: raw"), /the key "path" is missing/],
    ["no size", withVolume("driver: memory"), /the key "size" is missing/],
    ["a bare unit", withVolume("driver: memory", "size: 1G"), /^4:11 .*ambiguous; write GiB/],
    ["a tiny disk", withVolume("driver: memory", "size: 512"), /from 4 KiB to 64 GiB, not 512/],
    ["an odd size", withVolume("driver: memory", "size: 5000"), /multiple of 512 bytes, not 5000/],
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
      "volumes: { a/b: { driver: memory, size: 1MiB } }\ntargets: []",
      /^1:12 .*letters/,
    ],
    [
      "one path twice",
      "volumes:\n  a: { driver: raw, path: x }\n  b: { driver: raw, path: ./x }\ntargets: []",
      /^3:6 volumes\.b: "a" has the same path \/etc\/thinlun\/x/,
    ],
  ];

  itRefuses(bad);
});
