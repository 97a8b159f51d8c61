import { describe, expect, it } from "vitest";
import { DeviceFilter } from "../../src/device/device-filter.ts";
import { MemoryDevice } from "../../src/device/memory-device.ts";
import { cdb16, newCdb } from "../../src/initiator/scsi.ts";
import { IoKind, type IoRequest } from "../../src/util/io-request.ts";
import { DISK_BYTES, InProcessTarget } from "../support/in-process-target.ts";

/** Everything is done at once, except that a flush takes a turn of the event loop. */
class LateFlush extends DeviceFilter {
  override submit(request: IoRequest): void {
    if (request.kind === IoKind.flush) setImmediate(() => super.submit(request));
    else super.submit(request);
  }
}

/**
 * What is received in a turn is answered at its end. Data that a handler came by in a later turn were laid into the queue
 * as well, but nobody sent them: READ with FUA hung on every disk with a real flush, and so did GET LBA STATUS.
 */
// A ping would take along what was forgotten: it must not come before the test gives up.
const limits = { pings: { intervalSeconds: 0, count: 1 } };

describe("data that are found in a later turn", () => {
  it("of READ (16) with FUA, are sent", async () => {
    const device = new LateFlush(new MemoryDevice(DISK_BYTES), "late");
    const target = await InProcessTarget.start({ targets: [{ units: [{ device }] }], limits });
    try {
      const session = await target.connect();
      await session.execute({ lun: 0, cdb: newCdb(6, 0x00) });
      const cdb = cdb16(0x88, 0, 8);
      cdb[1] = 0x08;
      const result = await session.execute({ lun: 0, cdb, expectedInBytes: 4096 });
      expect(result).toMatchObject({ status: 0, residual: { kind: "none" } });
      expect(result.dataIn).toHaveLength(4096);
    } finally {
      await target.close();
    }
  });

  it("of GET LBA STATUS, are sent", async () => {
    const target = await InProcessTarget.start({ limits });
    try {
      const session = await target.connect();
      await session.execute({ lun: 0, cdb: newCdb(6, 0x00) });
      const cdb = cdb16(0x9e, 0, 24);
      cdb[1] = 0x12;
      const result = await session.execute({ lun: 0, cdb, expectedInBytes: 24 });
      expect(result.status).toBe(0);
      expect(result.dataIn).toHaveLength(24);
    } finally {
      await target.close();
    }
  });
});
