import { createHash } from "node:crypto";
import { isIP } from "node:net";
import { ROLES, type Role } from "../protocol.ts";
import type { Secret } from "../secret.ts";
import { secretFile } from "./authentication-shape.ts";
import type { Endpoint } from "./endpoint.ts";
import { pathOf } from "./report.ts";
import { choiceOf, listOf, object, optional, required, type Shape, textThat } from "./shape.ts";
import { filePath, listenEndpoint } from "./values.ts";

/** HTTP over TCP, for whoever has a token. */
export interface HttpConfig {
  readonly listen: Endpoint;
  /** Null: without, which only this host's own addresses may be. */
  readonly tls: HttpTls | null;
  readonly tokens: readonly HttpToken[];
}

export interface HttpTls {
  /** A file in PEM, with the certificates between it and the root; read when the daemon starts. */
  readonly certFile: string;
  readonly keyFile: string;
}

export interface HttpToken {
  readonly name: string;
  readonly role: Role;
  /** Of the token, in hexadecimal digits: the token itself is not kept. */
  readonly sha256: string;
}

/** One for each person and program that has to do with a site's storage. */
const TOKENS_MAX = 256;

/** A token that can be guessed is none: 128 bits in hexadecimal digits. */
const TOKEN_LENGTH_MIN = 32;

interface TokenKeys {
  readonly name: string;
  readonly role: Role;
  readonly tokenFile: Secret | null;
  readonly sha256: string | null;
}

const tokenKeys = object<TokenKeys>({
  name: required(
    textThat((value) =>
      /^[A-Za-z0-9][A-Za-z0-9._@-]{0,62}$/.test(value)
        ? null
        : "a token's name has up to 63 letters, digits, dots, dashes, underscores and @",
    ),
  ),
  role: required(choiceOf(ROLES)),
  tokenFile: optional(secretFile, null),
  sha256: optional(
    textThat((value) =>
      /^[0-9a-f]{64}$/.test(value) ? null : "must be 64 hexadecimal digits, in lower case",
    ),
    null,
  ),
});

/** The log tells callers apart by their names, and so do requests that are done once. */
const RESERVED = "socket";

const token: Shape<HttpToken> = (node, path, report) => {
  const keys = tokenKeys(node, path, report);
  if (keys === undefined) return undefined;
  const { name, role, tokenFile, sha256 } = keys;
  if (name === RESERVED) {
    const message = `"${RESERVED}" is what callers by the socket are called: give it another name`;
    report.problem(pathOf(path, "name"), message);
    return undefined;
  }
  if ((tokenFile === null) === (sha256 === null)) {
    report.problem(path, 'needs either "tokenFile" or "sha256"');
    return undefined;
  }
  if (sha256 !== null) return { name, role, sha256 };
  const text = tokenFile?.reveal() ?? "";
  if (!/^[\x21-\x7e]+$/.test(text) || text.length < TOKEN_LENGTH_MIN) {
    report.problem(
      pathOf(path, "tokenFile"),
      `must hold at least ${TOKEN_LENGTH_MIN} characters of ASCII without spaces (openssl rand -hex 32)`,
    );
    return undefined;
  }
  return { name, role, sha256: createHash("sha256").update(text).digest("hex") };
};

const httpKeys = object<HttpConfig>({
  listen: required(listenEndpoint),
  tls: optional(
    object<HttpTls>({ certFile: required(filePath), keyFile: required(filePath) }),
    null,
  ),
  tokens: required(listOf(token, TOKENS_MAX, "nobody could ask for anything")),
});

function isLoopback(address: string): boolean {
  if (isIP(address) === 4) return address.startsWith("127.");
  return address === "::1" || address === "localhost";
}

/** HTTP over TCP: with TLS, unless nobody else can reach it. */
export const httpShape: Shape<HttpConfig> = (node, path, report) => {
  const keys = httpKeys(node, path, report);
  if (keys === undefined) return undefined;
  const { listen, tls, tokens } = keys;
  if (tls === null && !isLoopback(listen.address)) {
    const message = `tokens would cross the network in the clear: give "tls", or listen on 127.0.0.1`;
    report.problem(path, message);
    return undefined;
  }
  const names = tokens.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) {
    report.problem(pathOf(path, "tokens"), `there are two tokens with the name "${twice}"`);
    return undefined;
  }
  return keys;
};
