import { describe, expect, it } from "vitest";
import { type Measuring, type References, curves, present, sources, spread, taken } from "../../src/reading/trend";
import type { Drawing } from "../../src/viewer/drawing";
import type { Measured } from "../../src/viewer/measure";

const mm = (value: number | null): Measured => ({ quantity: "length", unit: "mm", value, reason: value === null ? "uncalibrated: x" : "", more: {} });
const study = (day: number | null, current: boolean, values: number[]): Measuring => ({
  day_of_life: day, acquired_at: null, current, hidden: "", read: values.length ? { reader: "A", measures: values.map((value) => ({ preset: "ahw", side: "left", measured: mm(value) })) } : null,
});
const drawn = (value: number | null): Drawing & { measured: Measured | null } => ({ uid: "a", tool: "length", preset: "ahw", side: "right", sop_uid: "1", frame: 1, label: "", points: [], measured: mm(value) });
const REFERENCES: References = {
  lines: [{ measure: "ahw", from: 6, text: "raised above 6 mm", source: "somebody" }],
  tables: [{ measure: "vi", source: "a table", by: "postmenstrual_age_weeks", centiles: [50], rows: [[30, 1], [32, 2]], file: "t.json" }],
  problems: [{ file: "b.json", reason: "It names no source." }],
};

describe("a measure over time", () => {
  it("takes committed numbers in order of days, and what has none is left out", () => {
    expect(taken("ahw", [study(9, true, []), study(3, false, [4, 5]), study(null, false, [7])], []).map(({ day, value }) => [day, value])).toEqual([[3, 4], [3, 5]]);
  });

  it("of the open study counts what is drawn now, and says that it is not committed", () => {
    const found = taken("ahw", [study(3, false, [4]), study(9, true, [5])], [drawn(6)]);
    expect(found.map(({ value, open, side }) => [value, open, side])).toEqual([[4, false, "left"], [6, true, "right"]]);
    expect([present([study(9, true, [])], [drawn(null)]), present([study(9, true, [])], [drawn(1)])]).toEqual([[], ["ahw"]]);
  });

  it("draws a table by weeks against days of life only where the gestation is known", () => {
    expect(curves("vi", REFERENCES, 196)[0]?.points).toEqual([[14, 1], [28, 2]]);
    expect(curves("vi", REFERENCES, null)).toEqual([]);
    expect(sources("vi", REFERENCES, null).join("")).toContain("the gestational age is unknown");
  });

  it("names every source and every file that is not used", () => {
    const text = sources("ahw", REFERENCES, 196).join("");
    expect(text).toContain("raised above 6 mm (somebody)");
    expect(text).toContain("The table b.json is not used: It names no source.");
  });
});

describe("the numbers of reference lines", () => {
  it("stand apart where the lines lie close together, in the order of the lines", () => {
    expect(spread([40, 10, 43, 90], 12)).toEqual([40, 10, 52, 90]);
  });

  it("stand once where two lines are the same", () => {
    expect(spread([40, 40], 12)).toEqual([40, 40]);
  });
});
