import { describe, expect, it } from "vitest";
import { estimateText } from "../../src/agreement/types";
import { none, sure } from "./estimates";

describe("estimates", () => {
  it("stand with their interval, or with the reason why there is none", () => {
    expect([
      estimateText(sure),
      estimateText(none),
      estimateText({ ...sure, interval: null }),
      estimateText(null),
    ]).toEqual(["0.84 (0.71 to 0.93)", "not enough reads", "0.84", "–"]);
  });
});
