import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { gzipSync } from "node:zlib";

/**
 * Makes the Debian package: `tsx packaging/debian/build.ts FOLDER`, of what `npm run build` has made and of node_modules. It takes
 * dpkg-deb, no network and no superuser.
 */

const top = join(import.meta.dirname, "..", "..");
const packaging = join(top, "packaging");
const LIBRARY = "usr/lib/thinlun";

/** tgt's commands are in sbin, and scripts name them so. */
const TGT_COMMANDS = ["tgtadm", "tgt-admin", "tgtd", "tgtimg", "tgt-setup-lun"];

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly description: string;
}

interface LockEntry {
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly devOptional?: boolean;
}

const manifest = JSON.parse(readFileSync(join(top, "package.json"), "utf8")) as Manifest;
const lock = JSON.parse(readFileSync(join(top, "package-lock.json"), "utf8")) as {
  readonly packages: Readonly<Record<string, LockEntry>>;
};

/** What the program needs to run, without what would have to be compiled: the package is for all architectures. */
function productionModules(): string[] {
  return Object.entries(lock.packages)
    .filter(
      ([path, { dev, optional, devOptional }]) => path !== "" && !dev && !optional && !devOptional,
    )
    .map(([path]) => path);
}

/** Of what was built, what runs: neither maps nor declarations. */
function isRun(path: string): boolean {
  return statSync(path).isDirectory() || /\.c?js$/.test(path);
}

/** Folders of modules that are for their own developers. */
const NOT_RUN =
  /^\/(test|tests|example|examples|docs|benchmark|benchmarks|bench|integration|scripts|types)(\/|$)/;

/** What Node.js loads, and what may not be left out. */
const RUN = /\.([cm]?js|json)$|\/(licen[cs]e|notice)[^/]*$/i;

/** Modules within modules are packages by themselves, and may not be wanted. */
function copyModule(from: string, to: string): void {
  cpSync(from, to, {
    recursive: true,
    filter: (path) => {
      const inner = path.slice(from.length);
      if (/\/(node_modules|\.[^/]*)(\/|$)/.test(inner) || NOT_RUN.test(inner)) return false;
      return statSync(path).isDirectory() || RUN.test(inner);
    },
  });
}

/** A file of the package, with the folders above it. */
function put(root: string, path: string, content: string | Buffer, mode = 0o644): void {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
  chmodSync(file, mode);
}

function link(root: string, path: string, target: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  symlinkSync(target, join(root, path));
}

function putProgram(root: string): string[] {
  for (const part of ["src", "native-free"]) {
    cpSync(join(top, "dist", part), join(root, LIBRARY, "dist", part), {
      recursive: true,
      filter: isRun,
    });
  }
  for (const path of productionModules()) copyModule(join(top, path), join(root, LIBRARY, path));
  // Node.js takes the files for modules by it.
  const { name, version } = manifest;
  put(root, `${LIBRARY}/package.json`, `${JSON.stringify({ name, version, type: "module" })}\n`);
  const cli = join(root, LIBRARY, "dist/src/cli");
  const commands = readdirSync(cli)
    .filter((file) => file.endsWith(".cjs"))
    .map((file) => basename(file, ".cjs"));
  for (const command of commands) {
    chmodSync(join(cli, `${command}.cjs`), 0o755);
    link(root, `usr/bin/${command}`, `../lib/thinlun/dist/src/cli/${command}.cjs`);
    if (TGT_COMMANDS.includes(command)) link(root, `usr/sbin/${command}`, `../bin/${command}`);
  }
  return commands;
}

const COMPLETIONS = {
  bash: "usr/share/bash-completion/completions/thinlun",
  zsh: "usr/share/zsh/vendor-completions/_thinlun",
  fish: "usr/share/fish/vendor_completions.d/thinlun.fish",
} as const;

/** Where the program has none yet, the package has none. */
function putCompletions(root: string): void {
  const cli = join(root, LIBRARY, "dist/src/cli/thinlun.cjs");
  for (const [shell, path] of Object.entries(COMPLETIONS)) {
    try {
      put(
        root,
        path,
        execFileSync(process.execPath, [cli, "completion", shell], {
          stdio: ["ignore", "pipe", "ignore"],
        }),
      );
    } catch {
      process.stderr.write(`thinlun completion ${shell} prints nothing: left out\n`);
    }
  }
}

function putManPages(root: string, commands: readonly string[]): void {
  const folder = mkdtempSync(join(tmpdir(), "thinlun-man-"));
  try {
    execFileSync(
      process.execPath,
      ["--import", "tsx", join(packaging, "man/generate.ts"), folder],
      {
        cwd: top,
        env: { ...process.env, THINLUN_PROGRAM: join(root, LIBRARY, "dist/src/cli/thinlun.js") },
      },
    );
    for (const file of readdirSync(folder)) {
      const [, name = "", section = ""] = /^(.*)\.(\d)$/.exec(file) ?? [];
      if (section === "8" && !commands.includes(name)) continue;
      put(
        root,
        `usr/share/man/man${section}/${file}.gz`,
        gzipSync(readFileSync(join(folder, file)), { level: 9 }),
      );
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function putDocuments(root: string): void {
  const documents = "usr/share/doc/thinlun";
  for (const name of readdirSync(join(top, "docs")).filter((file) => file.endsWith(".md"))) {
    put(root, `${documents}/${name}`, readFileSync(join(top, "docs", name)));
  }
  const dropIn = readFileSync(join(packaging, "systemd/targets-conf.conf"));
  put(root, `${documents}/examples/targets-conf.conf`, dropIn);
  put(root, `${documents}/copyright`, copyright());
  const { version } = manifest;
  const changes = `thinlun (${version}) unstable; urgency=medium\n\n  * Version ${version}; the repository's history says what is new.\n\n -- ${MAINTAINER}  ${built.toUTCString().replace("GMT", "+0000")}\n`;
  put(root, `${documents}/changelog.gz`, gzipSync(changes, { level: 9 }));
}

const MAINTAINER = "thinlun <thinlun@localhost>";

const epoch = process.env["SOURCE_DATE_EPOCH"];
const built = new Date(epoch === undefined ? Date.now() : Number(epoch) * 1000);

/** Whose the parts are, each under its own licence, as its manifest has it. */
function copyright(): string {
  const license = (path: string): string => {
    const module = JSON.parse(readFileSync(join(top, path, "package.json"), "utf8")) as {
      license?: string;
    };
    return `Files: ${LIBRARY}/${path}/*\nCopyright: its authors\nLicense: ${module.license ?? "see there"}\n`;
  };
  return [
    "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n",
    "Files: *\nCopyright: the authors of thinlun\nLicense: Apache-2.0\n /usr/share/common-licenses/Apache-2.0\n",
    ...productionModules().map(license),
  ].join("\n");
}

function filesBelow(root: string, folder = ""): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) return path === "DEBIAN" ? [] : filesBelow(root, path);
    return entry.isFile() ? [path] : [];
  });
}

function putControl(root: string): void {
  const files = filesBelow(root);
  const bytes = files.reduce((sum, path) => sum + statSync(join(root, path)).size, 0);
  const sums = files.map((path) => {
    const sum = createHash("md5")
      .update(readFileSync(join(root, path)))
      .digest("hex");
    return `${sum}  ${path}\n`;
  });
  const control = readFileSync(join(packaging, "debian/control"), "utf8")
    .replace("@VERSION@", manifest.version)
    .replace("@SIZE@", String(Math.ceil(bytes / 1024)));
  put(root, "DEBIAN/control", control);
  put(root, "DEBIAN/conffiles", "/etc/thinlun/thinlun.yaml\n");
  put(root, "DEBIAN/md5sums", sums.join(""));
  for (const script of ["postinst", "prerm", "postrm"]) {
    put(root, `DEBIAN/${script}`, readFileSync(join(packaging, "debian", script)), 0o755);
  }
}

/** Folders may be entered by everybody, whatever the mask of who builds. */
function openFolders(folder: string): void {
  chmodSync(folder, 0o755);
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) openFolders(path);
    else if (entry.isFile())
      chmodSync(path, (statSync(path).mode & 0o111) !== 0 && isStarter(path) ? 0o755 : 0o644);
  }
}

function isStarter(path: string): boolean {
  return (path.endsWith(".cjs") && path.includes("/dist/src/cli/")) || path.includes("/DEBIAN/");
}

function build(folder: string): string {
  if (!existsSync(join(top, "dist/src/cli/thinlun.cjs")))
    throw new Error("nothing is built: npm run build");
  const root = mkdtempSync(join(tmpdir(), "thinlun-deb-"));
  try {
    const commands = putProgram(root);
    putManPages(root, commands);
    putCompletions(root);
    putDocuments(root);
    put(
      root,
      "lib/systemd/system/thinlun.service",
      readFileSync(join(packaging, "systemd/thinlun.service")),
    );
    put(root, "etc/thinlun/thinlun.yaml", readFileSync(join(packaging, "thinlun.yaml")));
    putControl(root);
    openFolders(root);
    mkdirSync(folder, { recursive: true });
    const file = join(folder, `thinlun_${manifest.version}_all.deb`);
    execFileSync("dpkg-deb", ["--root-owner-group", "-Zgzip", "--build", root, file], {
      stdio: ["ignore", "ignore", "inherit"],
    });
    return file;
  } finally {
    rmSync(root, { recursive: true });
  }
}

process.stdout.write(`${build(process.argv[2] ?? ".")}\n`);
