import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import { openApiDocument } from "../../../../src/control/http/openapi.ts";
import { OPERATIONS } from "../../../../src/control/operations/table.ts";
import type { OperationName } from "../../../../src/control/protocol.ts";

const DOCUMENT = "https://thinlun.example/openapi.json";

const validator = new Ajv2020({ strict: false, allErrors: true });
validator.addFormat("binary", true);
validator.addSchema({ $id: DOCUMENT, ...openApiDocument() });

const compiled = new Map<string, ValidateFunction>();

/** Throws where an answer is none that the served document tells of. `path` such as "/v1/pool/list"; 0: any error. */
export function mustBeDocumented(path: string, status: number, type: string, body: unknown): void {
  const part = (name: string): string => name.replaceAll("~", "~0").replaceAll("/", "~1");
  const place =
    status >= 400
      ? "/components/responses/Problem"
      : `/paths/${part(path)}/post/responses/${status}`;
  const pointer = `${DOCUMENT}#${place}/content/${part(type)}/schema`;
  let validate = compiled.get(pointer);
  if (validate === undefined) {
    validate = validator.compile({ $ref: pointer });
    compiled.set(pointer, validate);
  }
  if (validate(body)) return;
  throw new Error(`${path} ${status}: ${validator.errorsText(validate.errors)}`);
}

/** The same for what an operation answers before it is put into words. */
export function mustBeReply(name: OperationName, reply: unknown): void {
  if (OPERATIONS[name].repliesBytes === true) {
    if (!(reply instanceof Uint8Array)) throw new Error(`${name} replies no bytes`);
    return;
  }
  mustBeDocumented(`/v1/${name}`, 200, "application/json", JSON.parse(JSON.stringify(reply)));
}
