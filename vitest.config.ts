import { defineConfig } from "vitest/config";

/** Suites that drive the built daemon with somebody else's programs; each is a project of its own. */
const endToEnd = ["host", "conformance", "guest"];

/** Walks through so many states that it is for machines with time: a project of its own, too. */
const exploration = "test/exploration/**";

/** Kills processes and cuts logs for minutes: a project of its own. */
const crash = "test/crash/**";

/** A busy machine with two cores must not fail a test that is only slow. */
const UNIT_TIMEOUT_MS = 60_000;
const END_TO_END_TIMEOUT_MS = 15 * 60_000;
const EXPLORATION_TIMEOUT_MS = 30 * 60_000;

export default defineConfig({
  test: {
    maxWorkers: 2,
    reporters: ["default"],
    projects: [
      {
        test: {
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: [...endToEnd.map((suite) => `test/${suite}/**`), exploration, crash],
          testTimeout: UNIT_TIMEOUT_MS,
          hookTimeout: UNIT_TIMEOUT_MS,
        },
      },
      {
        test: {
          name: "model",
          include: [`${exploration}/*.test.ts`],
          testTimeout: EXPLORATION_TIMEOUT_MS,
        },
      },
      {
        test: {
          name: "crash",
          include: [`${crash}/*.test.ts`],
          testTimeout: END_TO_END_TIMEOUT_MS,
          globalSetup: ["test/crash/build-program.ts"],
        },
      },
      ...endToEnd.map((suite) => ({
        test: {
          name: suite,
          include: [`test/${suite}/**/*.test.ts`],
          testTimeout: END_TO_END_TIMEOUT_MS,
          hookTimeout: END_TO_END_TIMEOUT_MS,
          globalSetup: suite === "guest" ? ["test/guest/machine/accelerator.ts"] : [],
        },
      })),
    ],
    coverage: { provider: "v8", include: ["src/**", "native-free/**"] },
  },
});
