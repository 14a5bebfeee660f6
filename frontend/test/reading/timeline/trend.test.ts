import { describe, expect, it } from "vitest";
import {
  centileCurves,
  centileText,
  changeSince,
  clipLine,
  type MeasuredValue,
  measuredValues,
  measuresPresent,
  type References,
  type StudyMeasures,
  sourcesText,
  spreadApart,
  trendChart,
  trendTable,
} from "../../../src/reading/timeline/trend";
import type { Drawing, Side } from "../../../src/viewer/annotation/drawing";
import type { Measured } from "../../../src/viewer/annotation/measure";

const mm = (value: number | null): Measured => ({
  quantity: "length",
  unit: "mm",
  value,
  reason: value === null ? "uncalibrated: x" : "",
  more: {},
});
const study = (day: number | null, current: boolean, values: number[]): StudyMeasures => ({
  day_of_life: day,
  acquired_at: null,
  current,
  hidden: "",
  read: values.length
    ? { reader: "A", measures: values.map((value) => ({ preset: "ahw", side: "left", measured: mm(value) })) }
    : null,
});
const drawn = (value: number | null): Drawing & { measured: Measured | null } => ({
  uid: "a",
  tool: "length",
  preset: "ahw",
  side: "right",
  sop_uid: "1",
  frame: 1,
  label: "",
  points: [],
  measured: mm(value),
});
const REFERENCES: References = {
  lines: [{ measure: "ahw", from: 6, text: "raised above 6 mm", source: "somebody" }],
  tables: [
    {
      measure: "vi",
      source: "a table",
      by: "postmenstrual_age_weeks",
      centiles: [50],
      rows: [
        [30, 1],
        [32, 2],
      ],
      file: "t.json",
    },
  ],
  problems: [{ file: "b.json", reason: "It names no source." }],
};

describe("a measure over time", () => {
  it("takes committed numbers in order of days, and what has none is left out", () => {
    expect(
      measuredValues("ahw", [study(9, true, []), study(3, false, [4, 5]), study(null, false, [7])], []).map(
        ({ day, value }) => [day, value],
      ),
    ).toEqual([
      [3, 4],
      [3, 5],
    ]);
  });

  it("of the open study counts what is drawn now, and says that it is not committed", () => {
    const found = measuredValues("ahw", [study(3, false, [4]), study(9, true, [5])], [drawn(6)]);
    expect(found.map(({ value, open, side }) => [value, open, side])).toEqual([
      [4, false, "left"],
      [6, true, "right"],
    ]);
    expect([
      measuresPresent([study(9, true, [])], [drawn(null)]),
      measuresPresent([study(9, true, [])], [drawn(1)]),
    ]).toEqual([[], ["ahw"]]);
  });

  it("after the commit counts the server's numbers, whatever is still drawn here", () => {
    const found = measuredValues("ahw", [study(9, true, [5])], null);
    expect(found.map(({ value, open, reader }) => [value, open, reader])).toEqual([[5, false, "A"]]);
    expect(measuresPresent([study(9, true, [])], null)).toEqual([]);
  });

  it("draws a table by weeks against days of life only where the gestation is known", () => {
    expect(centileCurves("vi", REFERENCES, 196)[0]?.points).toEqual([
      [14, 1],
      [28, 2],
    ]);
    expect(centileCurves("vi", REFERENCES, null)).toEqual([]);
    expect(sourcesText("vi", REFERENCES, null).join("")).toContain("the gestational age is unknown");
  });

  it("names every source and every file that is not used", () => {
    const text = sourcesText("ahw", REFERENCES, 196).join("");
    expect(text).toContain("raised above 6 mm (somebody)");
    expect(text).toContain("The table b.json is not used: It names no source.");
  });
});

describe("a centile curve", () => {
  const table = (rows: number[][]): References => ({
    lines: [],
    problems: [],
    tables: [{ measure: "vi", source: "a table", by: "postmenstrual_age_weeks", centiles: [50], rows, file: "t.json" }],
  });

  it("is cut where the days shown begin and end, on the line between its rows", () => {
    expect(
      clipLine(
        [
          [-14, 6],
          [14, 10],
          [98, 22],
        ],
        0,
        35,
      ),
    ).toEqual([
      [0, 8],
      [14, 10],
      [35, 13],
    ]);
    expect(
      clipLine(
        [
          [-14, 6],
          [98, 22],
        ],
        0,
        14,
      ),
    ).toEqual([
      [0, 8],
      [14, 10],
    ]);
  });

  it("is seen in a chart that holds none of its rows", () => {
    const chart = trendChart(
      "vi",
      measuredValues("vi", [], null),
      table([
        [24, 6],
        [40, 10],
      ]),
      182,
    );
    expect(chart.querySelectorAll(".curve")).toHaveLength(1);
    expect(chart.textContent).toContain("p50");
  });

  it("never goes on beyond its table", () => {
    expect(
      clipLine(
        [
          [5, 6],
          [9, 8],
        ],
        0,
        35,
      ),
    ).toEqual([
      [5, 6],
      [9, 8],
    ]);
    expect(
      clipLine(
        [
          [40, 6],
          [90, 8],
        ],
        0,
        35,
      ),
    ).toEqual([]);
    expect(
      clipLine(
        [
          [-9, 6],
          [-2, 8],
        ],
        0,
        35,
      ),
    ).toEqual([]);
  });

  it("is cut anywhere at the value that it has there", () => {
    for (let first = -20; first < 100; first += 7) {
      const inside = clipLine(
        [
          [-14, 6],
          [14, 10],
          [98, 22],
        ],
        first,
        first + 15,
      );
      for (const [day, value] of inside) expect(value).toBeCloseTo(8 + day / 7, 9);
      const ends = [Math.max(-14, first), Math.min(98, first + 15)];
      if ((ends[0] ?? 0) < (ends[1] ?? 0)) expect([inside[0]?.[0], inside.at(-1)?.[0]]).toEqual(ends);
    }
  });

  it("says where a table holds no age that is shown", () => {
    expect(
      sourcesText(
        "vi",
        table([
          [60, 6],
          [70, 8],
        ]),
        182,
      ).join(""),
    ).toBe("A centile table is not drawn: it holds no age of these days.");
    expect(
      sourcesText(
        "vi",
        table([
          [24, 6],
          [28, 7],
          [40, 10],
        ]),
        182,
      ).join(""),
    ).toContain("centiles: a table");
  });
});

describe("where a number lies among centiles", () => {
  const vi = (day: number, value: number, drawn = false) => {
    const measures = [{ preset: "vi" as const, side: "left" as const, measured: mm(value) }];
    const [measuredValue] = measuredValues(
      "vi",
      [{ ...study(day, drawn, []), read: { reader: "A", measures } }],
      drawn ? [{ ...drawnVi, measured: mm(value) }] : null,
    );
    return measuredValue as MeasuredValue;
  };
  const drawnVi: Drawing = {
    uid: "a",
    tool: "length",
    preset: "vi",
    side: "left",
    sop_uid: "1",
    frame: 1,
    label: "",
    points: [],
  };
  // At day 14 (28 weeks): 7, 9 and 11 mm.
  const table = {
    measure: "vi" as const,
    source: "a table",
    by: "postmenstrual_age_weeks" as const,
    centiles: [50, 3, 97],
    rows: [
      [24, 8, 6, 10],
      [32, 10, 8, 12],
    ],
    file: "t.json",
  };
  const references: References = { lines: [], problems: [], tables: [table] };
  const textAt = (day: number, value: number) => centileText("vi", vi(day, value), references, 182);

  it("is said in words", () => {
    expect([6.9, 8, 9, 10.9, 11.2].map((value) => textAt(14, value)[0])).toEqual([
      "below p3",
      "between p3 and p50",
      "at p50",
      "between p50 and p97",
      "above p97",
    ]);
  });

  it("is said only of an age that the table holds, and where it is known", () => {
    expect([textAt(42, 9), textAt(43, 9), centileText("vi", vi(14, 9), references, null)]).toEqual([
      ["between p3 and p50"],
      [],
      [],
    ]);
  });

  it("is said only of a number that the server computed", () => {
    expect(centileText("vi", vi(14, 12, true), references, 182)).toEqual([]);
  });

  it("names the table where there are several", () => {
    expect(
      centileText("vi", vi(14, 12), { ...references, tables: [table, { ...table, source: "another" }] }, 182),
    ).toEqual(["above p97 (a table)", "above p97 (another)"]);
  });

  it("stands in the table", () => {
    expect(trendTable("vi", [vi(14, 12)], references, 182).textContent).toContain("above p97");
    expect(trendTable("vi", [vi(14, 12)], { ...references, tables: [] }, 182).textContent).not.toContain("Centiles");
  });
});

describe("a number whose scale no ultrasound region states", () => {
  const scale = "scale from Pixel Spacing, not from ultrasound regions";
  const measures = [{ preset: "vi" as const, side: "left" as const, measured: { ...mm(12), scale } }];
  const found = measuredValues("vi", [{ ...study(14, false, []), read: { reader: "A", measures } }], null);

  it("says so in the table and in the chart", () => {
    expect(trendTable("vi", found, REFERENCES, 182).textContent).toContain("12.0 mmscale from Pixel Spacing");
    expect(trendChart("vi", found, REFERENCES, 182).textContent).toContain(`day 14: 12.0 mm, ${scale}`);
  });
});

describe("the change of a number", () => {
  const one = (day: number, side: Side, ...values: number[]): StudyMeasures => ({
    ...study(day, false, []),
    read: { reader: "A", measures: values.map((value) => ({ preset: "ahw", side, measured: mm(value) })) },
  });
  const changes = (...studies: StudyMeasures[]) => {
    const found = measuredValues("ahw", studies, null);
    return found.map((each) => changeSince(each, found)?.by ?? null);
  };

  it("is that since the last study with a number of that side", () => {
    expect(changes(one(2, "left", 4), one(5, "right", 9), one(9, "left", 6))).toEqual([null, null, 2]);
    expect(changes(one(2, "left", 4), one(5, "left", 7), one(9, "left", 6))).toEqual([null, 3, -1]);
  });

  it("is not told from several numbers of one side", () => {
    expect(changes(one(2, "left", 4, 5), one(9, "left", 6))).toEqual([null, null, null]);
  });

  it("is not told of what is not committed, nor against it", () => {
    const found = measuredValues("ahw", [one(2, "right", 4), study(9, true, [])], [drawn(6)]);
    expect(found.map((each) => changeSince(each, found))).toEqual([null, null]);
  });

  it("has a sign and a day in the table", () => {
    const found = measuredValues(
      "ahw",
      [one(2, "left", 4), one(5, "left", 7.5), one(9, "left", 6), one(12, "left", 6.01)],
      null,
    );
    const text = trendTable("ahw", found, REFERENCES, 182).textContent;
    for (const words of ["+3.5 mm since day 2", "−1.5 mm since day 5", "±0.0 mm since day 9"])
      expect(text).toContain(words);
  });
});

describe("a resistive index", () => {
  const ri = (value: number): Measured => ({
    quantity: "resistive_index",
    unit: "",
    value,
    reason: "",
    more: { psv_cm_s: 30, edv_cm_s: 10 },
  });
  const one = (day: number, value: number): StudyMeasures => ({
    ...study(day, false, []),
    read: { reader: "A", measures: [{ preset: "ri", side: "", measured: ri(value) }] },
  });
  const found = measuredValues("ri", [one(2, 0.6667), one(9, 0.75)], null);

  it("stands in the table with its change, to two decimals and without a unit", () => {
    const cells = [...trendTable("ri", found, REFERENCES, null).querySelectorAll("tbody tr")].map((row) =>
      [...row.querySelectorAll(".num")].map((cell) => cell.textContent),
    );
    expect(cells).toEqual([
      ["9", "0.75", "+0.08 since day 2"],
      ["2", "0.67", "–"],
    ]);
  });

  it("is named at its dot", () => {
    const titles = [...trendChart("ri", found, REFERENCES, null).querySelectorAll(".dot title")].map(
      (title) => title.textContent,
    );
    expect(titles).toEqual(["no side, day 2: 0.67", "no side, day 9: 0.75"]);
  });
});

describe("the chart of a measure", () => {
  const chart = trendChart(
    "ahw",
    measuredValues("ahw", [study(7, false, [4]), study(14, false, [8])], null),
    REFERENCES,
    null,
  );
  const axis = 84;

  it("has each number at its height and its day", () => {
    // Squares, of the left side, are drawn from their corner, beside their day.
    const middles = [...chart.querySelectorAll("rect.dot")].map((dot) => [
      Number(dot.getAttribute("x")) + 4 - 5 - 46,
      axis - Number(dot.getAttribute("y")) - 4,
    ]);
    const [[day7 = 0, low = 0] = [], [day14 = 0, high = 0] = []] = middles;
    expect([day14 / day7, high / low]).toEqual([expect.closeTo(2, 9), expect.closeTo(2, 9)]);
  });

  it("has a reference line at its own height, with its number", () => {
    const line = Number(/^M[\d.]+ ([\d.]+)/.exec(chart.querySelector(".ref")?.getAttribute("d") ?? "")?.[1]);
    const highest = axis - Number(chart.querySelectorAll("rect.dot")[1]?.getAttribute("y")) - 4;
    expect((axis - line) / highest).toBeCloseTo(6 / 8, 9);
    expect([...chart.querySelectorAll("text")].map((text) => text.textContent)).toContain("6.0");
  });

  it("names its days and the top of its axis", () => {
    const texts = [...chart.querySelectorAll("text")].map((text) => text.textContent);
    expect(texts.slice(-4)).toEqual(["0", "7", "14", "9 mm"]);
  });
});

describe("the numbers of reference lines", () => {
  it("stand apart where the lines lie close together, in the order of the lines", () => {
    expect(spreadApart([40, 10, 43, 90], 12)).toEqual([40, 10, 52, 90]);
  });

  it("stand once where two lines are the same", () => {
    expect(spreadApart([40, 40], 12)).toEqual([40, 40]);
  });
});
