import { mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { listenOnSocket } from "../../src/control/control-socket.ts";

let folder: string;
const servers: Server[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "thinlun-socket-"));
});

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
  rmSync(folder, { recursive: true, force: true });
});

function listen(path: string): Promise<void> {
  const server = createServer((socket) => socket.destroy());
  servers.push(server);
  return listenOnSocket(server, path);
}

describe("the place of the socket", () => {
  it("is for its owner only", async () => {
    const path = join(folder, "control.sock");
    const before = process.umask();
    await listen(path);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(process.umask()).toBe(before);
  });

  it("is not taken from a daemon that lives", async () => {
    const path = join(folder, "control.sock");
    await listen(path);
    await expect(listen(path)).rejects.toThrow("another daemon listens");
  });

  it("is taken over from one that died", async () => {
    const [path, moved] = [join(folder, "control.sock"), join(folder, "left.sock")];
    await listen(path);
    // What a kill leaves: the file, and nobody behind it. Closing removes the name that was listened on.
    renameSync(path, moved);
    await new Promise((resolve) => void servers.pop()?.close(resolve));
    expect(statSync(moved).isSocket()).toBe(true);
    await listen(moved);
    await expect(listen(moved)).rejects.toThrow("another daemon listens");
  });

  it("is not taken from a file", async () => {
    const file = join(folder, "file");
    writeFileSync(file, "precious");
    await expect(listen(file)).rejects.toThrow("in the way");
    expect(statSync(file).size).toBe(8);
  });

  it("must not be too long for a socket, or lie nowhere", async () => {
    await expect(listen(join(folder, "x".repeat(100)))).rejects.toThrow("too long");
    await expect(listen("/nowhere/control.sock")).rejects.toThrow("cannot be made");
  });
});
