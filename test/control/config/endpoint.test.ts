import { expect, it } from "vitest";
import { formatEndpoint, parseEndpoint } from "../../../src/control/config/endpoint.ts";

it.each([
  ["127.0.0.1:3261", "127.0.0.1", 3261],
  ["127.0.0.1", "127.0.0.1", 3260],
  ["0.0.0.0:0", "0.0.0.0", 0],
  ["[::1]:3260", "::1", 3260],
  ["[fe80::1%eth0]:3260", "fe80::1%eth0", 3260],
  ["[::]", "::", 3260],
  ["2001:db8::7", "2001:db8::7", 3260],
  ["storage.example.net:3260", "storage.example.net", 3260],
])("%j is %s, port %d", (text, address, port) => {
  expect(parseEndpoint(text, 0)).toEqual({ ok: true, endpoint: { address, port } });
});

it.each([
  ["", /is not an address/],
  [":3260", /is not an address/],
  ["127.0.0.1:", /is not an address/],
  ["127.0.0.1:http", /is not an address/],
  ["127.0.0.1:65536", /from 0 to 65535/],
  ["127.0.0.256:1", /neither an IP address nor a host name/],
  ["1.2.3:1", /neither an IP address/],
  ["[127.0.0.1]:3260", /is not an IPv6 address|is not an address/],
  ["[::g]:1", /is not an address/],
  ["-x:1", /neither an IP address/],
  ["a b:1", /neither an IP address/],
])("%j is refused", (text, message) => {
  const result = parseEndpoint(text, 0);
  expect(result.ok ? "accepted" : result.message).toMatch(message);
});

it("port 0 is for listening only", () => {
  expect(parseEndpoint("127.0.0.1:0", 1).ok).toBe(false);
});

it.each(["127.0.0.1:3260", "[::1]:3261"])("%s is written as it is read", (text) => {
  const result = parseEndpoint(text, 1);
  expect(result.ok && formatEndpoint(result.endpoint)).toBe(text);
});
