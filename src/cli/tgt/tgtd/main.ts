import { runProgram } from "../run-program.ts";
import { tgtd } from "./tgtd.ts";

await runProgram(tgtd);
