import { describe, expect, it } from "vitest";
import { precisionAt } from "../../src/metrics/report";

describe("the report", () => {
  it("reads the best precision at a recall off the curve", () => {
    const points = [
      [0, 1],
      [0.5, 0.8],
      [0.7, 0.9],
      [1, 0.1],
    ] as const;
    expect([0.5, 0.9, 1.1].map((recall) => precisionAt(points, recall))).toEqual([0.9, 0.1, null]);
  });
});
