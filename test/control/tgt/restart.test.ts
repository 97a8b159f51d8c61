import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { TgtBench } from "./support/tgt-bench.ts";

const SHOWS = [
  "-o show -m target",
  "-o show -m target -t 1",
  "-o show -m target -t 2",
  "-o show -m account",
  "-o show -m sys",
];

it("finds all that tgtadm has made after a restart", async () => {
  const folder = mkdtempSync(join(tmpdir(), "thinlun-restart-"));
  const asked: string[][] = [];
  try {
    for (const isFirst of [true, false]) {
      const bench = await TgtBench.start({ folder });
      try {
        if (isFirst) await fill(bench);
        const answers: string[] = [];
        for (const line of SHOWS) answers.push(await bench.must(line));
        asked.push(answers);
      } finally {
        await bench.dispose();
      }
    }
    expect(asked[1]).toEqual(asked[0]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

async function fill(bench: TgtBench): Promise<void> {
  for (const name of ["a.img", "b.img"]) bench.file(name, 1024 * 1024);
  await bench.must(
    "-o new -m target -t 2 -T iqn.2026-01.com.example:two",
    "-o new -m target -t 1 -T iqn.2026-01.com.example:one",
    "-o new -m lu -t 1 -l 1 -b {}/a.img -f sync",
    "-o new -m lu -t 1 -l 2 -b {}/b.img -E aio -y 4096",
    "-o new -m lu -t 1 -l 3 -b what -E null",
    "-o new -m lu -t 1 -l 4",
    "-o update -m lu -t 1 -l 1 -P scsi_id=id,vendor_id=ME,readonly=1,removable=1,online=0",
    "-o new -m account -u in -p secret-of-in",
    "-o new -m account -u out -p secret-of-out",
    "-o bind -m account -t 1 -u in",
    "-o bind -m account -t 1 -u out --outgoing",
    "-o bind -m account -u in",
    "-o bind -m target -t 1 -I 10.0.0.0/8 -Q iqn.host",
    "-o update -m target -t 1 -n nop_interval -v 3",
    "-o update -m target -t 1 -n HeaderDigest -v CRC32C",
    "-o update -m target -t 1 -n state -v offline",
    "-o update -m target -t 2 -n RedirectAddress -v 192.0.2.1",
    "-o update -m target -t 2 -n RedirectPort -v 860",
    "-o update -m target -t 2 -n RedirectReason -v Permanent",
  );
}
