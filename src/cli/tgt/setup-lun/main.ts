import { hostname } from "node:os";
import { byteWords, bytesOf, toByteString } from "../byte-words.ts";
import { outliveReaders } from "../run-program.ts";
import { tgtadm } from "../tgtadm/tgtadm.ts";
import { readAnswer } from "./read-answer.ts";
import { setupLun } from "./setup-lun.ts";

const PROGRAM = "tgt-setup-lun";

outliveReaders();
process.exitCode = await setupLun(byteWords(process.argv.slice(2)), {
  calledAs: PROGRAM,
  hostName: toByteString(hostname().split(".", 1)[0] ?? ""),
  tgtadm: (words) => tgtadm(words, { calledAs: "tgtadm", variables: process.env }),
  print: (text) => void process.stdout.write(bytesOf(text)),
  complain: (text) => void process.stderr.write(bytesOf(text)),
  ask: (question) => readAnswer(question, process.stdin, process.stderr),
});
