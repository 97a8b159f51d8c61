import { runChild } from "../../../../native-free/child-process.ts";
import { byteWords, bytesOf } from "../byte-words.ts";
import { tgtadm } from "../tgtadm/tgtadm.ts";
import { findApplyClient } from "./find-daemon.ts";
import { lookAt, SYSTEM_FILES } from "./system-world.ts";
import { tgtAdmin } from "./tgt-admin.ts";

const variables = process.env;

process.exitCode = await tgtAdmin(byteWords(process.argv.slice(2)), {
  tgtadm: (words) => tgtadm(words, { calledAs: "tgtadm", variables }),
  files: SYSTEM_FILES,
  print: (text) => void process.stdout.write(bytesOf(text)),
  complain: (text) => void process.stderr.write(bytesOf(text)),
  lookAt,
  run: (program, words) =>
    runChild(
      program,
      words.map((word) => bytesOf(word).toString("utf8")),
    ),
  applyClient: (controlPort) => findApplyClient(controlPort, variables),
});
