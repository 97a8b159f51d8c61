import { connect } from "node:net";
import { afterEach, beforeEach, expect, it } from "vitest";
import { PlaneHarness } from "./support/plane-harness.ts";

let harness: PlaneHarness;

beforeEach(async () => {
  harness = await PlaneHarness.start();
});

afterEach(() => harness.dispose());

function isReachable(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

it("opens portals, knows where they listen, and closes them", async () => {
  const { portals } = harness.parts;
  const config = { listen: { address: "localhost", port: 0 }, group: 3, advertise: null };
  const { port } = await portals.open(config);
  expect(portals.portals.at(-1)).toMatchObject({ config, endpoint: { port } });
  expect(await isReachable(port)).toBe(true);
  await portals.close(config);
  expect(await isReachable(port)).toBe(false);
  expect(portals.portals).toHaveLength(1);
  await portals.close(config);
});

it("leaves out one of a command that cannot be had", async () => {
  const { portals } = harness.parts;
  const [taken] = portals.portals;
  const listen = { address: "127.0.0.1", port: taken?.endpoint.port ?? 0 };
  const config = { listen, group: 1, advertise: null };
  await expect(portals.open(config)).rejects.toThrow(/another program has it/);
  await portals.tryOpen(config);
  expect(portals.portals).toEqual([taken]);
  expect(harness.lines.at(-1)).toMatchObject({ level: "error", message: "portal left out" });
});
