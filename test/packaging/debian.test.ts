import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasProgram } from "../support/debian-packages.ts";
import { spawnMortal } from "../support/mortal-child.ts";
import { attempt, run } from "../support/program.ts";

/** The package has a thousand files; a busy machine takes its time to write them. */
const BUILD_MS_MAX = 240_000;

const top = join(import.meta.dirname, "..", "..");

/** What lintian has against the package that is so on purpose. */
const ON_PURPOSE = /bogus-mail-host|running with root/;

describe.skipIf(!hasProgram("dpkg-deb"))("the Debian package", () => {
  let folder: string;
  let file: string;
  let names: string[];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "thinlun-deb-"));
    const build = join(top, "packaging/debian/build.ts");
    const said = await run(process.execPath, "--import", "tsx", build, folder);
    file = said.trim();
    names = (await run("dpkg-deb", "-c", file))
      .trim()
      .split("\n")
      .map((line) => line.split(/\s+/).slice(5).join(" "));
  }, BUILD_MS_MAX);

  afterAll(() => rmSync(folder, { recursive: true }));

  it("takes the place of tgt, and needs a new Node.js", async () => {
    const field = async (name: string): Promise<string> =>
      (await run("dpkg-deb", "-f", file, name)).trim();
    expect(await field("Package")).toBe("thinlun");
    expect(await field("Architecture")).toBe("all");
    expect(await field("Depends")).toBe("nodejs (>= 20.19)");
    for (const relation of ["Provides", "Conflicts", "Replaces"])
      expect(await field(relation)).toBe("tgt");
    const { version } = JSON.parse(readFileSync(join(top, "package.json"), "utf8")) as {
      version: string;
    };
    expect(await field("Version")).toBe(version);
  });

  it("has starters for all commands, where tgt has them, too", () => {
    const commands = readdirSync(join(top, "src", "cli"))
      .filter((name) => name.endsWith(".cts"))
      .map((name) => name.slice(0, -".cts".length));
    expect(commands).toContain("thinlun");
    expect(commands).toContain("tgtadm");
    for (const command of commands) {
      expect(names).toContain(`./usr/bin/${command} -> ../lib/thinlun/dist/src/cli/${command}.cjs`);
      if (command !== "thinlun")
        expect(names).toContain(`./usr/sbin/${command} -> ../bin/${command}`);
      expect(names).toContain(`./usr/share/man/man8/${command}.8.gz`);
    }
  });

  it("has unit, configuration and documents", () => {
    for (const name of [
      "./lib/systemd/system/thinlun.service",
      "./etc/thinlun/thinlun.yaml",
      "./usr/share/man/man5/thinlun.yaml.5.gz",
      "./usr/share/man/man5/targets.conf.5.gz",
      "./usr/share/doc/thinlun/copyright",
    ]) {
      expect(names).toContain(name);
    }
  });

  it("has the modules that it runs with, and no others", () => {
    const modules = new Set(
      names.flatMap(
        (name) =>
          /^\.\/usr\/lib\/thinlun\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(name)?.[1] ?? [],
      ),
    );
    for (const name of ["pino", "yaml", "yargs"]) expect(modules).toContain(name);
    // What is only for development, and what would have to be compiled.
    for (const name of ["vitest", "typescript", "tsx", "fs-ext"])
      expect(modules).not.toContain(name);
    expect(names.filter((name) => /\.(ts|map|node)$/.test(name))).toEqual([]);
  });

  it("unpacked runs a daemon with the configuration that it brings", async () => {
    const root = join(folder, "root");
    await run("dpkg-deb", "-x", file, root);
    await run("dpkg-deb", "-e", file, join(root, "DEBIAN"));
    expect(readFileSync(join(root, "DEBIAN", "conffiles"), "utf8")).toBe(
      "/etc/thinlun/thinlun.yaml\n",
    );
    for (const script of ["postinst", "prerm", "postrm"])
      await run("sh", "-n", join(root, "DEBIAN", script));
    const packaged = readFileSync(join(root, "etc/thinlun/thinlun.yaml"), "utf8");
    expect(packaged).toContain("0.0.0.0:3260");
    const config = join(folder, "thinlun.yaml");
    writeFileSync(config, packaged.replace("0.0.0.0:3260", "127.0.0.1:0"));
    const ready = join(folder, "ready");
    const starter = join(root, "usr/bin/thinlun");
    const args = [
      "serve",
      "--config",
      config,
      "--state-dir",
      join(folder, "state"),
      "--ready-file",
      ready,
    ];
    const daemon = spawnMortal(starter, args);
    let said = "";
    daemon.stdout?.on("data", (chunk: Buffer) => (said += chunk.toString()));
    daemon.stderr?.on("data", (chunk: Buffer) => (said += chunk.toString()));
    const closed = once(daemon, "close");
    while (!existsSync(ready)) {
      expect(daemon.exitCode, said).toBeNull();
      await sleep(20);
    }
    const pools = await run(
      starter,
      "pool",
      "list",
      "--json",
      "--state-dir",
      join(folder, "state"),
    );
    expect(JSON.parse(pools)).toEqual([]);
    daemon.kill("SIGTERM");
    await closed;
    expect(daemon.exitCode, said).toBe(0);
  });

  it.skipIf(!hasProgram("lintian"))(
    "has no errors that lintian knows",
    async () => {
      const { stdout } = await attempt("lintian", "--fail-on", "none", file);
      const errors = stdout.split("\n").filter((line) => line.startsWith("E:"));
      expect(errors.filter((line) => !ON_PURPOSE.test(line))).toEqual([]);
    },
    BUILD_MS_MAX,
  );
});
