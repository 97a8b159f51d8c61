import { runProgram } from "../run-program.ts";
import { tgtadm } from "./tgtadm.ts";

await runProgram(tgtadm);
