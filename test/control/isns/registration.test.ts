import { expect, it } from "vitest";
import {
  DELIMITER,
  emptyAttribute,
  numberAttribute,
  textAttribute,
} from "../../../src/control/isns/attribute.ts";
import {
  deregisterEntityRequest,
  deregisterTargetsRequest,
  initiatorsRequest,
  noticesRequest,
  registerRequest,
  registrationOf,
} from "../../../src/control/isns/registration.ts";
import type { Config } from "../../../src/control/config/config.ts";

const A = "iqn.2026-11.net.example:a";

const portal = (address: string) => ({ endpoint: { address, port: 3260 }, group: 2 });

it("registers portals by the addresses at which they are reached", () => {
  const addresses = ["192.0.2.7", "2001:db8::7"];
  const expanded = (address: string): string[] =>
    registrationOf({ targets: [] }, [portal(address)], addresses).portals.map(
      ({ endpoint }) => endpoint.address,
    );
  expect(expanded("127.0.0.1")).toEqual(["127.0.0.1"]);
  expect(expanded("0.0.0.0")).toEqual(["192.0.2.7"]);
  expect(expanded("::")).toEqual(addresses);
});

it("registers of targets what initiators are to know, and nothing else", () => {
  const target = { name: A, alias: "a", portalGroups: [2], luns: [], authentication: null };
  const config = { targets: [target] } as unknown as Pick<Config, "targets">;
  expect(registrationOf(config, [], [])).toEqual({
    targets: [{ name: A, alias: "a", portalGroups: [2] }],
    portals: [],
  });
});

it("says through which portals a target is reached, and through which it is not", () => {
  const attributes = registerRequest(
    A,
    { entity: "here", eventPort: 4711, inquiries: true },
    {
      targets: [{ name: A, alias: "first", portalGroups: [2] }],
      portals: [portal("192.0.2.7"), { ...portal("192.0.2.8"), group: 3 }],
    },
  );
  const tags = attributes.map(({ tag }) => tag);
  const portalTags = [16, 17, 19, 20, 23];
  expect(tags).toEqual([
    32,
    1,
    0,
    1,
    2,
    6,
    ...portalTags,
    ...portalTags,
    32,
    33,
    34,
    48,
    49,
    50,
    51,
    48,
    49,
    50,
    51,
  ]);
  expect(attributes).toContainEqual(numberAttribute(20, 4711));
  expect(attributes.filter(({ tag }) => tag === 51)).toEqual([
    numberAttribute(51, 2),
    emptyAttribute(51),
  ]);
});

it("leaves inquiries out where there are none", () => {
  const tags = registerRequest(
    A,
    { entity: "here", eventPort: 4711, inquiries: false },
    { targets: [], portals: [portal("::1")] },
  ).map(({ tag }) => tag);
  expect(tags).toEqual([32, 1, 0, 1, 2, 6, 16, 17, 23]);
});

it("asks in three parts: who asks, what about, and what for", () => {
  const source = textAttribute(32, A);
  expect(deregisterTargetsRequest(A, [A])).toEqual([source, DELIMITER, source]);
  expect(deregisterEntityRequest(A, "here")).toEqual([source, DELIMITER, textAttribute(1, "here")]);
  expect(noticesRequest(A)).toEqual([source, source, DELIMITER, numberAttribute(35, 0x9c)]);
  expect(initiatorsRequest(A)).toEqual([
    source,
    numberAttribute(33, 2),
    DELIMITER,
    emptyAttribute(32),
    emptyAttribute(33),
  ]);
});
