import { posix } from "node:path";
import type { ConfigFiles, FileKind } from "../../../src/cli/tgt/config-general-files.ts";

/** Files by their paths, each with its text or bytes. Relative paths start at `/home`. */
export function memoryFiles(files: Readonly<Record<string, string | Uint8Array>>): ConfigFiles {
  const contents = new Map<string, Uint8Array>();
  for (const [path, content] of Object.entries(files)) {
    const bytes = typeof content === "string" ? Buffer.from(content) : content;
    contents.set(posix.resolve("/home", path), bytes);
  }
  const isBelow = (folder: string, path: string): boolean =>
    path.startsWith(folder.endsWith("/") ? folder : `${folder}/`);
  return {
    kindOf(path): FileKind {
      const full = posix.resolve("/home", path);
      if (contents.has(full)) return full.startsWith("/dev/") ? "other" : "file";
      return [...contents.keys()].some((each) => isBelow(full, each)) ? "folder" : "none";
    },
    read(path, bytesMax) {
      const bytes = contents.get(posix.resolve("/home", path));
      if (bytes === undefined) throw new Error(`EISDIR: ${path}`);
      return bytes.subarray(0, bytesMax);
    },
    namesIn(folder) {
      const full = posix.resolve("/home", folder);
      const names = [...contents.keys()]
        .filter((path) => isBelow(full, path))
        .map((path) => posix.relative(full, path).split("/")[0] ?? "");
      return [...new Set(names)].reverse();
    },
  };
}
