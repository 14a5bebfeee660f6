import { beforeEach, describe, expect, it } from "vitest";
import { detailCards } from "../src/agreement/detail";
import { domainOf, forest } from "../src/agreement/forest";
import { matrixTable, shade } from "../src/agreement/matrix";
import { ownCards } from "../src/agreement/own";
import { type Detail, type Estimate, estimateText } from "../src/agreement/types";

const sure: Estimate = { value: 0.842, interval: [0.71, 0.93], n: 40, why: "" };
const none: Estimate = { value: null, interval: null, n: 2, why: "not enough reads" };

describe("estimates", () => {
  it("stand with their interval, or with the reason why there is none", () => {
    expect([
      estimateText(sure),
      estimateText(none),
      estimateText({ ...sure, interval: null }),
      estimateText(null),
    ]).toEqual(["0.84 (0.71 to 0.93)", "not enough reads", "0.84", "–"]);
  });
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

describe("a confusion matrix", () => {
  it("is shaded by the share of its row, marks the diagonal and sums its rows", () => {
    expect([shade(0, 10), shade(1, 10), shade(10, 10), shade(0, 0)]).toEqual([0, 1, 4, 0]);
    const table = matrixTable(
      "A and B",
      ["no", "yes"],
      [
        [8, 2],
        [0, 5],
      ],
    );
    expect([...table.querySelectorAll("td.same")].map((cell) => cell.textContent)).toEqual(["8", "5"]);
    expect([...table.querySelectorAll("tbody td.dim")].map((cell) => cell.textContent)).toEqual(["10", "5"]);
  });
});

describe("one finding", () => {
  beforeEach(() => document.body.replaceChildren());
  const pair = (a: string, b: string, matrix: number[][]) => ({ a, b, n: 10, observed: sure, kappa: sure, matrix });
  const detail: Detail = {
    name: "phi",
    label: "Parenchymal",
    scale: "nominal",
    words: ["no", "yes"],
    studies: 10,
    panel: {
      n: 10,
      observed: sure,
      ac1: sure,
      alpha: none,
      fleiss: none,
      categories: [{ name: "yes", share: 0.1, kappa: none }],
    },
    pairs: [
      pair("Ann", "Bo", [
        [9, 0],
        [0, 1],
      ]),
      pair("Ann", "Cy", [
        [7, 1],
        [1, 1],
      ]),
    ],
  };
  it("shows the first pair's matrix, and that of the pair that is chosen", () => {
    document.body.append(...(detailCards(detail) as HTMLElement[]));
    expect(document.querySelector(".matrix td.same")!.textContent).toBe("9");
    const second = document.querySelectorAll<HTMLButtonElement>("button[aria-pressed]")[1]!;
    second.click();
    expect(document.querySelector(".matrix td.same")!.textContent).toBe("7");
    expect(second.getAttribute("aria-pressed")).toBe("true");
  });
  it("says what is missing instead of an empty table", () => {
    document.body.append(...(detailCards({ ...detail, pairs: [] }) as HTMLElement[]));
    expect(document.body.textContent).toContain("No two readers have answered the same study.");
  });
});

describe("one's own figures", () => {
  it("say why there are none while a queue goes on", () => {
    const [, note] = ownCards({
      scope: "own",
      queues: [],
      studies: 0,
      questions: [],
      reader: null,
      trainee: null,
    }) as HTMLElement[];
    expect(note!.textContent).toContain("end with yesterday");
  });
});
