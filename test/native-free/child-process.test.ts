import {
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { runChild, startDetached, startLineChild } from "../../native-free/child-process.ts";

describe("runChild", () => {
  it("returns what the program said and how it ended", async () => {
    const result = await runChild("/bin/sh", ["-c", "echo out; echo err >&2; exit 3"]);
    expect(result).toEqual({ outcome: "exited", exitCode: 3, stdout: "out\n", stderr: "err\n" });
  });

  it("says that a program is missing", async () => {
    const { outcome } = await runChild("thinlun-no-such-program", []);
    expect(outcome).toBe("missing");
  });

  it("tells that from a system that cannot start one now", async () => {
    const { outcome } = await runChild("true", [], { inheritedFd: 999_999 });
    expect(outcome).toBe("unstartable");
  });

  it("gives arguments to the program as they are", async () => {
    const { stdout } = await runChild("printf", ["%s|", "$HOME", "a b", "; exit 1"]);
    expect(stdout).toBe("$HOME|a b|; exit 1|");
  });

  it("kills what runs for too long", async () => {
    const { outcome } = await runChild("sleep", ["600"], { timeoutMs: 20 });
    expect(outcome).toBe("killed");
  });

  it("kills what is not wanted any more, also where children of its own go on and hold its output", async () => {
    const stopping = new AbortController();
    const script = "sleep 600 & echo $!; wait";
    const running = runChild("/bin/sh", ["-c", script], { signal: stopping.signal });
    setTimeout(() => stopping.abort(), 200);
    const { outcome, stdout } = await running;
    expect(outcome).toBe("killed");
    process.kill(Number(stdout));
    const late = await runChild("sleep", ["600"], { signal: stopping.signal });
    expect(late.outcome).toBe("killed");
  });

  it("drops output past the limit and still lets the program end", async () => {
    const script =
      "i=0; while [ $i -lt 5000 ]; do echo 0123456789012345678901234567890123456789; i=$((i+1)); done";
    const result = await runChild("/bin/sh", ["-c", script], { outputBytesMax: 100 });
    expect(result.exitCode).toBe(0);
    expect(result.stdout).toHaveLength(100);
  });

  it("speaks the C locale and hands over nothing else of the environment", async () => {
    process.env["THINLUN_TEST_SECRET"] = "x";
    const { stdout } = await runChild("env", [], { variables: { TOLD: "a b", LC_ALL: "de" } });
    delete process.env["THINLUN_TEST_SECRET"];
    expect(stdout).toContain("LC_ALL=C\n");
    expect(stdout).toContain("TOLD=a b\n");
    expect(stdout).not.toContain("SECRET");
  });

  it("hands over the one descriptor that is named, and no other", async () => {
    const [named, other] = [openSync("/dev/null", "r"), openSync("/dev/zero", "r")];
    const list = ["-c", "for fd in /proc/self/fd/*; do readlink $fd; done"];
    const { stdout } = await runChild("/bin/sh", list, { inheritedFd: named });
    const { stdout: none } = await runChild("/bin/sh", list);
    closeSync(named);
    closeSync(other);
    expect(stdout.split("\n").filter((name) => name.startsWith("/dev/"))).toEqual(["/dev/null"]);
    expect(none).not.toContain("/dev/");
  });
});

describe("startLineChild", () => {
  it("exchanges lines until the input ends", async () => {
    const lines: string[] = [];
    await new Promise<void>((resolve) => {
      const child = startLineChild("/bin/sh", ["-c", "while read -r x; do echo got $x; done"], {
        onLine: (line) => {
          lines.push(line);
          if (lines.length === 2) child.end();
        },
        onClose: resolve,
      });
      child.hold(true);
      child.send("a");
      child.send("b");
    });
    expect(lines).toEqual(["got a", "got b"]);
  });

  it("reports a child that cannot be started as closed", async () => {
    await new Promise<void>((resolve) => {
      const child = startLineChild("thinlun-no-such-program", [], {
        onLine: () => undefined,
        onClose: resolve,
      });
      child.send("lost");
    });
  });

  it("reports a child that the system cannot start as closed", async () => {
    await new Promise<void>((resolve) => {
      const events = { onLine: () => undefined, onClose: resolve };
      const child = startLineChild("true", [], events, { inheritedFd: 999_999 });
      child.hold(true);
      child.send("lost");
      child.end();
      expect(child.pid).toBeUndefined();
    });
  });

  it("kills a child whose line does not end", async () => {
    const endless = "while :; do printf 0123456789012345678901234567890123456789; done";
    let pid: number | undefined;
    await new Promise<void>((resolve) => {
      const child = startLineChild("/bin/sh", ["-c", endless], {
        onLine: () => undefined,
        onClose: resolve,
      });
      child.hold(true);
      pid = child.pid;
    });
    expect(() => readlinkSync(`/proc/${pid}/exe`)).toThrow("ENOENT");
  });
});

describe("a child that outlives this process", () => {
  it("tells how its start went, and logs to a file of its owner's", async () => {
    const folder = mkdtempSync(join(tmpdir(), "thinlun-detached-"));
    try {
      const logPath = join(folder, "sub", "log");
      const script = 'echo "in $PWD"; echo "told $1" >&$TELL; exec 3>&-; echo bad >&2';
      const options = { logPath, tellVariable: "TELL", variables: { PATH: "/bin:/usr/bin" } };
      expect(await startDetached("/bin/sh", ["-c", script, "sh", "it"], options)).toBe("told it\n");
      while (!readFileSync(logPath, "utf8").includes("bad")) await sleep(5);
      expect(readFileSync(logPath, "utf8")).toBe("in /\nbad\n");
      expect(statSync(logPath).mode & 0o777).toBe(0o600);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("is none where there is no such program", async () => {
    const folder = mkdtempSync(join(tmpdir(), "thinlun-detached-"));
    const options = { logPath: join(folder, "log"), tellVariable: "TELL", variables: {} };
    await expect(startDetached("/nowhere/program", [], options)).rejects.toThrow(/ENOENT/);
    rmSync(folder, { recursive: true });
  });
});
