import { describe, expect, it } from "vitest";
import { DelayFilter } from "../../../src/device/delay-filter.ts";
import { MemoryDevice } from "../../../src/device/memory-device.ts";
import { OperationPool } from "../../../src/thin/io/device-operation.ts";
import type { IoError } from "../../../src/util/io-error.ts";
import { IoKind, readBytes } from "../../../src/util/io-request.ts";

class Owner {
  readonly errors: (IoError | null)[] = [];
  operationDone(error: IoError | null): void {
    this.errors.push(error);
  }
}

class CountingPins {
  readonly pinned: number[] = [];
  pin(phys: number): void {
    this.pinned.push(phys);
  }
  unpin(phys: number): void {
    this.pinned.splice(this.pinned.indexOf(phys), 1);
  }
}

describe("a transfer of a piece", () => {
  it("is done at once where the device can, and pins nothing", async () => {
    const [pins, owner] = [new CountingPins(), new Owner()];
    const device = new MemoryDevice(1 << 20);
    const operation = new OperationPool(pins, new CountingPins()).take(owner);
    operation.kind = IoKind.write;
    operation.offsetBytes = 100;
    operation.buffers.push(Buffer.from("ab"), Buffer.from("cde"));
    operation.run(device, 7, 1);
    expect(owner.errors).toEqual([null]);
    expect(pins.pinned).toEqual([]);
    expect((await readBytes(device, 100, 5)).toString()).toBe("abcde");
  });

  it("pins its extents until it is done, where it takes longer", async () => {
    const [pins, owner] = [new CountingPins(), new Owner()];
    const held: (() => void)[] = [];
    const below = new MemoryDevice(1 << 20);
    const device = new DelayFilter(below, 1, (callback) => held.push(callback));
    const operation = new OperationPool(pins, new CountingPins()).take(owner);
    operation.kind = IoKind.write;
    operation.offsetBytes = 0;
    operation.buffers.push(Buffer.from("x"));
    operation.run(device, 7, 3);
    expect(owner.errors).toEqual([]);
    expect(pins.pinned).toEqual([7, 8, 9]);
    held[0]?.();
    expect(owner.errors).toEqual([null]);
    expect(pins.pinned).toEqual([]);
    expect((await readBytes(below, 0, 1)).toString()).toBe("x");
  });

  it("goes to the device as it is where it must be stable", () => {
    const owner = new Owner();
    const device = new MemoryDevice(1 << 20);
    let isForced = false;
    const submit = device.submit.bind(device);
    device.submit = (request) => {
      isForced = request.forceUnitAccess;
      submit(request);
    };
    const pool = new OperationPool(new CountingPins(), new CountingPins());
    const operation = pool.take(owner);
    operation.kind = IoKind.write;
    operation.offsetBytes = 0;
    operation.forceUnitAccess = true;
    operation.buffers.push(Buffer.from("x"));
    operation.run(device, 0, 1);
    expect([isForced, owner.errors]).toEqual([true, [null]]);
    const next = pool.take(owner);
    expect(next).toBe(operation);
    expect([next.forceUnitAccess, next.buffers]).toEqual([false, []]);
  });

  it("tells its owner why it failed", () => {
    const owner = new Owner();
    const operation = new OperationPool(new CountingPins(), new CountingPins()).take(owner);
    operation.kind = IoKind.read;
    operation.offsetBytes = 1 << 20;
    operation.buffers.push(Buffer.alloc(1));
    operation.run(new MemoryDevice(1 << 20), 0, 1);
    expect(owner.errors).toMatchObject([{ kind: "range" }]);
  });
});
