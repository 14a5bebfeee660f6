/** A confusion matrix as a table: the share of its row shades a cell, the number says it. */

import { csvButton } from "../common/charts";
import { h } from "../common/dom";
import { number } from "../common/format";

/** 0 to 4, by the share of the row; an empty cell has none. */
export function shade(count: number, row: number): number {
  return count === 0 || row === 0 ? 0 : Math.max(1, Math.ceil((count / row) * 4));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

export function matrixTable(
  caption: string,
  words: readonly string[],
  matrix: readonly (readonly number[])[],
): HTMLTableElement {
  const cell = (count: number, row: readonly number[], same: boolean) =>
    h(
      "td",
      { class: `num m${shade(count, sum(row))}${same ? " same" : ""}` },
      count ? number(count) : h("span", { class: "dimmer" }, "0"),
    );
  return h(
    "table",
    { class: "matrix" },
    h("caption", { class: "vh" }, caption),
    h(
      "thead",
      {},
      h(
        "tr",
        {},
        h("td", {}),
        ...words.map((word) => h("th", { scope: "col", class: "num" }, word)),
        h("th", { scope: "col", class: "num dim" }, "all"),
      ),
    ),
    h(
      "tbody",
      {},
      ...matrix.map((row, at) =>
        h(
          "tr",
          {},
          h("th", { scope: "row" }, words[at] ?? ""),
          ...row.map((count, column) => cell(count, row, at === column)),
          h("td", { class: "num dim" }, number(sum(row))),
        ),
      ),
    ),
  );
}

/** The matrix with who stands in its rows and who in its columns. */
export function matrixFigure(
  rows: string,
  columns: string,
  words: readonly string[],
  matrix: readonly (readonly number[])[],
): HTMLElement {
  const title = `${rows} and ${columns}`;
  const sheet = () => ({
    filename: "confusion-matrix.csv",
    columns: [`${rows} \\ ${columns}`, ...words],
    rows: matrix.map((row, at) => [words[at] ?? "", ...row]),
  });
  return h(
    "figure",
    { class: "matrix-figure" },
    h(
      "figcaption",
      { class: "small dim" },
      h("span", {}, "rows ", h("b", { class: "strong" }, rows), ", columns ", h("b", { class: "strong" }, columns)),
      csvButton(title, sheet),
    ),
    matrixTable(title, words, matrix),
  );
}
