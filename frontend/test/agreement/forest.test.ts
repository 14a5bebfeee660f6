import { describe, expect, it } from "vitest";
import { domainOf, forest } from "../../src/agreement/forest";
import { none, sure } from "./estimates";

describe("estimates", () => {
  it("are drawn with their bars, and in words where there is nothing to draw", () => {
    const rows = [
      { label: "Grade", estimates: [{ name: "AC1", estimate: sure }] },
      { label: "PHI", estimates: [{ name: "AC1", estimate: none }] },
    ];
    const chart = forest("Agreement", rows);
    expect(chart.querySelectorAll("circle")).toHaveLength(1);
    expect(chart.querySelector("text.none")!.textContent).toBe("not enough reads");
    expect(domainOf([{ label: "", estimates: [{ name: "", estimate: { ...sure, interval: [-0.13, 0.9] } }] }])).toEqual(
      [-0.2, 1],
    );
  });
});
