/** One question: its categories, each pair of readers, quality, adjudicated answers, and the same reader twice. */

import { type Column, csvButton, dataTable } from "../common/charts";
import { type Child, fill, h } from "../common/dom";
import { count, number, percent } from "../common/format";
import { card, scrollRegion } from "../common/parts";
import { matrixFigure } from "./matrix";
import {
  type Detail,
  estimateText,
  type MeasureName,
  type Measures,
  NAMES,
  numbers,
  type Pair,
  type Panel,
} from "./types";

interface Row {
  names: string[];
  report: Measures & { n: number };
  matrix?: number[][] | undefined;
}

function measuresOf(rows: readonly Row[], names: readonly MeasureName[]): MeasureName[] {
  return names.filter((name) => rows.some((row) => row.report[name]));
}

/** A table of measures; where rows have matrices, choosing one shows it beside. */
function measuresCard(
  title: string,
  note: string,
  heads: readonly string[],
  rows: readonly Row[],
  names: readonly MeasureName[],
  words: readonly string[],
  columns = "adjudicated",
): HTMLElement {
  const measures = measuresOf(rows, names);
  const beside = h("div", { class: "beside" });
  const show = (row: Row, button?: HTMLElement): void => {
    for (const other of section.querySelectorAll("button[aria-pressed]"))
      other.setAttribute("aria-pressed", String(other === button));
    if (row.matrix) fill(beside, matrixFigure(row.names[0] ?? "", row.names[1] ?? columns, words, row.matrix));
  };
  const head = (row: Row, at: number): Child => {
    const text = row.names.join(" · ");
    if (!row.matrix) return text;
    const button = h("button", { class: "link", type: "button", "aria-pressed": String(at === 0) }, text);
    button.addEventListener("click", () => show(row, button));
    return button;
  };
  const tableColumns: Column[] = [
    { label: heads.join(" · ") },
    { label: "Studies", num: true },
    ...measures.map((name) => ({ label: NAMES[name], num: true })),
  ];
  const table = dataTable(
    title,
    tableColumns,
    rows.map((row, at) => [
      head(row, at),
      number(row.report.n),
      ...measures.map((name) => estimateText(row.report[name])),
    ]),
  );
  const sheet = () => ({
    filename: `${title.toLowerCase().replaceAll(/\W+/g, "-")}.csv`,
    columns: [...heads, "studies", ...measures.flatMap((name) => [name, `${name}_low`, `${name}_high`])],
    rows: rows.map((row) => [...row.names, row.report.n, ...measures.flatMap((name) => numbers(row.report[name]))]),
  });
  const first = rows.find((row) => row.matrix);
  const body = h(
    "div",
    { class: `body${first ? " table-matrix" : ""}` },
    scrollRegion("overflow-x", `${title}, table`, table),
    first ? beside : null,
  );
  const section = card({ title, note, right: [csvButton(title, sheet)], level: "h3" }, body);
  if (first) show(first, section.querySelector<HTMLElement>("button[aria-pressed]") ?? undefined);
  return section;
}

function emptyCard(title: string, words: string): HTMLElement {
  return card({ title, level: "h3" }, h("div", { class: "body dim" }, words));
}

function panelCard(detail: Detail, panel: Panel): HTMLElement {
  const names = (["observed", "ac1", "alpha", "fleiss"] as const).filter((name) => panel[name]);
  const all = dataTable(
    "All readers",
    [{ label: "All readers" }, { label: "95 % interval", num: true }],
    names.map((name) => [NAMES[name], estimateText(panel[name])]),
  );
  const rows = panel.categories.map((category) => [
    category.name,
    category.share === null ? "–" : percent(category.share, 1),
    estimateText(category.kappa),
  ]);
  const categories = dataTable(
    "Each category against all others",
    [{ label: "Category" }, { label: "Of answers", num: true }, { label: "Fleiss κ", num: true }],
    rows,
  );
  const sheet = () => ({
    filename: `agreement-${detail.name}.csv`,
    columns: ["figure", "value", "low", "high"],
    rows: [
      ...names.map((name) => [name, ...numbers(panel[name])]),
      ...panel.categories.map((category) => [`fleiss ${category.name}`, ...numbers(category.kappa)]),
    ],
  });
  return card(
    {
      title: "All readers together",
      note: `${count(panel.n, "study", "studies")} read twice or more · α ${detail.scale}`,
      right: [csvButton("All readers together", sheet)],
      level: "h3",
    },
    h("div", { class: "body halves" }, all, categories),
  );
}

function readerRows(rows: readonly (Pair & { reader: string })[] | undefined): Row[] {
  return (rows ?? []).map((row) => ({ names: [row.reader], report: row, matrix: row.matrix }));
}

export function detailCards(detail: Detail): Child[] {
  if (!detail.panel) return [emptyCard("All readers together", "No blinded read has been committed here yet.")];
  const pairs = (detail.pairs ?? []).map((pair) => ({ names: [pair.a, pair.b], report: pair, matrix: pair.matrix }));
  const quality = (detail.by_quality ?? []).map((row) => ({ names: [row.stratum], report: row }));
  const adjudicated = readerRows(detail.adjudicated);
  const repeats = readerRows(detail.repeats);
  const two = ["observed", "kappa", "weighted", "ac1"] as const;
  return [
    panelCard(detail, detail.panel),
    measuresCard(
      "By quality",
      "the worst quality that a reader gave",
      ["Quality"],
      quality,
      ["observed", "ac1", "alpha", "fleiss"],
      detail.words,
    ),
    pairs.length
      ? measuresCard("Pairs of readers", "weights are quadratic", ["Reader", "Reader"], pairs, two, detail.words)
      : emptyCard("Pairs of readers", "No two readers have answered the same study."),
    adjudicated.length
      ? measuresCard(
          "Against the adjudicated answer",
          "first commits, before anything was discussed",
          ["Reader"],
          adjudicated,
          ["observed", "kappa", "weighted", "sensitivity", "specificity"],
          detail.words,
        )
      : emptyCard("Against the adjudicated answer", "Nothing that these readers answered has been adjudicated."),
    repeats.length
      ? measuresCard(
          "The same reader again",
          "rows first, columns second time",
          ["Reader"],
          repeats,
          two,
          detail.words,
          "the second time",
        )
      : emptyCard(
          "The same reader again",
          "No reader has answered a study a second time. A queue with repeats asks them to.",
        ),
  ];
}
