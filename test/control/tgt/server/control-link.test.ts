import { existsSync, mkdtempSync, readlinkSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { linkControlSocket } from "../../../../src/control/tgt/server/control-link.ts";

const folder = mkdtempSync(join(tmpdir(), "thinlun-link-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe("linkControlSocket", () => {
  it("replaces what an earlier daemon has left, and goes when it is told to", async () => {
    const path = join(folder, "socket.0.thinlun");
    symlinkSync("/nowhere", path);
    const unlink = await linkControlSocket(join(folder, "socket.0"), join(folder, "control.sock"));
    expect(readlinkSync(path)).toBe(join(folder, "control.sock"));
    await unlink();
    expect(existsSync(path)).toBe(false);
    await unlink();
  });
});
