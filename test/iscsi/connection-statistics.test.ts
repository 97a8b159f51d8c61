import { describe, expect, it } from "vitest";

import { ConnectionStatistics } from "../../src/iscsi/connection-statistics.ts";
import { Opcode } from "../../src/iscsi/pdu/opcode.ts";

/** Everything by its name. */
function valuesOf(statistics: ConnectionStatistics): Record<string, number> {
  const { receivedOctets, sentOctets, commands, dataOuts, dataIns, responses } = statistics;
  const { rejects, headerDigestErrors, dataDigestErrors } = statistics;
  const pdus = { commands, dataOuts, dataIns, responses, rejects };
  return { receivedOctets, sentOctets, ...pdus, headerDigestErrors, dataDigestErrors };
}

function used(): ConnectionStatistics {
  const statistics = new ConnectionStatistics();
  statistics.received(1);
  statistics.sent(2);
  for (const opcode of Object.values(Opcode)) statistics.pduReceived(opcode);
  for (const opcode of Object.values(Opcode)) statistics.pduSent(opcode);
  statistics.pduReceived(Opcode.dataOut);
  for (let count = 0; count < 2; count += 1) statistics.pduSent(Opcode.dataIn);
  for (let count = 0; count < 3; count += 1) statistics.pduSent(Opcode.scsiResponse);
  for (let count = 0; count < 5; count += 1) statistics.rejected();
  for (let count = 0; count < 6; count += 1) statistics.headerDigestFailed();
  for (let count = 0; count < 7; count += 1) statistics.dataDigestFailed();
  return statistics;
}

const USED = {
  receivedOctets: 1,
  sentOctets: 2,
  commands: 1,
  dataOuts: 2,
  dataIns: 3,
  responses: 4,
  rejects: 5,
  headerDigestErrors: 6,
  dataDigestErrors: 7,
};

describe("ConnectionStatistics", () => {
  it("counts each thing by itself", () => {
    expect(valuesOf(used())).toEqual(USED);
  });

  it("adds others to itself", () => {
    const sum = used();
    sum.add(used());
    const doubled = Object.entries(USED).map(([name, value]) => [name, value * 2]);
    expect(valuesOf(sum)).toEqual(Object.fromEntries(doubled));
  });
});
