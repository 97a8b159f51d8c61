import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadConfig } from "../../src/control/config/load-config.ts";

const top = join(import.meta.dirname, "..", "..");
const folder = join(top, "packaging", "container");

interface Instruction {
  readonly name: string;
  readonly text: string;
}

/** The instructions, continued lines joined, comments left out. */
const instructions: readonly Instruction[] = readFileSync(join(folder, "Containerfile"), "utf8")
  .replace(/^#.*\n/gm, "")
  .replace(/\\\n\s*/g, "")
  .split("\n")
  .filter((line) => line.trim() !== "")
  .map((line) => ({ name: line.split(" ", 1)[0] ?? "", text: line.slice(line.indexOf(" ") + 1) }));

const named = (name: string): string[] =>
  instructions.filter((one) => one.name === name).map(({ text }) => text);

const KNOWN = new Set(
  "FROM WORKDIR COPY RUN LABEL ENV USER VOLUME EXPOSE STOPSIGNAL HEALTHCHECK ENTRYPOINT CMD".split(
    " ",
  ),
);

describe("the recipe for a container", () => {
  it("has instructions that there are", () => {
    expect(instructions.filter(({ name }) => !KNOWN.has(name))).toEqual([]);
    expect(instructions[0]?.name).toBe("FROM");
  });

  it("has two stages of one Node.js, that of package.json, by its full name", () => {
    const bases = named("FROM").map((text) => text.split(" ")[0]);
    expect(bases).toHaveLength(2);
    expect(new Set(bases)).toEqual(new Set(["docker.io/library/node:20-bookworm-slim"]));
  });

  it("copies what is there, and what the list of the context lets through", () => {
    const let_ = readFileSync(join(folder, "Containerfile.dockerignore"), "utf8")
      .split("\n")
      .filter((line) => line.startsWith("!"))
      .map((line) => line.slice(1));
    for (const text of named("COPY").filter((one) => !one.startsWith("--from="))) {
      for (const source of text.split(" ").slice(0, -1)) {
        expect(existsSync(join(top, source)), source).toBe(true);
        expect(let_).toContain(source);
      }
    }
  });

  it("takes from the first stage only what that has", () => {
    const sources = named("COPY").flatMap((text) => /^--from=build (\S+)/.exec(text)?.[1] ?? []);
    expect(sources).toEqual(["/src/package.json", "/src/node_modules", "/src/dist"]);
  });

  it("does not run as the superuser, and keeps its state", () => {
    expect(named("USER").at(-1)).toBe("node");
    expect(named("VOLUME")).toEqual(["/var/lib/thinlun"]);
    expect(named("EXPOSE")).toEqual(["3260"]);
    const last = instructions.findIndex(({ name }) => name === "USER");
    expect(instructions.slice(last).some(({ name }) => name === "RUN")).toBe(false);
  });

  it("starts programs without a shell, so that signals reach them", () => {
    for (const text of [...named("ENTRYPOINT"), ...named("CMD")]) {
      expect(Array.isArray(JSON.parse(text))).toBe(true);
    }
    expect(named("ENTRYPOINT")).toEqual(['["thinlun"]']);
  });

  it("has all commands", () => {
    const [, list = ""] = /for name in ([^;]*);/.exec(named("RUN").join("\n")) ?? [];
    const commands = readdirSync(join(top, "src/cli")).flatMap(
      (name) => /^(.*)\.cts$/.exec(name)?.[1] ?? [],
    );
    for (const command of commands) expect(list.split(" ")).toContain(command);
  });

  it.each(["packaging/container/thinlun.yaml", "packaging/thinlun.yaml"])(
    "%s is a configuration",
    (path) => {
      const { config, warnings } = loadConfig(join(top, path));
      expect(warnings).toEqual([]);
      expect(config.targets).toEqual([]);
      expect(config.portals.map(({ listen }) => listen)).toEqual([
        { address: "0.0.0.0", port: 3260 },
      ]);
    },
  );
});
