import yargs from "yargs";
import { describe, expect, it } from "vitest";
import { poolTable, scanTable } from "../../../src/cli/pool/list.ts";
import { volumeCommand } from "../../../src/cli/volume.ts";
import { createCommand } from "../../../src/cli/volume/change.ts";
import { exportCommand } from "../../../src/cli/volume/export.ts";
import { importCommand } from "../../../src/cli/volume/import.ts";
import { listCommand } from "../../../src/cli/volume/list.ts";
import { isQcow } from "../../../src/cli/volume/qemu-image.ts";

describe("the commands on volumes", () => {
  it("have help with their options", async () => {
    for (const { command } of [createCommand, exportCommand, importCommand, listCommand]) {
      const [name = ""] = String(command).split(" ");
      const help = await yargs(["volume", name])
        .command(volumeCommand)
        .exitProcess(false)
        .getHelp();
      expect(help).toContain(`volume ${name}`);
      expect(help).toContain("--device");
    }
  });

  it("know an image of QEMU by its first bytes", async () => {
    expect(await isQcow(import.meta.filename)).toBe(false);
  });
});

describe("tables", () => {
  it("say where there is nothing", () => {
    expect(poolTable([])).toContain("no pools");
    expect(scanTable({ pools: [], problems: [] })).toContain("no pool");
  });
});
