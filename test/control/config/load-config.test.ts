import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadConfig } from "../../../src/control/config/load-config.ts";
import { ConfigError } from "../../../src/control/config/report.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "thinlun-config-"));
});

afterEach(() => rm(folder, { recursive: true }));

const ACCOUNT = (secret: string): string => `volumes: {}
targets: []
discovery: { auth: { accounts: [{ user: a, ${secret} }] } }
`;

async function write(name: string, text: string, mode: number): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text, { mode });
  return path;
}

describe("loadConfig", () => {
  it("resolves paths from the folder of the file", async () => {
    const path = await write("c.yaml", "stateDir: state\nvolumes: {}\ntargets: []\n", 0o644);
    expect(loadConfig(path).config.stateDir).toBe(join(folder, "state"));
  });

  it("reads secrets from their files", async () => {
    await write("secret", "filesecret12\n", 0o600);
    const { config, warnings } = loadConfig(
      await write("c.yaml", ACCOUNT("passwordFile: secret"), 0o644),
    );
    expect(config.discovery.authentication?.accounts[0]?.secret.reveal()).toBe("filesecret12");
    expect(warnings).toEqual([]);
  });

  it("warns about secrets that others can read, wherever they are", async () => {
    await write("secret", "filesecret12\n", 0o644);
    const apart = loadConfig(await write("a.yaml", ACCOUNT("passwordFile: secret"), 0o600));
    expect(apart.warnings[0]?.message).toMatch(/secret can be read by others .*chmod 600/);
    const inline = await write("b.yaml", ACCOUNT("password: inlinesecret"), 0o640);
    expect(loadConfig(inline).warnings[0]?.message).toMatch(/holds secrets and can be read by/);
    const own = await write("c.yaml", ACCOUNT("password: inlinesecret"), 0o600);
    expect(loadConfig(own).warnings).toEqual([]);
  });

  it("says which file cannot be read", () => {
    const path = join(folder, "none.yaml");
    expect(() => loadConfig(path)).toThrow(ConfigError);
    expect(() => loadConfig(path)).toThrow(`${path}: cannot be read: ENOENT`);
    expect(() => loadConfig(folder)).toThrow("EISDIR");
  });

  it("does not swallow a disk image", async () => {
    const path = await write("disk.img", "#".repeat(5 * 1024 * 1024), 0o600);
    expect(() => loadConfig(path)).toThrow("far too long");
  });
});
