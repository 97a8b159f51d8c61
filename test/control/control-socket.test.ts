import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
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

const OWN_USER = 0;
const STRANGER = 65534;

/** Being somebody else takes being the superuser. */
const canBeOthers = process.getuid?.() === OWN_USER && existsSync("/usr/bin/setpriv");

/** What becomes of a connection that a user makes: "connected", or the system's code. */
function connectionOf(user: number, path: string): string {
  const script = `
    require("node:net").connect(process.argv[1])
      .on("connect", function () { process.stdout.write("connected"); this.destroy(); })
      .on("error", (error) => process.stdout.write(error.code));
  `;
  const ids = ["--reuid", String(user), "--regid", String(user), "--clear-groups"];
  const child = spawnSync("setpriv", [...ids, process.execPath, "-e", script, path]);
  return child.stdout.toString();
}

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

  it.runIf(canBeOthers)(
    "is not reached by other users, even where they get into the folder",
    async () => {
      const path = join(folder, "control.sock");
      await listen(path);
      expect(connectionOf(OWN_USER, path)).toBe("connected");
      chmodSync(folder, 0o755);
      expect(connectionOf(STRANGER, path)).toBe("EACCES");
      // The same attempt gets in where the socket lets it: it is the mode that keeps strangers out.
      chmodSync(path, 0o666);
      expect(connectionOf(STRANGER, path)).toBe("connected");
      chmodSync(folder, 0o700);
      expect(connectionOf(STRANGER, path)).toBe("EACCES");
    },
  );

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
