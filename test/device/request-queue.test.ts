import { expect, it } from "vitest";
import { RequestQueue } from "../../src/device/request-queue.ts";
import { IoKind } from "../../src/util/io-request.ts";
import { SeededRandom } from "../../src/util/random.ts";
import { TestRequest } from "./test-request.ts";

it("gives back in order what was put in, through every turn of the ring", () => {
  const queue = new RequestQueue();
  const random = new SeededRandom(1);
  const model: TestRequest[] = [];
  for (let round = 0; round < 5000; round += 1) {
    if (random.chance(round % 1000 < 500 ? 0.6 : 0.4)) {
      const request = new TestRequest(IoKind.flush);
      queue.push(request);
      model.push(request);
    } else {
      expect(queue.peek()).toBe(model[0]);
      expect(queue.shift()).toBe(model.shift());
    }
    expect(queue.length).toBe(model.length);
  }
});
