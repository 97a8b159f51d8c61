import { Ajv2020 } from "ajv/dist/2020.js";
import { expect, it } from "vitest";
import { checkArguments } from "../../../src/control/operations/arguments.ts";
import { OPERATION_NAMES, OPERATIONS } from "../../../src/control/operations/table.ts";
import { OperationError } from "../../../src/control/protocol.ts";
import type { Schema } from "../../../src/control/schemas/schema.ts";
import { chooseSeed, SeededRandom } from "../../../src/util/random.ts";

const ROUNDS = 150;

const ODD_SCALARS = [null, true, -1, 1.5, 2 ** 53, 1e308, "", "5", "\u0000", "\ud800"];
const ODD_OTHERS = [[], {}, [null], { a: 1 }, "x".repeat(5000), ["x", 1, {}], { name: {} }];
const ODD: readonly unknown[] = [...ODD_SCALARS, ...ODD_OTHERS];

/** Mostly what a schema asks for, with something odd here and there. */
function madeUp(schema: Readonly<Record<string, unknown>>, random: SeededRandom): unknown {
  if (random.chance(0.08)) return random.pick(ODD);
  const { anyOf, enum: choices, items, properties } = schema;
  if (Array.isArray(anyOf)) return madeUp(random.pick(anyOf) as typeof schema, random);
  if (Array.isArray(choices)) return random.pick(choices as unknown[]);
  switch (schema["type"]) {
    case "boolean":
      return random.chance(0.5);
    case "integer":
    case "number":
      return random.below(1000);
    case "array":
      return Array.from({ length: random.below(4) }, () => madeUp(items as typeof schema, random));
    case "object": {
      const fields = Object.entries((properties ?? {}) as Record<string, typeof schema>)
        .filter(() => random.chance(0.85))
        .map(([name, field]) => [name, madeUp(field, random)] as const);
      const more = random.chance(0.08) ? [[random.pick(["x", "__proto__", "a/b~c"]), 1]] : [];
      return Object.fromEntries([...fields, ...more]) as unknown;
    }
    case "null":
      return null;
    default:
      return "tank";
  }
}

it("arguments of all operations are taken or refused in words, whatever they are", () => {
  const random = new SeededRandom(chooseSeed(process.env));
  const validator = new Ajv2020({ strict: true });
  let [taken, refused] = [0, 0];
  for (const name of OPERATION_NAMES) {
    const schema = OPERATIONS[name].arguments as unknown as Schema<object>;
    const fits = validator.compile(schema);
    for (let round = 0; round < ROUNDS; round += 1) {
      const body = madeUp(schema, random);
      const hint = `seed ${random.seed}: ${name} ${JSON.stringify(body)?.slice(0, 500)}`;
      try {
        checkArguments(schema, body);
        expect(fits(body), hint).toBe(true);
        taken += 1;
      } catch (error) {
        if (!(error instanceof OperationError)) throw new Error(hint, { cause: error });
        expect(error.kind, hint).toBe("invalid");
        expect(error.message, hint).toMatch(
          / must be (a|true|one|an) | is no argument; there are /,
        );
        expect(error.message.length, hint).toBeLessThan(1000);
        expect(fits(body), hint).toBe(false);
        refused += 1;
      }
    }
  }
  expect(taken, `seed ${random.seed}`).toBeGreaterThan(ROUNDS);
  expect(refused, `seed ${random.seed}`).toBeGreaterThan(ROUNDS);
});
