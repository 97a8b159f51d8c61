import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { TlsReader } from "../../../src/control/http/tls-files.ts";
import { ManualClock } from "../../support/manual-clock.ts";

let folder: string;
let certFile: string;
let keyFile: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "thinlun-tls-"));
  [certFile, keyFile] = [join(folder, "cert.pem"), join(folder, "key.pem")];
  writeFileSync(certFile, "the certificate");
  writeFileSync(keyFile, "the key");
});

afterEach(() => rmSync(folder, { recursive: true }));

describe("the files of a certificate and its key", () => {
  const read = () => new TlsReader(new ManualClock()).read({ certFile, keyFile });

  it("are read as they are", async () => {
    const { cert, key } = await read();
    expect([cert.toString(), key.toString()]).toEqual(["the certificate", "the key"]);
  });

  it("are named where they are none", async () => {
    rmSync(keyFile);
    await expect(read()).rejects.toThrow(/no certificate or key: ENOENT.*key\.pem/);
    expect(spawnSync("mkfifo", [keyFile]).status).toBe(0);
    await expect(read()).rejects.toThrow(`no certificate or key: ${keyFile} is no regular file`);
    truncateSync(certFile, 1024 * 1024 + 1);
    await expect(read()).rejects.toThrow(`${certFile} is too long for a certificate`);
  });
});

it("a file that does not answer is given up, and not begun again until it does", async () => {
  const clock = new ManualClock();
  const begun: string[] = [];
  let answer: (bytes: Buffer) => void = () => undefined;
  const reader = new TlsReader(clock, (path) => {
    begun.push(path);
    if (path === certFile) return Promise.resolve(Buffer.from("the certificate"));
    return new Promise((resolve) => (answer = resolve));
  });
  const reading = reader.read({ certFile, keyFile });
  while (begun.length < 2) await Promise.resolve();
  clock.advance(10_000);
  await expect(reading).rejects.toThrow(`${keyFile} does not answer: it was not read within 10 s`);
  await expect(reader.read({ certFile, keyFile })).rejects.toThrow(
    `${keyFile} does not answer: an earlier reading of it has not ended`,
  );
  expect(begun).toEqual([certFile, keyFile, certFile]);
  answer(Buffer.from("too late"));
  await new Promise(setImmediate);
  const again = reader.read({ certFile, keyFile });
  while (begun.length < 5) await Promise.resolve();
  answer(Buffer.from("the key"));
  expect((await again).key.toString()).toBe("the key");
});
