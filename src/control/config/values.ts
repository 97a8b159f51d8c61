import { isScalar } from "yaml";
import { resolve } from "node:path";
import { parseIscsiName } from "../../iscsi/login/iscsi-name.ts";
import { formatSize, parseSize, SizeError } from "../../util/units.ts";
import { Secret } from "../secret.ts";
import { type Endpoint, parseEndpoint } from "./endpoint.ts";
import { mapped, type Shape, text, textOrNumber } from "./shape.ts";

/** A size in bytes, within bounds. */
export function size(leastBytes: number, mostBytes: number): Shape<number> {
  return mapped(textOrNumber, (value, fail) => {
    let bytes: number;
    try {
      bytes = parseSize(value);
    } catch (error) {
      if (error instanceof SizeError) return fail(error.message);
      throw error;
    }
    if (bytes >= leastBytes && bytes <= mostBytes) return bytes;
    return fail(`must be from ${formatSize(leastBytes)} to ${formatSize(mostBytes)}, not ${value}`);
  });
}

/** Where to listen: port 0 takes any that is free. */
export const listenEndpoint: Shape<Endpoint> = endpoint(0);

/** Where others find something. */
export const remoteEndpoint: Shape<Endpoint> = endpoint(1);

function endpoint(portMin: 0 | 1): Shape<Endpoint> {
  return mapped(text, (value, fail) => {
    const result = parseEndpoint(value, portMin);
    return result.ok ? result.endpoint : fail(result.message);
  });
}

/** A path; a relative one starts in the folder of the configuration. */
export const filePath: Shape<string> = mapped(text, (value, fail, report) => {
  if (value === "" || value.includes("\0")) return fail("must be a path");
  return resolve(report.source.folder, value);
});

/** The name of a target, in the form in which names are compared. */
export const targetName: Shape<string> = mapped(text, (value, fail) => {
  const result = parseIscsiName(value);
  return result.ok ? result.name : fail(`${result.message}; this is "${value}"`);
});

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export const uuid: Shape<string> = mapped(text, (value, fail) => {
  const lowerCase = value.toLowerCase();
  return UUID.test(lowerCase)
    ? lowerCase
    : fail(`must be a UUID such as 6fa459ea-ee8a-4ca4-894e-db77e160355e, not "${value}"`);
});

const VOLUME_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

/** Names of volumes end up in file names, logs and command lines. */
export const volumeName: Shape<string> = mapped(textOrNumber, (value, fail) =>
  VOLUME_NAME.test(value)
    ? value
    : fail("a volume's name has up to 63 letters, digits, dots, dashes and underscores"),
);

/** What the daemon itself calls volumes that somebody mapped without naming them: POOL/VOLUME, or the path of a file or device. */
const IMPLIED_NAME =
  /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}\/[A-Za-z0-9][A-Za-z0-9._-]{0,62}$|^\/[^\p{Cc}]{1,4095}$/u;

/** How volumes are called in the configuration: a name of the operator's choice, or one that follows from what it is. */
export const volumeKey: Shape<string> = mapped(textOrNumber, (value, fail) =>
  VOLUME_NAME.test(value) || IMPLIED_NAME.test(value)
    ? value
    : fail("a volume's name has up to 63 letters, digits, dots, dashes and underscores"),
);

/** A pool carries its name on its devices. */
export const poolName: Shape<string> = mapped(textOrNumber, (value, fail) =>
  VOLUME_NAME.test(value)
    ? value
    : fail("a pool's name has up to 63 letters, digits, dots, dashes and underscores"),
);

/** A text of printable ASCII, for a field of INQUIRY data of this length. */
export function inquiryText(charactersMax: number): Shape<string> {
  return mapped(textOrNumber, (value, fail) =>
    /^[\x20-\x7e]+$/.test(value) && value.length <= charactersMax
      ? value
      : fail(`must have 1 to ${charactersMax} printable ASCII characters`),
  );
}

/** A secret that is written in the configuration. Its value is in no message, whatever is wrong with it. */
export const secret: Shape<Secret> = (node, path, report) => {
  report.holdsSecrets = true;
  const scalar = report.enter(node, path);
  if (isScalar(scalar) && typeof scalar.value === "string") return new Secret(scalar.value);
  report.problem(path, "must be a text; put it in quotes");
  return undefined;
};
