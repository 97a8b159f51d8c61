import { constants, closeSync, fstatSync, openSync, readSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { CONFIG_BYTES_MAX, SECRET_FILE_BYTES_MAX } from "./limits.ts";
import { type ParsedConfig, parseConfig } from "./parse-config.ts";
import { ConfigError, type Finding, type SecretFile } from "./report.ts";

/** Any permission of others than the owner: the group that may read a secret is for its owner to name, not to forget. */
const OTHERS_READ = 0o044;

interface FileText {
  readonly text: string;
  readonly modeBits: number;
}

/** The start of a file, one byte more than `bytesMax` at the most: enough to see that it is too long. */
function readBounded(path: string, bytesMax: number): FileText {
  // A pipe or a terminal must not make the daemon wait for a writer.
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const { mode } = fstatSync(fd);
    const bytes = Buffer.alloc(bytesMax + 1);
    let length = 0;
    while (length < bytes.length) {
      const count = readSync(fd, bytes, length, bytes.length - length, null);
      if (count === 0) break;
      length += count;
    }
    return { text: bytes.toString("utf8", 0, length), modeBits: mode };
  } finally {
    closeSync(fd);
  }
}

/** Reads a file that the configuration names for a secret; throws the system's error. */
export function readSecretFile(path: string): SecretFile {
  const { text, modeBits } = readBounded(path, SECRET_FILE_BYTES_MAX);
  return { text, exposed: (modeBits & OTHERS_READ) !== 0 };
}

/**
 * Reads the configuration file and the secrets that it points to.
 *
 * @throws {ConfigError} it cannot be read, or something in it is wrong
 */
export function loadConfig(path: string): ParsedConfig {
  const wholeFile = (message: string): readonly Finding[] => [{ line: 0, column: 0, message }];
  let file: FileText;
  try {
    file = readBounded(path, CONFIG_BYTES_MAX);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ConfigError(path, wholeFile(`cannot be read: ${reason}`), error);
  }
  if (Buffer.byteLength(file.text) > CONFIG_BYTES_MAX) {
    throw new ConfigError(path, wholeFile("is far too long for a configuration"));
  }
  const folder = dirname(resolve(path));
  const parsed = parseConfig({ fileName: path, text: file.text, folder, readSecretFile });
  if (!parsed.holdsSecrets || (file.modeBits & OTHERS_READ) === 0) return parsed;
  const exposed = "holds secrets and can be read by others than its owner (chmod 600)";
  return { ...parsed, warnings: [...wholeFile(exposed), ...parsed.warnings] };
}
