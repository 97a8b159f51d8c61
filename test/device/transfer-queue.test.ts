import { describe, expect, it } from "vitest";
import { nodeFileSystem } from "../../src/device/file-system-calls.ts";
import { TransferQueue } from "../../src/device/transfer-queue.ts";
import { Transfer, type TransferEnd } from "../../src/device/transfer.ts";
import { WriteStop } from "../../src/device/write-stop.ts";
import { IoError } from "../../src/util/io-error.ts";
import { IoKind, type IoRequest } from "../../src/util/io-request.ts";
import { TestRequest } from "./test-request.ts";

/** Moves nothing, and ends when the test says so. */
class ManualTransfer extends Transfer {
  protected override step(request: IoRequest): void {
    started.push({ request, fd: this.fd, end: () => this.advanced(null, request.lengthBytes) });
  }
}

const started: { request: IoRequest; fd: number; end: () => void }[] = [];

interface QueueShape {
  readonly alone?: readonly IoRequest[];
  readonly refused?: (request: IoRequest) => IoError | null;
  readonly urgentTransfers?: number;
}

function makeQueue(size: number, shape: QueueShape = {}): TransferQueue {
  const { alone = [], refused = () => null, urgentTransfers = 0 } = shape;
  started.length = 0;
  const host = {
    name: "disk",
    descriptorFor: (request: IoRequest) => request.offsetBytes,
    runsAlone: (request: IoRequest) => alone.includes(request),
    refusal: refused,
    transferred: (request: IoRequest, error: IoError | null) => request.done(error),
  };
  const make = (end: TransferEnd): Transfer[] =>
    Array.from({ length: size }, () => {
      return new ManualTransfer("disk", nodeFileSystem, end, new WriteStop());
    });
  return new TransferQueue(host, make, urgentTransfers);
}

function requests(count: number): TestRequest[] {
  return Array.from(
    { length: count },
    (_, index) => new TestRequest(IoKind.read, index, [Buffer.alloc(1)]),
  );
}

const startedOffsets = (): number[] => started.map(({ request }) => request.offsetBytes);

describe("TransferQueue", () => {
  it("runs as many at a time as there are transfers, in order of arrival", () => {
    const queue = makeQueue(2);
    const all = requests(5);
    for (const request of all) queue.submit(request);
    expect(startedOffsets()).toEqual([0, 1]);
    started[1]!.end();
    expect(all.map(({ doneCount }) => doneCount)).toEqual([0, 1, 0, 0, 0]);
    expect(startedOffsets()).toEqual([0, 1, 2]);
    for (const index of [2, 0, 3, 4]) started[index]!.end();
    expect(startedOffsets()).toEqual([0, 1, 2, 3, 4]);
    expect(all.every(({ doneCount }) => doneCount === 1)).toBe(true);
    expect(started.map(({ fd }) => fd)).toEqual([0, 1, 2, 3, 4]);
  });

  it("lets a request alone that asks for it, without anybody overtaking it", () => {
    const all = requests(4);
    const queue = makeQueue(3, { alone: [all[1]!] });
    for (const request of all) queue.submit(request);
    expect(startedOffsets()).toEqual([0]);
    started[0]!.end();
    expect(startedOffsets()).toEqual([0, 1]);
    started[1]!.end();
    expect(startedOffsets()).toEqual([0, 1, 2, 3]);
  });

  it("never starts what was abandoned while it waited: it would come late over newer data", () => {
    const queue = makeQueue(1);
    const all = requests(4);
    for (const request of all) queue.submit(request);
    all[1]!.isAbandoned = true;
    all[2]!.isAbandoned = true;
    started[0]!.end();
    expect(startedOffsets()).toEqual([0, 3]);
    expect(all.map(({ error }) => error?.kind)).toEqual([undefined, "gone", "gone", undefined]);
  });

  it("begins nothing of what waits that its device refuses by then", () => {
    const error = new IoError("failed", "another host has it", { object: "disk" });
    let isStopped = false;
    const refused = ({ kind }: IoRequest): IoError | null =>
      isStopped && kind === IoKind.write ? error : null;
    const queue = makeQueue(1, { refused });
    const all = requests(4);
    for (const index of [0, 1, 3]) all[index]!.kind = IoKind.write;
    for (const request of all) queue.submit(request);
    all[1]!.isAbandoned = true;
    isStopped = true;
    started[0]!.end();
    expect(startedOffsets()).toEqual([0, 2]);
    started[1]!.end();
    expect(all.map((request) => request.error)).toEqual([null, error, null, error]);
  });

  it("starts what is urgent before all that waits, also where all other transfers are busy", () => {
    const queue = makeQueue(3, { urgentTransfers: 1 });
    const all = requests(8);
    for (const index of [4, 5, 6]) all[index]!.isUrgent = true;
    for (const request of all.slice(0, 6)) queue.submit(request);
    expect(startedOffsets()).toEqual([0, 1, 4]);
    started[0]!.end();
    expect(startedOffsets()).toEqual([0, 1, 4, 5]);
    // The two of them hold one transfer that others may have; those get it back.
    queue.submit(all[6]!);
    started[1]!.end();
    expect(startedOffsets()).toEqual([0, 1, 4, 5, 6]);
    for (const index of [2, 3, 4]) started[index]!.end();
    expect(startedOffsets()).toEqual([0, 1, 4, 5, 6, 2, 3]);
    queue.submit(all[7]!);
    expect(startedOffsets()).toHaveLength(7);
  });

  it("lets what is urgent go before one that has to be alone, and not beside it", () => {
    const all = requests(4);
    all[2]!.isUrgent = true;
    all[3]!.isUrgent = true;
    const queue = makeQueue(3, { alone: [all[1]!], urgentTransfers: 1 });
    for (const request of all.slice(0, 3)) queue.submit(request);
    expect(startedOffsets()).toEqual([0, 2]);
    started[0]!.end();
    started[1]!.end();
    expect(startedOffsets()).toEqual([0, 2, 1]);
    queue.submit(all[3]!);
    expect(startedOffsets()).toEqual([0, 2, 1]);
    started[2]!.end();
    expect(startedOffsets()).toEqual([0, 2, 1, 3]);
  });

  it("tells when it is idle", () => {
    const queue = makeQueue(1);
    let idle = 0;
    queue.whenIdle(() => (idle += 1));
    expect(idle).toBe(1);
    for (const request of requests(2)) queue.submit(request);
    queue.whenIdle(() => (idle += 1));
    started[0]!.end();
    expect(idle).toBe(1);
    started[1]!.end();
    expect(idle).toBe(2);
  });
});
