import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";

const PACKAGE = "thinlun";

/** The version that the package of this program says, wherever it is installed; "unknown" where there is none around it. */
export function programVersion(folder: string = import.meta.dirname): string {
  for (let place = folder; ; place = dirname(place)) {
    const version = versionIn(join(place, "package.json"));
    if (version !== null) return version;
    if (dirname(place) === place) return "unknown";
  }
}

function versionIn(path: string): string | null {
  try {
    const content = JSON.parse(readFileSync(path, "utf8")) as {
      readonly name?: unknown;
      readonly version?: unknown;
    };
    if (content.name !== PACKAGE || typeof content.version !== "string") return null;
    return content.version;
  } catch {
    // There is none here, or another program's.
    return null;
  }
}
