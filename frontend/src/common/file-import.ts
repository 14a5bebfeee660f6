/** What a file import shows: its title, an answer for each row, and the button that repeats a dry run for real. */

import { type Child, h } from "./dom";
import { count } from "./format";
import { scrollRegion } from "./parts";

export interface ImportedRow {
  line: number;
  /** The cell of what the row is about. */
  subject: HTMLTableCellElement;
  answer: HTMLElement;
}

export function importTitle(file: File, dryRun: boolean): string {
  return dryRun ? `Trial of ${file.name}: nothing was changed yet` : `${file.name} was taken in`;
}

/** `subject` is the heading of the column of what the rows are about. */
export function importTable(title: string, subject: string, rows: readonly ImportedRow[]): HTMLElement {
  const head = h(
    "tr",
    {},
    h("th", { scope: "col", class: "num" }, "Line"),
    h("th", { scope: "col" }, subject),
    h("th", { scope: "col" }, "Answer"),
  );
  const body = rows.map((row) =>
    h("tr", {}, h("td", { class: "num" }, row.line), row.subject, h("td", { class: "wrap" }, row.answer)),
  );
  return scrollRegion(
    "scroll-box",
    "Rows of the file",
    h("table", { class: "table" }, h("caption", { class: "vh" }, title), h("thead", {}, head), h("tbody", {}, ...body)),
  );
}

/** The button after a dry run; null where no row would be taken in. */
export function takeInButton(rows: number, refused: boolean, run: () => void): Child {
  if (!rows) return null;
  return h(
    "div",
    { class: "line" },
    h("button", { class: "btn btn-primary", type: "button", onclick: run }, `Take in ${count(rows, "row")}`),
    h("span", { class: "dim" }, refused ? "The refused rows are left out." : ""),
  );
}
