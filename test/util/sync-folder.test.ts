import { join } from "node:path";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { expect, it } from "vitest";
import { syncFolder } from "../../src/util/sync-folder.ts";

it("syncs a folder, and nothing else", async () => {
  const folder = mkdtempSync(join(tmpdir(), "thinlun-sync-"));
  const file = join(folder, "file");
  writeFileSync(file, "");
  await syncFolder(folder);
  await expect(syncFolder(file)).rejects.toMatchObject({ code: "ENOTDIR" });
  await expect(syncFolder(join(folder, "none"))).rejects.toMatchObject({ code: "ENOENT" });
  rmSync(folder, { recursive: true });
});
