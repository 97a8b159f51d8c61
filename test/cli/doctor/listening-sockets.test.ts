import { expect, it } from "vitest";
import { listeningInode } from "../../../src/cli/doctor/listening-sockets.ts";

const TABLE = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:0CBC 0100007F:D2F0 01 00000000:00000000 00:00000000 00000000     0        0 111 1
   1: 0100007F:0CBC 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 222 1
   2: 00000000000000000000000000000000:0050 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 333 1
`;

it("finds who listens, not who is connected", () => {
  expect(listeningInode(TABLE, 3260)).toBe("222");
  expect(listeningInode(TABLE, 80)).toBe("333");
  expect(listeningInode(TABLE, 8080)).toBeNull();
  expect(listeningInode("", 80)).toBeNull();
});
