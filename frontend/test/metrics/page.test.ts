import { describe, expect, it } from "vitest";
import { barPosition } from "../../src/metrics/page";

describe("the delay histogram", () => {
  it("places a value between the bars of a histogram, the open last one included", () => {
    const bins = [
      { from: 0, to: 10, count: 1 },
      { from: 10, to: 30, count: 1 },
      { from: 30, to: null, count: 1 },
    ];
    expect([5, 20, 400].map((value) => barPosition(value, bins))).toEqual([0.5, 1.5, 2.5]);
  });
});
