import { describe, expect, it } from "vitest";
import * as format from "../../src/common/format";

describe("format", () => {
  it("groups thousands with a thin space", () => expect(format.number(1_234_567)).toBe("1\u202f234\u202f567"));
  it("writes a negative number with a minus sign, but never minus zero", () => {
    expect(format.number(-0.456, 2)).toBe("−0.46");
    expect(format.number(-0.001, 2)).toBe("0.00");
  });
  it("writes an age in completed weeks and days", () =>
    expect([191, 0, 6, 7].map((days) => format.weeks(days))).toEqual(["27+2", "0+0", "0+6", "1+0"]));
  it("keeps unknown apart from zero", () =>
    expect([format.weeks(null), format.grams(null), format.probability(null), format.duration(undefined)]).toEqual([
      null,
      null,
      null,
      null,
    ]));
  it("never rounds a probability to certainty", () => {
    expect([0, 0.001, 0.004999, 0.005, 0.5, 0.9949, 0.995, 0.99999, 1].map((p) => format.probability(p))).toEqual([
      "0.00",
      "<0.01",
      "<0.01",
      "0.01",
      "0.50",
      "0.99",
      ">0.99",
      ">0.99",
      "1.00",
    ]);
  });
  it("writes a wait in minutes, then hours, then days", () =>
    expect([59, 660, 3599, 3600, 13_260, 187_200].map(format.waiting)).toEqual([
      "0 min",
      "11 min",
      "59 min",
      "1 h 00",
      "3 h 41",
      "2 d 4 h",
    ]));
  it("writes a duration without a jump at a full minute", () =>
    expect([0.42, 9.96, 48, 59.6, 125, 3780].map((s) => format.duration(s))).toEqual([
      "0.4 s",
      "10 s",
      "48 s",
      "1 min 00 s",
      "2 min 05 s",
      "1 h 03 min",
    ]));
  it("counts places in English", () =>
    expect([1, 2, 3, 4, 11, 12, 13, 21, 102, 111].map(format.ordinal)).toEqual([
      "1st",
      "2nd",
      "3rd",
      "4th",
      "11th",
      "12th",
      "13th",
      "21st",
      "102nd",
      "111th",
    ]));
  it("writes an interval only when both ends are known", () => {
    expect(format.interval([0.89, 0.98])).toBe("0.89 to 0.98");
    expect(format.interval([0.89, null])).toBeNull();
  });
  it("names the limit in the unit that it was set in", () =>
    expect([format.limitText(14_400), format.limitText(5400)]).toEqual(["4 h", "90 min"]));
  it("shows the day unless it is today", () => {
    const now = new Date(2026, 10, 23, 15, 0);
    expect(format.when(new Date(2026, 10, 23, 14, 5), now)).toBe("14:05");
    expect(format.when(new Date(2026, 10, 21, 14, 5), now)).toBe("21 Nov 14:05");
  });
  it("shortens a digest to its two ends", () =>
    expect(format.digest("0123456789abcdef0123456789abcdef")).toBe("01234567…89abcdef"));
});
