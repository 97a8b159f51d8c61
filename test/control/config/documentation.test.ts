import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseConfig } from "../../../src/control/config/parse-config.ts";

const top = join(import.meta.dirname, "..", "..", "..");
const read = (path: string): string => readFileSync(join(top, path), "utf8");

function examples(path: string): string[] {
  return [...read(path).matchAll(/```yaml\n(.*?)```/gs)].map((match) => match[1] ?? "");
}

let secrets = 0;

/** Each file has a secret of its own, as it should be. */
const readSecretFile = () => {
  secrets += 1;
  return { text: `a secret of file ${secrets}\n`, exposed: false };
};

describe.each(["README.md", "docs/configuration.md"])("the examples of %s", (path) => {
  it("are good configurations, and there are some", () => {
    expect(examples(path).length).toBeGreaterThan(0);
    for (const text of examples(path)) {
      const parsed = parseConfig({ fileName: path, text, folder: "/etc", readSecretFile });
      expect(parsed.warnings).toEqual([]);
    }
  });
});

/** Key and default of every row of the tables. */
function documentedDefaults(): Map<string, string> {
  const rows = read("docs/configuration.md").matchAll(/^\| (`[^|]+`) +\| ([^|]+?) +\|/gm);
  return new Map([...rows].map((row) => [row[1] ?? "", row[2] ?? ""]));
}

it("the reference gives the defaults that hold", () => {
  const text = `
volumes: { disk: { driver: raw, path: /x }, mem: { driver: memory, size: 1MiB } }
targets:
  - name: iqn.2026-11.net.example:x
    luns: [{ lun: 0, volume: disk }, { lun: 1, volume: mem }]
    auth: { accounts: [{ user: alice, passwordFile: secret }] }
`;
  const { config } = parseConfig({ fileName: "", text, folder: "/etc", readSecretFile });
  const [target, [portal]] = [config.targets[0]!, config.portals];
  const { offers } = target;
  const kib = (bytes: number): string => `${bytes / 1024}KiB`;
  const disk = config.volumes.get("disk")!;
  const expected: Record<string, string> = {
    "`log.level`": `\`${config.log.level}\``,
    "`log.pretty`": `\`${config.log.pretty}\``,
    "`poll`": `\`${config.poll}\``,
    "`portals`": `\`${portal?.listen.address}:${portal?.listen.port}\``,
    "`limits.connections`": `${config.limits.connections}`,
    "`interval`": `${config.limits.pings.intervalSeconds}`,
    "`count`": `${config.limits.pings.count}`,
    "`group`": `${portal?.group}`,
    "`optional`": `${disk.optional}`,
    "`readOnly`": `${disk.readOnly}`,
    "`delayMs`": `${disk.delayMs}`,
    "`sessions`": `${target.sessionsMax}`,
    "`blockSize`": `${target.luns[0]?.blockBytes}`,
    "`mutualRequired`": `${target.authentication?.mutualRequired}`,
    "`headerDigest`, `dataDigest`": `\`${offers.headerDigest}\``,
    "`maxRecvDataSegmentLength`": kib(offers.maxRecvDataSegmentLengthBytes),
    "`maxBurstLength`": kib(offers.maxBurstLengthBytes),
    "`firstBurstLength`": kib(offers.firstBurstLengthBytes),
    "`maxOutstandingR2T`": `${offers.maxOutstandingR2t}`,
    "`initialR2T`": `${offers.initialR2t}`,
    "`immediateData`": `${offers.immediateData}`,
    "`defaultTime2Wait`, `defaultTime2Retain`": `${offers.defaultTime2WaitSeconds}, ${offers.defaultTime2RetainSeconds}`,
  };
  const documented = documentedDefaults();
  for (const [key, value] of Object.entries(expected)) {
    expect([key, documented.get(key)]).toEqual([key, value]);
  }
  expect(offers.dataDigest).toBe(offers.headerDigest);
});

it("the reference names every key that the messages name", () => {
  const reference = read("docs/configuration.md");
  const sources = [
    "parse-config",
    "volume-shape",
    "pool-shape",
    "target-shape",
    "access-shape",
    "authentication-shape",
  ];
  const keys = sources.flatMap((name) =>
    [...read(`src/control/config/${name}.ts`).matchAll(/^\s+(\w+): (?:required|optional)\(/gm)].map(
      (match) => match[1] ?? "",
    ),
  );
  expect(keys.length).toBeGreaterThan(40);
  const missing = keys.filter((key) => !new RegExp(`\\b${key}\\b`).test(reference));
  expect(missing).toEqual([]);
});
