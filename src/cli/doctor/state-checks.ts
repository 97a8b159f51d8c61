import { fail, type Finding, ok, warn } from "./finding.ts";
import type { Host } from "./host.ts";

/** What others may do with a folder. */
const OTHERS_MASK = 0o077;

export async function checkStateFolder(host: Host): Promise<Finding> {
  const path = host.stateFolder;
  const facts = await host.factsOf(path);
  if (facts === null) return ok("state", `${path} is made at the first start`);
  if (!facts.isFolder) {
    return fail("state", `${path} is no folder`, "Name another one with --state-dir or stateDir");
  }
  if (facts.uid !== host.uid) {
    const owner = `the user with the number ${facts.uid}`;
    return fail(
      "state",
      `${path} belongs to ${owner}, not to you`,
      `Run as that user, or: chown ${host.uid} ${path}`,
    );
  }
  if ((facts.mode & OTHERS_MASK) === 0) return ok("state", `${path} is yours alone`);
  const mode = (facts.mode & 0o777).toString(8);
  return warn(
    "state",
    `${path} is open to other users (mode ${mode}), and secrets lie there`,
    `chmod 700 ${path}`,
  );
}

/** File systems that lose what they have. */
const FORGETFUL: ReadonlySet<string> = new Set(["tmpfs", "ramfs", "overlay"]);

/** File systems on which a lock or an fsync may mean less than it says. */
const REMOTE: ReadonlySet<string> = new Set(["nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs"]);

/** Each of what the file system of the state folder has to do. */
export async function checkFileSystem(host: Host): Promise<readonly Finding[]> {
  const { type, direct, holes } = await host.fileSystemOf(host.stateFolder);
  const where = `the file system of ${host.stateFolder} (${type})`;
  return [durability(where, type), directIo(where, direct), holesOf(where, holes)];
}

function durability(where: string, type: string): Finding {
  const fix = "Put the state folder on a local disk: --state-dir, or stateDir in the configuration";
  if (FORGETFUL.has(type)) {
    return warn(
      "durability",
      `${where} may lose everything at a restart of the host or container`,
      fix,
    );
  }
  if (REMOTE.has(type)) {
    return warn("durability", `${where} is remote: the daemon stops when the network does`, fix);
  }
  return ok("durability", `${where} keeps what it has`);
}

function directIo(where: string, direct: boolean): Finding {
  if (direct) return ok("direct-io", `${where} can bypass the page cache`);
  return warn(
    "direct-io",
    `${where} cannot bypass the page cache, so images there work without "direct" only`,
    "Put images that need it on ext4, xfs or a block device",
  );
}

function holesOf(where: string, holes: "work" | "unsupported" | "untried"): Finding {
  switch (holes) {
    case "work":
      return ok("holes", `${where} gives back the space of what is discarded`);
    case "untried":
      return warn(
        "holes",
        "there is no fallocate(1) to give space back with",
        "Install util-linux",
      );
    case "unsupported":
      return warn(
        "holes",
        `${where} cannot punch holes, so images there never become smaller`,
        "Put images on ext4, xfs or btrfs",
      );
  }
}
