import { expect, it } from "vitest";
import { type SystemSettings, TgtSystem } from "../../../../src/control/tgt/execute/tgt-system.ts";

it("has tgt's defaults, takes settings in order and tells of them", () => {
  const system = new TgtSystem();
  const heard: SystemSettings[] = [];
  const end = system.subscribe((settings) => void heard.push(settings));
  expect(system.settings).toEqual({
    state: "ready",
    debug: false,
    isns: { enabled: false, serverAddress: "", serverPort: 3205, accessControl: false },
  });
  system.update([
    { key: "debug", value: "on" },
    { key: "iSNSServerIP", value: "192.0.2.1" },
    { key: "iSNSServerPort", value: "3333" },
    { key: "iSNSAccessControl", value: "On" },
    { key: "iSNS", value: "On" },
  ]);
  expect(heard).toEqual([
    {
      state: "ready",
      debug: true,
      isns: { enabled: true, serverAddress: "192.0.2.1", serverPort: 3333, accessControl: true },
    },
  ]);
  end();
  system.update([{ key: "debug", value: "off" }]);
  expect(heard).toHaveLength(1);
});

it("is ready while it is not offline and its driver runs", () => {
  const system = new TgtSystem();
  expect(system.isReady).toBe(true);
  system.update([{ key: "State", value: "offline" }]);
  expect(system.isReady).toBe(false);
  system.update([{ key: "State", value: "ready" }]);
  system.setDriver("stopped");
  expect([system.isReady, system.driver]).toEqual([false, "stopped"]);
  system.setDriver("ready");
  expect(system.isReady).toBe(true);
});

it("binds a host once, and unbinds it once", () => {
  const system = new TgtSystem();
  expect(() => system.unbindHost(3)).toThrow(expect.objectContaining({ refusal: "no-binding" }));
  system.bindHost(3);
  system.bindHost(4);
  expect(() => system.bindHost(3)).toThrow(expect.objectContaining({ refusal: "binding-exists" }));
  system.unbindHost(3);
  expect(() => system.unbindHost(3)).toThrow(expect.objectContaining({ refusal: "no-binding" }));
});
