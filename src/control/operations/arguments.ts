import { Ajv2020, type ErrorObject, type ValidateFunction } from "ajv/dist/2020.js";
import { OperationError } from "../protocol.ts";
import type { Schema } from "../schemas/schema.ts";

/** How much of a wrong value is shown. */
const SHOWN_LENGTH_MAX = 64;

/** What is not shown, whatever is wrong with it. */
const SECRET = /(?:^|\.)password$/;

/** A slip in a key must be told before what is missing because of it. */
const RANK: Readonly<Record<string, number>> = { additionalProperties: 0, required: 1 };

const validator = new Ajv2020({ allErrors: true, verbose: true, strict: true });
validator.addFormat("binary", true);

/** Compiled when an operation is called for the first time: a daemon that is started need not wait for it. */
const compiled = new WeakMap<object, ValidateFunction>();

function validateFunction(schema: object): ValidateFunction {
  let validate = compiled.get(schema);
  if (validate === undefined) {
    validate = validator.compile(schema);
    compiled.set(schema, validate);
  }
  return validate;
}

/**
 * The arguments of an operation, which came from outside, as what its schema says that they are.
 *
 * @throws {OperationError} invalid; the message names the argument
 */
export function checkArguments<T>(schema: Schema<T>, value: unknown): T {
  const validate = validateFunction(schema);
  if (validate(value)) return value as T;
  throw new OperationError("invalid", describe(validate.errors ?? []));
}

function rankOf({ keyword }: ErrorObject): number {
  return RANK[keyword] ?? 2;
}

/** What is said first of what is wrong. */
function describe(errors: readonly ErrorObject[]): string {
  const choices = errors.filter(({ keyword }) => keyword === "anyOf");
  const left = choices.reduce(withoutOtherBranches, errors);
  const first = left.toSorted((one, other) => rankOf(one) - rankOf(other))[0];
  return first === undefined ? "the arguments are not understood" : messageOf(first);
}

/**
 * Where none of several schemas fits a value, and it is of the type of one of them, that one is meant, and what it complains about is
 * what is wrong. Otherwise it is the choice itself.
 */
function withoutOtherBranches(
  errors: readonly ErrorObject[],
  choice: ErrorObject,
): readonly ErrorObject[] {
  const start = `${choice.schemaPath}/`;
  const branchOf = ({ schemaPath }: ErrorObject): string | undefined =>
    schemaPath.startsWith(start) ? schemaPath.slice(start.length).split("/", 1)[0] : undefined;
  const ofOtherType = errors
    .filter(
      ({ keyword, instancePath }) => keyword === "type" && instancePath === choice.instancePath,
    )
    .map(branchOf);
  const meant = new Set(errors.map(branchOf).filter((branch) => branch !== undefined));
  for (const branch of ofOtherType) if (branch !== undefined) meant.delete(branch);
  return meant.size === 1
    ? errors.filter(
        (error) => error !== choice && (branchOf(error) ?? [...meant][0]) === [...meant][0],
      )
    : errors.filter((error) => branchOf(error) === undefined);
}

/** The keywords that builders of schemas use. */
interface Keywords {
  readonly type?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Keywords>>;
  readonly anyOf?: readonly Keywords[];
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
}

function messageOf(error: ErrorObject): string {
  const { keyword, params, data } = error;
  const parent = error.parentSchema as Keywords;
  const place = placeOf(error.instancePath);
  const prefix = place === "" ? "" : `${place}.`;
  if (keyword === "additionalProperties") {
    const { additionalProperty } = params as { readonly additionalProperty: string };
    const known = Object.keys(parent.properties ?? {});
    const there = known.length === 0 ? "there are none" : `there are ${known.join(", ")}`;
    return `${prefix}${shown(additionalProperty)} is no argument; ${there}`;
  }
  if (keyword === "required") {
    const { missingProperty } = params as { readonly missingProperty: string };
    const wanted = parent.properties?.[missingProperty] ?? {};
    return `${prefix}${missingProperty} must be ${wantedOf(missingProperty, wanted)}, and is not given`;
  }
  const name = place === "" ? "the arguments" : place;
  const not = SECRET.test(place) ? "" : `, not ${shown(data)}`;
  return `${name} must be ${wantedOf(place, parent)}${not}`;
}

/** As people write it: copies[1].name. */
function placeOf(instancePath: string): string {
  const steps = instancePath.split("/").slice(1);
  return steps.reduce((place, step) => {
    const name = step.replaceAll("~1", "/").replaceAll("~0", "~").slice(0, SHOWN_LENGTH_MAX);
    if (/^\d+$/.test(name)) return `${place}[${name}]`;
    return place === "" ? name : `${place}.${name}`;
  }, "");
}

/** What a schema asks for, in words. Units are at the end of names. */
function wantedOf(place: string, schema: Keywords): string {
  if (schema.anyOf !== undefined) {
    return schema.anyOf.map((one) => wantedOf(place, one)).join(" or ");
  }
  if (schema.enum !== undefined) return `one of ${schema.enum.join(", ")}`;
  switch (schema.type) {
    case "string":
      return textOf(schema);
    case "boolean":
      return "true or false";
    case "integer":
      return `a whole number${place.endsWith("Bytes") ? " of bytes" : ""}${rangeOf(schema)}`;
    case "number":
      return `a number${rangeOf(schema)}`;
    case "array":
      return listOf(schema);
    case "null":
      return "null";
    case undefined:
    default:
      return "an object";
  }
}

function textOf({ maxLength, pattern, description = "" }: Keywords): string {
  if (pattern !== undefined) return description;
  return maxLength === undefined ? "a text" : `a text of 1 to ${maxLength} characters`;
}

function rangeOf({ minimum, maximum = Number.MAX_SAFE_INTEGER }: Keywords): string {
  if (maximum !== Number.MAX_SAFE_INTEGER) return ` from ${minimum ?? "any"} to ${maximum}`;
  return minimum === undefined ? "" : ` from ${minimum} on`;
}

function listOf({ minItems = 0, maxItems }: Keywords): string {
  if (maxItems === undefined) return minItems === 0 ? "a list" : `a list of at least ${minItems}`;
  return minItems === 0 ? `a list of up to ${maxItems}` : `a list of ${minItems} to ${maxItems}`;
}

function shown(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : "a list";
  if (typeof value === "object" && value !== null) return "an object";
  const text = JSON.stringify(value) ?? "nothing";
  return text.length <= SHOWN_LENGTH_MAX ? text : `${text.slice(0, SHOWN_LENGTH_MAX)}...`;
}
