/** What the readers said who differ, side by side, in an adjudication. */

import { cap, h } from "../common/dom";
import { type Answer, summary } from "./findings";
import type { OtherRead } from "./types";

function answerOf(other: OtherRead): Map<string, string> {
  return new Map(summary({ findings: other.revisions[0]?.findings as Answer["findings"], comment: other.revisions[0]?.comment ?? "" }));
}

/** Null where nobody answered before. `accept` takes the answer of the reader at that place. */
export function othersTable(others: readonly OtherRead[], accept: (at: number) => void): HTMLElement | null {
  if (!others.length) return null;
  const answers = others.map(answerOf);
  const names = [...new Set(answers.flatMap((answer) => [...answer.keys()]))];
  const row = (name: string) => {
    const values = answers.map((answer) => answer.get(name) ?? "–");
    return h("tr", { class: new Set(values).size > 1 ? "d" : "same" }, h("th", { scope: "row" }, name), ...values.map((value) => h("td", {}, value)));
  };
  const head = (other: OtherRead, at: number) => h("th", { scope: "col" }, h("button", { class: "btn", type: "button", onclick: () => accept(at) }, `${other.reader} `, cap(String(at + 1))));
  return h(
    "table",
    { class: "cmp" },
    h("caption", { class: "vh" }, "What the readers answered; a button takes that answer"),
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, h("span", { class: "vh" }, "Finding")), ...others.map(head))),
    h("tbody", {}, ...names.map(row)),
  );
}
