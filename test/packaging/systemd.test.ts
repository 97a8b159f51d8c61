import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { hasProgram } from "../support/debian-packages.ts";
import { attempt } from "../support/program.ts";

const folder = join(import.meta.dirname, "..", "..", "packaging", "systemd");
const unit = readFileSync(join(folder, "thinlun.service"), "utf8");

/** All values of a setting. */
function valuesOf(name: string): string[] {
  return unit
    .split("\n")
    .filter((line) => line.startsWith(`${name}=`))
    .map((line) => line.slice(name.length + 1));
}

describe("thinlun.service", () => {
  it("keeps the daemon running, and knows how it is", () => {
    expect(valuesOf("Type")).toEqual(["notify"]);
    expect(valuesOf("NotifyAccess")).toEqual(["all"]);
    expect(valuesOf("Restart")).toEqual(["always"]);
    expect(valuesOf("StartLimitIntervalSec")).toEqual(["0"]);
    expect(valuesOf("WatchdogSec")).toEqual(["60s"]);
  });

  it("answers to tgt's name", () => {
    expect(valuesOf("Alias")).toEqual(["tgt.service"]);
  });

  it("does not shut out the disks, and leaves no capability unsaid", () => {
    // ProtectClock allows one device, which with systemd before 255 is to allow no other.
    for (const name of [
      "PrivateDevices",
      "DeviceAllow",
      "ProtectClock",
      "MemoryDenyWriteExecute",
    ]) {
      expect(valuesOf(name)).toEqual([]);
    }
    const document = readFileSync(join(folder, "..", "..", "docs", "service.md"), "utf8");
    const capabilities = valuesOf("CapabilityBoundingSet").flatMap((value) => value.split(" "));
    expect(capabilities.length).toBeGreaterThan(5);
    for (const name of [...capabilities, "PrivateDevices", "ProtectClock", "ProtectHome"]) {
      expect(document).toContain(name);
    }
  });
});

describe.skipIf(!hasProgram("systemd-analyze"))("systemd-analyze", () => {
  let root: string;

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "thinlun-unit-"));
  });

  afterEach(() => rmSync(root, { recursive: true }));

  /** The unit as on a host, with programs where it says that they are. */
  async function verify(text: string): Promise<{ status: number | null; stderr: string }> {
    const program = join(root, "program");
    writeFileSync(program, "#!/bin/sh\n", { mode: 0o755 });
    const path = join(root, "thinlun.service");
    writeFileSync(path, text.replaceAll("/usr/bin/thinlun", program));
    mkdirSync(join(root, "thinlun.service.d"));
    const dropIn = readFileSync(join(folder, "targets-conf.conf"), "utf8");
    writeFileSync(
      join(root, "thinlun.service.d", "targets-conf.conf"),
      dropIn.replace(/\/usr\/bin\/tgt\S+/g, program),
    );
    return attempt("systemd-analyze", "--man=no", "verify", path);
  }

  it("has nothing to say against the unit and its example", async () => {
    expect(await verify(unit)).toMatchObject({ status: 0, stderr: "" });
  });

  it("would have", async () => {
    const { stderr } = await verify(unit.replace("Restart=always", "Restart=perhaps"));
    expect(stderr).toContain("perhaps");
  });

  it("finds less exposure than with a service that nothing is said of", async (context) => {
    const path = join(root, "thinlun.service");
    writeFileSync(path, unit);
    const exposure = await attempt("systemd-analyze", "security", "--offline=true", path);
    const level = /Overall exposure level for \S+: ([\d.]+)/.exec(exposure.stdout)?.[1];
    // Before systemd 250 nothing is said of a unit that is not installed.
    if (level === undefined) {
      await context.annotate("no offline analysis here");
      return;
    }
    await context.annotate(`exposure ${level} of 10`);
    expect(Number(level)).toBeLessThan(6);
  });
});
