import { expect, it } from "vitest";
import { meantName, spelledName, spelling } from "../../../src/control/tgt/spelled-name.ts";

const [NAME, SPELLED] = ["iqn.2026-01.com.example:one", "iqn.2026-01.com.example:One"];

it("is kept where it is not the name itself", () => {
  expect(spelledName({ name: NAME, tgt: { settings: spelling(SPELLED, NAME) } })).toBe(SPELLED);
  expect(spelling(NAME, NAME).size).toBe(0);
  expect(spelledName({ name: NAME, tgt: null })).toBe(NAME);
});

it("means the name", () => {
  expect(meantName(SPELLED)).toBe(NAME);
  expect(meantName("No_Name")).toBe("No_Name");
});
