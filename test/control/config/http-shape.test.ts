import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { parseConfig } from "../../../src/control/config/parse-config.ts";
import { ConfigError } from "../../../src/control/config/report.ts";

const TOKEN = "0123456789abcdef0123456789abcdef";
const HASH = createHash("sha256").update(TOKEN).digest("hex");

function parse(http: string, token = `${TOKEN}\n`) {
  const text = `volumes: {}\ntargets: []\nhttp: ${http}\n`;
  const readSecretFile = () => ({ text: token, exposed: false });
  return parseConfig({ fileName: "x.yaml", text, folder: "/etc/thinlun", readSecretFile }).config
    .http;
}

function complaint(http: string, token?: string): string {
  try {
    parse(http, token);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  throw new Error("nothing is wrong with it");
}

describe("http in the configuration", () => {
  it("is read, with tokens by file or by hash", () => {
    const tokens = `[{ name: a, role: read, tokenFile: a }, { name: b, role: admin, sha256: "${HASH}" }]`;
    expect(parse(`{ listen: "127.0.0.1:3280", tokens: ${tokens} }`)).toEqual({
      listen: { address: "127.0.0.1", port: 3280 },
      tls: null,
      tokens: [
        { name: "a", role: "read", sha256: HASH },
        { name: "b", role: "admin", sha256: HASH },
      ],
    });
    const tls = "tls: { certFile: cert.pem, keyFile: /keys/key.pem }";
    expect(parse(`{ listen: "0.0.0.0:443", ${tls}, tokens: ${tokens} }`)).toMatchObject({
      tls: { certFile: "/etc/thinlun/cert.pem", keyFile: "/keys/key.pem" },
    });
  });

  it("is not there unless somebody wants it", () => {
    const readSecretFile = () => ({ text: "", exposed: false });
    const source = {
      fileName: "x",
      text: "volumes: {}\ntargets: []\n",
      folder: "/",
      readSecretFile,
    };
    expect(parseConfig(source).config.http).toBeNull();
  });

  const token = (more: string): string => `{ listen: "127.0.0.1:1", tokens: [{ ${more} }] }`;

  it.each([
    [`{ listen: "192.0.2.1:1", tokens: [{ name: a, role: read, tokenFile: a }] }`, "in the clear"],
    [`{ listen: "0.0.0.0:1", tokens: [{ name: a, role: read, tokenFile: a }] }`, "in the clear"],
    [`{ listen: "127.0.0.1:1", tokens: [] }`, "nobody could ask"],
    [`{ listen: "127.0.0.1:1" }`, '"tokens" is missing'],
    [token("name: a, role: root, tokenFile: a"), "must be one of read, operate, admin"],
    [token("name: a, role: read"), 'needs either "tokenFile" or "sha256"'],
    [token(`name: a, role: read, tokenFile: a, sha256: "${HASH}"`), "needs either"],
    [token("name: a b, role: read, tokenFile: a"), "a token's name has"],
    [token("name: socket, role: read, tokenFile: a"), "is what callers by the socket are called"],
    [token("name: a, role: read, sha256: abc"), "64 hexadecimal digits"],
    [
      `{ listen: "127.0.0.1:1", tokens: [{ name: a, role: read, tokenFile: a }, { name: a, role: read, tokenFile: a }] }`,
      'two tokens with the name "a"',
    ],
  ])("is refused where it is %s", (http, message) => {
    expect(complaint(http)).toContain(message);
  });

  it.each(["short", `${TOKEN} ${TOKEN}`, ""])(
    "is refused with the token %j, which is not told",
    (text) => {
      const message = complaint(token("name: a, role: read, tokenFile: a"), text);
      expect(message).toContain("must hold at least 32 characters");
      expect(text === "" || !message.includes(`"${text}"`)).toBe(true);
    },
  );
});
