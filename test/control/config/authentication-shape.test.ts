import { describe, expect, it } from "vitest";
import { type BadConfig, complaints, itRefuses, parse, withTarget } from "./support.ts";

const LUN = "luns: [{ lun: 0, volume: disk }]";

function withAccount(account: string, ...rest: string[]): string {
  return withTarget(LUN, "auth:", `  accounts: [${account}]`, ...rest.map((line) => `  ${line}`));
}

describe("authentication in the configuration", () => {
  it("takes a secret from a file, without the line feed", () => {
    const { config, holdsSecrets } = parse(withAccount("{ user: a, passwordFile: secret }"));
    expect(config.targets[0]?.authentication?.accounts[0]?.secret.reveal()).toBe("filesecret12");
    expect(holdsSecrets).toBe(false);
  });

  it("warns about short secrets and about files that others can read", () => {
    const { warnings } = parse(
      withAccount("{ user: a, password: short }, { user: b, passwordFile: open-secret }"),
    );
    expect(warnings.map(({ message }) => message)).toEqual([
      expect.stringContaining('the secret of "a" has 5 bytes'),
      expect.stringContaining("/etc/thinlun/open-secret can be read by others"),
    ]);
  });

  const bad: readonly BadConfig[] = [
    ["no secret", withAccount("{ user: a }"), /^6:18 .*either "password" or "passwordFile"/],
    [
      "two secrets",
      withAccount("{ user: a, password: x, passwordFile: secret }"),
      /either "password"/,
    ],
    ["no user", withAccount("{ passwordFile: secret }"), /the key "user" is missing/],
    ["no accounts", withAccount(""), /auth: has no "accounts"; leave "auth" out/],
    [
      "a file that is not there",
      withAccount("{ user: a, passwordFile: none }"),
      /cannot be read: ENOENT/,
    ],
    ["a file that is no secret", withAccount("{ user: a, passwordFile: long-secret }"), /too long/],
    [
      "a user twice",
      withAccount("{ user: a, passwordFile: secret }, { user: a, passwordFile: secret }"),
      /"a" is bound twice/,
    ],
    [
      "one secret both ways",
      withAccount("{ user: a, passwordFile: secret }", "mutual: { user: b, passwordFile: secret }"),
      /must not have the secret of an incoming one/,
    ],
    [
      "a proof that cannot be given",
      withAccount("{ user: a, passwordFile: secret }", "mutualRequired: true"),
      /needs an incoming and an outgoing account/,
    ],
    [
      "an unknown algorithm",
      withAccount("{ user: a, passwordFile: secret }", "algorithms: [sha512]"),
      /one of sha3-256, sha256, sha1, md5, not "sha512"/,
    ],
  ];

  itRefuses(bad);

  it.each(["123456789012", "[hunter2hunter2]", "{ hunter2hunter2: 1 }", "true"])(
    "does not repeat a secret of the wrong type: %s",
    (value) => {
      const found = complaints(withAccount(`{ user: a, password: ${value} }`));
      expect(found).toEqual([expect.stringContaining("must be a text; put it in quotes")]);
      expect(found.join("")).not.toMatch(/hunter2|123456789012/);
    },
  );

  it("shows no secret when the configuration is logged", () => {
    const { config } = parse(withAccount("{ user: a, password: hunter2hunter2 }"));
    expect(JSON.stringify(config.targets)).toContain('"secret":"[redacted]"');
    expect(JSON.stringify(config.targets)).not.toContain("hunter2");
  });
});
