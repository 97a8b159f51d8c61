import { createInterface } from "node:readline/promises";

/**
 * One line of the input without blanks around it; none at its end. The question is for people only, as the shell's read
 * has it: nobody is asked where the answer comes from a file.
 */
export async function readAnswer(
  question: string,
  input: NodeJS.ReadableStream & { readonly isTTY?: boolean },
  output: NodeJS.WritableStream,
): Promise<string> {
  if (input.isTTY === true) output.write(question);
  const lines = createInterface({ input });
  for await (const line of lines) return line.trim();
  return "";
}
