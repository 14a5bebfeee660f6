import { describe, expect, it } from "vitest";
import { csv, dataTable, linear, linePath, roundUp, ticks, xyChart } from "../../src/common/charts";

describe("scales", () => {
  it("map the ends of the domain to the ends of the range", () => {
    const scale = linear([10, 20], [0, 100]);
    expect([10, 15, 20].map(scale)).toEqual([0, 50, 100]);
  });
  it("put an empty domain in the middle instead of dividing by zero", () =>
    expect(linear([5, 5], [0, 100])(5)).toBe(50));
  it("choose round ticks within the domain", () => {
    expect(ticks([0, 1])).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
    expect(ticks([0, 47], 4)).toEqual([0, 20, 40]);
    expect(ticks([3, 3])).toEqual([3]);
  });
  it("round the top of an axis up, never down", () => {
    for (const value of [0, 1, 3, 7, 11, 48, 99, 101, 12_345]) expect(roundUp(value)).toBeGreaterThanOrEqual(value);
    expect(roundUp(48)).toBe(50);
  });
});

describe("charts", () => {
  const same = (value: number) => value;
  it("draw lines from point to point, and steps that hold", () => {
    expect(
      linePath(
        [
          [0, 0],
          [1, 2],
        ],
        same,
        same,
      ),
    ).toBe("M0.0 0.0L1.0 2.0");
    expect(
      linePath(
        [
          [0, 0],
          [1, 2],
        ],
        same,
        same,
        true,
      ),
    ).toBe("M0.0 0.0H1.0V2.0");
  });
  it("carry a name, and mark the operating point", () => {
    const axis = { label: "x", domain: [0, 1] as const };
    const chart = xyChart({
      title: "ROC curve",
      x: axis,
      y: axis,
      series: [
        {
          points: [
            [0, 0],
            [1, 1],
          ],
          style: "l1",
        },
      ],
      marks: [{ at: [0.5, 0.5] }],
    });
    expect(chart.getAttribute("aria-label")).toBe("ROC curve");
    expect(chart.querySelector("circle.op")!.getAttribute("cx")).toBe("176.0");
  });
  it("head each row of the table beside them", () => {
    const table = dataTable("T", [{ label: "A" }, { label: "B", num: true }], [["AUROC", "0.95"]]);
    expect(table.querySelector("tbody th")!.getAttribute("scope")).toBe("row");
    expect(table.querySelector("td")!.className).toBe("num");
  });
});

describe("csv", () => {
  it("quotes what needs it and leaves unknown empty", () =>
    expect(
      csv(
        ["a", "b"],
        [
          ['x,"y"', null],
          ["z", 0.1],
        ],
      ),
    ).toBe('a,b\r\n"x,""y""",\r\nz,0.1\r\n'));
  it("disarms what a spreadsheet would run", () =>
    expect(csv(["a"], [["=1+1"], ["-2"]])).toBe("a\r\n'=1+1\r\n'-2\r\n"));
});
