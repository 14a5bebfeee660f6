import { describe, expect, it } from "vitest";
import { prevalenceWords } from "../../src/metrics/in_use";

const counted = { share: 0.058, interval: [0.031, 0.098], studies: 240, infants: 200 };

describe("a site's prevalence in words", () => {
  it("names the setting", () => {
    const known = { ...counted, source: "setting" as const, believed: true };
    expect(prevalenceWords(known)).toBe("5.8 % of studies with haemorrhage, the site's setting");
  });

  it("gives an estimate with its interval and what it is counted from", () => {
    const known = { ...counted, source: "reads" as const, believed: true };
    expect(prevalenceWords(known)).toBe("5.8 % (0.03 to 0.10), from 240 studies read without a gap");
  });

  it("says where it is not believed", () => {
    const known = { ...counted, source: "reads" as const, believed: false };
    expect(prevalenceWords(known)).toContain("too few with haemorrhage");
  });
});
