import { expect, it } from "vitest";
import { type Asking, confirm } from "../../src/cli/confirm.ts";

function answering(answer: string, isTerminal = true): Asking & { readonly questions: string[] } {
  const questions: string[] = [];
  const ask = (question: string): Promise<string> => {
    questions.push(question);
    return Promise.resolve(answer);
  };
  return { isTerminal, ask, questions };
}

it("asks for the word", async () => {
  const asking = answering(" tank \n");
  await confirm("Pool tank will be lost", "tank", false, asking);
  expect(asking.questions).toEqual(["Pool tank will be lost.\nType tank to go on: "]);
});

it.each(["", "y", "yes", "Tank"])("takes %j for no", async (answer) => {
  await expect(confirm("It goes", "tank", false, answering(answer))).rejects.toThrow(
    "nothing was changed",
  );
});

it("does not ask where consent was given", async () => {
  const asking = answering("no");
  await confirm("It goes", "tank", true, asking);
  expect(asking.questions).toEqual([]);
});

it("asks nobody where there is no terminal", async () => {
  const asking = answering("tank", false);
  await expect(confirm("It goes", "tank", false, asking)).rejects.toThrow("It goes; give --yes");
  expect(asking.questions).toEqual([]);
});
