import { describe, expect, it } from "vitest";

import { SEND_CHUNK_BYTES, STAGING_BYTES } from "../../src/iscsi/limits.ts";
import { TransportPools } from "../../src/iscsi/transport-pools.ts";

describe("TransportPools", () => {
  it.each([1, 4096, 16_384, 16_385, STAGING_BYTES])("lends staging for %i bytes", (bytes) => {
    const pools = new TransportPools();
    const buffer = pools.leaseStaging(bytes);
    expect(buffer.length).toBeGreaterThanOrEqual(bytes);
    expect(pools.lentBytes).toBe(buffer.length);
    pools.releaseStaging(buffer);
    expect(pools.lentBytes).toBe(0);
    expect(pools.leaseStaging(bytes)).toBe(buffer);
  });

  it.each([48, 16_384, 262_144 + 52, 1_048_576])("lends %i bytes for a whole PDU", (bytes) => {
    const pools = new TransportPools();
    const buffer = pools.leaseAssembly(bytes);
    expect(buffer.length).toBeGreaterThanOrEqual(bytes);
    expect(pools.lentBytes).toBe(buffer.length);
    pools.releaseAssembly(buffer);
    expect(pools.lentBytes).toBe(0);
  });

  it("does not spend a large buffer on a small piece", () => {
    expect(new TransportPools().leaseStaging(4096).length).toBeLessThan(STAGING_BYTES);
  });

  it("lends a buffer of a page, no larger, for one", () => {
    const pools = new TransportPools();
    expect(pools.leaseStaging(4096).length).toBe(4096);
    expect(pools.leaseStaging(4097).length).toBeGreaterThan(4096);
  });

  it("counts what is lent of all kinds", () => {
    const pools = new TransportPools();
    const small = pools.leaseStaging(512);
    pools.leaseStaging(STAGING_BYTES);
    pools.sendChunks.lease();
    expect(pools.lentBytes).toBe(small.length + STAGING_BYTES + SEND_CHUNK_BYTES);
  });
});
