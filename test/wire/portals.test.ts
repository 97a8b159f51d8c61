import { networkInterfaces } from "node:os";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { discover } from "../../src/initiator/discovery.ts";
import { InitiatorError } from "../../src/initiator/initiator-error.ts";
import { read, write } from "../../src/initiator/scsi.ts";
import { INITIATOR_NAME, InProcessTarget, TARGET_NAME } from "../support/in-process-target.ts";

const OTHER_NAME = "iqn.2026-11.net.example:other";
const BEHIND_NAT = { address: "192.0.2.7", port: 3260 };

const addresses = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
const hasIpv6 = addresses.some(({ address }) => address === "::1");
const orWhyNot = hasIpv6 ? "" : " (skipped: this machine has no IPv6 loopback)";

let target: InProcessTarget;
/** Group 1 is the portal that every in-process target has. */
let sixthPort = 0;
let natPort = 0;
async function discovered(
  address: string,
  port: number,
): Promise<Record<string, readonly string[]>> {
  const targets = await discover({ address, port, initiatorName: INITIATOR_NAME });
  const ways = targets.map(({ name, portals }): [string, readonly string[]] => [
    name,
    portals.map((portal) => `${portal.address} ${portal.port} ${portal.portalGroupTag}`),
  ]);
  return Object.fromEntries(ways);
}

describe.skipIf(!hasIpv6)(`portals and portal groups, RFC 7143 4.4.1${orWhyNot}`, () => {
  beforeAll(async () => {
    target = await InProcessTarget.start({
      targets: [
        { settings: { portalGroupTags: [1, 2] } },
        { name: OTHER_NAME, settings: { portalGroupTags: [2, 3] } },
      ],
    });
    const { server } = target;
    const any = { port: 0, advertise: null };
    sixthPort = (await server.listen({ ...any, address: "::1", group: 2 })).port;
    const nat = { address: "0.0.0.0", port: 0, group: 3, advertise: BEHIND_NAT };
    natPort = (await server.listen(nat)).port;
  });
  afterAll(async () => {
    await target.close();
  });

  it("lists each target with the portals of its groups, whichever portal is asked", async () => {
    const all = {
      [TARGET_NAME]: [`127.0.0.1 ${target.port} 1`, `::1 ${sixthPort} 2`],
      [OTHER_NAME]: [`::1 ${sixthPort} 2`, `${BEHIND_NAT.address} ${BEHIND_NAT.port} 3`],
    };
    expect(await discovered("127.0.0.1", target.port)).toEqual(all);
    expect(await discovered("::1", sixthPort)).toEqual(all);
    expect(await discovered("127.0.0.1", natPort)).toEqual(all);
  });

  it("lets IPv6 and IPv4 reach the same disk, as two nexuses", async () => {
    const fourth = await target.connect();
    const sixth = await target.connect({ address: "::1", port: sixthPort });
    const data = Buffer.alloc(8192, "both ways");
    const range = { lun: 0, lba: 100, blocks: 16, blockBytes: 512 };
    await write(sixth, range, data);
    expect(Buffer.from(await read(fourth, range))).toEqual(data);
    const groups = [...target.server.sessions].map(({ nexus }) => nexus.relativePortId);
    expect(groups.toSorted((one, other) => one - other)).toEqual([1, 2]);
  });

  it("refuses a login through a portal that the target does not have", async () => {
    const login = target.connect({ targetName: OTHER_NAME });
    await expect(login).rejects.toBeInstanceOf(InitiatorError);
    const through = await target.connect({ targetName: OTHER_NAME, port: natPort });
    expect(through).toBeDefined();
  });
});
