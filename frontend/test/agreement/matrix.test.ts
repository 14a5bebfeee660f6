import { describe, expect, it } from "vitest";
import { matrixTable, shade } from "../../src/agreement/matrix";

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
