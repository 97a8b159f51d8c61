import { runProgram } from "../run-program.ts";
import { tgtimg } from "./tgtimg.ts";

await runProgram(tgtimg);
