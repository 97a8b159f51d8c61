import { constants } from "node:fs";
import { open } from "node:fs/promises";
import type { Clock } from "../../util/clock.ts";
import type { HttpTls } from "../config/http-shape.ts";
import { messageOf, StartError } from "../start-error.ts";
import { endsWithin } from "../within.ts";

/** Certificate and key in PEM. */
export interface TlsFiles {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** How long a file may take: what is on a disk is there sooner, and SIGHUP, changes and the end of the daemon wait for it. */
const READ_MS_MAX = 10_000;
const MS_PER_SECOND = 1000;

/** A chain of certificates has some KiB. */
const FILE_BYTES_MAX = 1024 * 1024;

/** Reads certificates and keys, and waits for none of them without end. */
export class TlsReader {
  readonly #clock: Clock;
  readonly #readFile: (path: string) => Promise<Buffer>;
  /** By path. What hangs takes a thread of the few that all files are read with: no second one is begun. */
  readonly #reading = new Map<string, Promise<Buffer>>();

  constructor(clock: Clock, readFile: (path: string) => Promise<Buffer> = readWhole) {
    this.#clock = clock;
    this.#readFile = readFile;
  }

  /** @throws {StartError} naming the file */
  async read({ certFile, keyFile }: HttpTls): Promise<TlsFiles> {
    try {
      return { cert: await this.#one(certFile), key: await this.#one(keyFile) };
    } catch (error) {
      throw new StartError(`HTTP has no certificate or key: ${messageOf(error)}`, error);
    }
  }

  async #one(path: string): Promise<Buffer> {
    if (this.#reading.has(path)) {
      throw new Error(`${path} does not answer: an earlier reading of it has not ended`);
    }
    const reading = this.#readFile(path).finally(() => this.#reading.delete(path));
    this.#reading.set(path, reading);
    if (await endsWithin(this.#clock, READ_MS_MAX, reading)) return reading;
    // Nobody waits for it any more.
    reading.catch(() => undefined);
    throw new Error(
      `${path} does not answer: it was not read within ${READ_MS_MAX / MS_PER_SECOND} s`,
    );
  }
}

/** Rejects with the system's error, which names the file. */
async function readWhole(path: string): Promise<Buffer> {
  // A pipe would wait for a writer.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stats = await file.stat();
    if (!stats.isFile()) throw new Error(`${path} is no regular file`);
    if (stats.size > FILE_BYTES_MAX) throw new Error(`${path} is too long for a certificate`);
    return await file.readFile();
  } finally {
    await file.close();
  }
}
