import { expect, it } from "vitest";
import { portalsOf } from "../../../src/control/tgt/tgt-command-portal.ts";

it.each([
  ["portal=127.0.0.1:38261", [{ address: "127.0.0.1", port: 38261 }]],
  ["portalOps portal=127.0.0.1,", [{ address: "127.0.0.1", port: 3260 }]],
  ["xportal=[fe80::1%eth0]:0", [{ address: "fe80::1%eth0", port: 0 }]],
  ["portal=:65535", [{ address: "", port: 65_535 }]],
  [
    "portal=a:1,foo=1,portal=b:2",
    [
      { address: "a", port: 1 },
      { address: "b", port: 2 },
    ],
  ],
])("finds portals in %j", (text, portals) => {
  expect(portalsOf(text)).toEqual(portals);
});

it.each([
  "",
  "portal",
  "portal:1",
  "portal=a:65536",
  "portal=a:-1",
  "portal=::1",
  "portal=a,portal=b:c",
])("finds none in %j", (text) => {
  expect(portalsOf(text)).toBeNull();
});
