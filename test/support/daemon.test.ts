import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test, vi } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "thinlun-daemon-test-"));

afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

test("a daemon that a signal kills as it starts is not waited for", async () => {
  const program = join(folder, "dies.cjs");
  writeFileSync(program, 'process.kill(process.pid, "SIGKILL");');
  vi.stubEnv("THINLUN_CLI", program);
  vi.stubEnv("TMPDIR", folder);
  const { Daemon } = await import("./daemon.ts");
  const start = Daemon.start(() => ({ volumes: {}, targets: [] }));
  await expect(start).rejects.toThrow("does not listen");
}, 30_000);
