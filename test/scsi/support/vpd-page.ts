import { expect } from "vitest";
import { Status } from "../../../src/scsi/status.ts";
import { Bench, type BenchOptions } from "./bench.ts";

/** A vital product data page of a new unit, with its header. */
export function page(code: string, options?: BenchOptions): Buffer {
  const task = new Bench(options).run(`12 01 ${code} ffff 00`);
  expect(task.status).toBe(Status.good);
  const data = task.dataIn ?? Buffer.alloc(4);
  expect(data.readUInt8(1)).toBe(Number.parseInt(code, 16));
  expect(data.readUInt16BE(2)).toBe(data.length - 4);
  return data;
}
