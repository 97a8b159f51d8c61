import { afterEach, beforeEach, expect, it } from "vitest";
import { read } from "../../src/initiator/scsi.ts";
import { DISK, Faces } from "../control/bad-input/support/faces.ts";
import { INITIATOR } from "../control/tgt/support/tgt-bench.ts";

let faces: Faces;

beforeEach(async () => {
  faces = await Faces.make();
});

afterEach(() => faces.dispose());

interface Shown {
  readonly status: { readonly sessionCount: number };
  readonly rates: readonly {
    readonly target: string;
    readonly lun: number;
    readonly initiator: string;
    readonly readsPerSecond: number;
    readonly readBytesPerSecond: number;
    readonly latencyMs: number | null;
  }[];
}

it("top shows what the initiators that are logged in do at the moment, and forgets who has gone", async () => {
  const session = await faces.bench.login(DISK);
  let isDone = false;
  const work = async (): Promise<void> => {
    while (!isDone) await read(session, { lun: 0, lba: 0, blocks: 8, blockBytes: 512 });
  };
  const working = work();
  const { status, stdout } = await faces.cli("top", "--json", "--interval", "0.5");
  isDone = true;
  await working;
  expect(status).toBe(0);
  const { status: daemon, rates } = JSON.parse(stdout) as Shown;
  expect(daemon.sessionCount).toBe(1);
  expect(rates).toMatchObject([{ target: DISK, lun: 0, initiator: INITIATOR }]);
  const [rate] = rates;
  expect(rate?.readsPerSecond).toBeGreaterThan(0);
  expect(rate?.readBytesPerSecond).toBeCloseTo((rate?.readsPerSecond ?? 0) * 4096);
  expect(rate?.latencyMs).toBeGreaterThan(0);
  await session.logout();
  const later = await faces.cli("top", "--once", "--interval", "0.2");
  expect(later.stdout).toContain("0 sessions");
  expect(later.stdout).not.toContain(INITIATOR);
});
