import { type ChildProcess } from "node:child_process";
import { once } from "node:events";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { debianRoot } from "../guest/machine/debian-root.ts";
import { freePort } from "../support/daemon.ts";
import { hasProgram } from "../support/debian-packages.ts";
import { spawnMortal } from "../support/mortal-child.ts";
import { attempt, type Ending, run } from "../support/program.ts";

const top = join(import.meta.dirname, "..", "..");

/** What the recipe begins with. No registry is asked: what has this name here is made of Debian's packages. */
const BASE = "docker.io/library/node:20-bookworm-slim";
const IMAGE = "localhost/thinlun";
const TARGET = "iqn.2026-11.net.example:contained";
const CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt";

const START_LIMIT_MS = 60_000;
const POLL_MS = 200;

/**
 * A view of cgroups that the runtime takes: some hosts mix both versions, and it refuses that. No limit is raised, because a test
 * may not have the right to that.
 */
const VIEW = `
umount -R /sys/fs/cgroup 2> /dev/null
mount -t cgroup2 none /sys/fs/cgroup
echo ready
exec sleep infinity`;
const LIMITS = ["--ulimit", "nofile=1000:1000", "--ulimit", "nproc=1000:1000"];

const PROGRAMS = ["buildah", "podman", "crun", "mmdebstrap", "iscsi-ls"];

/** Says why, where the recipe cannot be carried out; CI takes a skipped test for a failure. */
async function rootOrReason(): Promise<string | undefined> {
  const missing = PROGRAMS.filter((name) => !hasProgram(name));
  try {
    if (process.getuid?.() !== 0) throw new Error("this is not the superuser");
    if (missing.length > 0) throw new Error(`there is no ${missing.join(", ")}`);
    return await debianRoot();
  } catch (error) {
    console.log(`The container is not tested: ${String(error)}`);
    return undefined;
  }
}

const root = await rootOrReason();

describe.skipIf(root === undefined)("the recipe for a container", () => {
  let folder: string;
  let port: number;
  let holder: ChildProcess;
  let storage: string[];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "thinlun-container-"));
    port = await freePort();
    const places = ["--root", join(folder, "storage"), "--runroot", join(folder, "run")];
    storage = [...places, "--storage-driver", "overlay"];
    holder = spawnMortal("unshare", ["--mount", "sh", "-c", VIEW]);
    if (holder.stdout !== null) await once(holder.stdout, "data");
    await makeBase();
  });

  afterAll(async () => {
    if (holder === undefined) return;
    await within("podman", "rm", "--force", "--all");
    const ended = once(holder, "close");
    holder.kill("SIGKILL");
    await ended;
    rmSync(folder, { recursive: true, force: true });
  });

  /** Runs buildah or podman where the holder is: what is mounted there is gone with it. */
  function within(program: "buildah" | "podman", ...args: readonly string[]): Promise<Ending> {
    const own =
      program === "podman" ? ["--cgroup-manager", "cgroupfs", "--events-backend", "none"] : [];
    const place = ["--target", String(holder.pid), "--mount", program, ...storage, ...own];
    return attempt("nsenter", ...place, ...args);
  }

  async function succeed(
    program: "buildah" | "podman",
    ...args: readonly string[]
  ): Promise<string> {
    const { status, stdout, stderr } = await within(program, ...args);
    if (status !== 0)
      throw new Error(`${program} ${args.join(" ")}: ${status}\n${stdout}${stderr}`);
    return stdout.trim();
  }

  /** Node.js of Debian, this machine's npm and whom it trusts, and the user that the recipe expects. */
  async function makeBase(): Promise<void> {
    const tree = join(folder, "base");
    const disk = join(folder, "disk");
    mkdirSync(disk);
    await run("mount", "-o", "loop,ro,noload", root ?? "", disk);
    try {
      await run("cp", "-a", disk, tree);
    } finally {
      await run("umount", disk);
    }
    const npm = (await run("sh", "-c", 'readlink -f "$(command -v npm)"')).trim();
    const modules = join(tree, "usr/lib/node_modules");
    mkdirSync(modules, { recursive: true });
    cpSync(dirname(dirname(npm)), join(modules, "npm"), { recursive: true });
    symlinkSync("../lib/node_modules/npm/bin/npm-cli.js", join(tree, "usr/bin/npm"));
    await run("chroot", tree, "useradd", "--uid", "1000", "--create-home", "node");
    const container = await succeed("buildah", "from", "scratch");
    if (existsSync(CERTIFICATES)) {
      mkdirSync(dirname(join(tree, CERTIFICATES)), { recursive: true });
      cpSync(CERTIFICATES, join(tree, CERTIFICATES), { dereference: true });
      const trusted = [`NODE_EXTRA_CA_CERTS=${CERTIFICATES}`, `npm_config_cafile=${CERTIFICATES}`];
      for (const one of trusted) await succeed("buildah", "config", "--env", one, container);
    }
    await succeed("buildah", "copy", "--quiet", container, tree, "/");
    await succeed("buildah", "commit", "--quiet", "--rm", container, BASE);
    rmSync(tree, { recursive: true });
  }

  async function start(name: string): Promise<void> {
    const config = join(folder, "thinlun.yaml");
    const mounts = ["-v", "state:/var/lib/thinlun", "-v", `${config}:/etc/thinlun/thinlun.yaml:ro`];
    const bounds = ["--network", "host", "--cgroups", "disabled", ...LIMITS];
    await succeed(
      "podman",
      "run",
      "-d",
      "--pull",
      "never",
      "--name",
      name,
      ...bounds,
      ...mounts,
      IMAGE,
    );
    for (let waitedMs = 0; waitedMs < START_LIMIT_MS; waitedMs += POLL_MS) {
      if ((await succeed("podman", "logs", name)).includes('"listening"')) return;
      await sleep(POLL_MS);
    }
    throw new Error(await succeed("podman", "logs", name));
  }

  /** Logs in to all targets and lists their LUNs. */
  const seen = (): Promise<string> => run("iscsi-ls", "-s", `iscsi://127.0.0.1:${port}`);

  it("is carried out from the first step to the last", async () => {
    const file = join(top, "packaging/container/Containerfile");
    const how = [
      "--isolation",
      "chroot",
      "--network",
      "host",
      "--pull-never",
      "--format",
      "docker",
    ];
    await succeed("buildah", "build", ...how, "-f", file, "-t", IMAGE, top);
    expect(await succeed("buildah", "images", "--format", "{{.Name}}")).toContain(IMAGE);
  });

  it("makes an image that serves a disk, not as the superuser, and is healthy", async () => {
    writeFileSync(
      join(folder, "thinlun.yaml"),
      JSON.stringify({
        portals: [{ listen: `127.0.0.1:${port}` }],
        pools: { tank: { devices: ["/var/lib/thinlun/tank.img"], create: { size: "64MiB" } } },
        volumes: { disk: { driver: "thin", pool: "tank", size: "1GiB", create: true } },
        targets: [{ name: TARGET, luns: [{ lun: 3, volume: "disk" }] }],
      }),
    );
    await start("first");
    expect(await seen()).toMatch(new RegExp(`${TARGET}[^]*Lun:3 +Type:DIRECT_ACCESS`));
    expect(await succeed("podman", "exec", "first", "id", "-un")).toBe("node");
    const status = ["thinlun", "status", "--state-dir", "/var/lib/thinlun"];
    expect(await succeed("podman", "exec", "first", ...status)).toContain("1 target, 1 LUN");
    expect((await within("podman", "healthcheck", "run", "first")).status).toBe(0);
  });

  it("ends in order, and finds its state again as another container", async () => {
    await succeed("podman", "stop", "first");
    const code = ["inspect", "first", "--format", "{{.State.ExitCode}}"];
    expect(await succeed("podman", ...code)).toBe("0");
    expect(await succeed("podman", "logs", "first")).toContain('"msg":"stopped"');
    await start("second");
    expect(await seen()).toContain(TARGET);
    await succeed("podman", "stop", "second");
  });
});
