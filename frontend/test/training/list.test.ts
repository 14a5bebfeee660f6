import { describe, expect, it } from "vitest";
import { durationRange } from "../../src/training/list";

describe("the preflight", () => {
  it("gives its estimate as a range", () =>
    expect([durationRange([30, 50]), durationRange([120, 340]), durationRange(null)]).toEqual([
      "30 to 50 s",
      "2 to 6 min",
      "not known yet",
    ]));
});
