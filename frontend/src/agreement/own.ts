/** The figures of one reader, for that reader alone. */

import { csvButton, dataTable } from "../common/charts";
import { type Child, h } from "../common/dom";
import { count, duration } from "../common/format";
import { card, keyFigure, scrollRegion } from "../common/parts";
import { estimateText, NAMES, numbers, type Own, type Pair, type Reader } from "./types";

const UNTIL_YESTERDAY =
  "Figures of a queue that goes on end with yesterday, so that no single study can be told from them.";

/** Weighted kappa where the categories are ordered, else kappa. */
function kappaText(pair: Pair): string {
  return estimateText(pair.weighted ?? pair.kappa);
}

/** "32 s (27 s to 41 s; half within 20 s to 55 s)". */
export function paceText({ pace }: Reader): string {
  const median = duration(pace.value);
  if (median === null) return pace.why || "–";
  const spans = [pace.interval, pace.quartiles].map((span) => span && `${duration(span[0])} to ${duration(span[1])}`);
  const notes = [spans[0], spans[1] && `half within ${spans[1]}`].filter(Boolean);
  return notes.length ? `${median} (${notes.join("; ")})` : median;
}

/** "0.84" and "0.71 to 0.93" apart, as a card of figures shows them. */
function splitEstimate(text: string): [string, string] {
  const match = /^(−?[\d.]+) \((.+)\)$/.exec(text);
  return match ? [match[1] ?? "", match[2] ?? ""] : /^−?[\d.]+$/.test(text) ? [text, "no interval"] : ["–", text];
}

function ownFigures(own: Own, reader: Reader): HTMLElement {
  const haemorrhage = own.questions.find((question) => question.name === "positive");
  const [median, half] = [duration(reader.pace.value) ?? "–", paceText(reader)];
  return h(
    "div",
    { class: "kpis five" },
    keyFigure("Same verdict as other readers", ...splitEstimate(estimateText(haemorrhage?.others.observed))),
    keyFigure("Same verdict as adjudicated", ...splitEstimate(estimateText(reader.with_adjudicated))),
    keyFigure("Same verdict the second time", ...splitEstimate(estimateText(reader.with_self))),
    keyFigure("Known answers hit", ...splitEstimate(estimateText(reader.gold))),
    keyFigure("A study takes, median", median, median === "–" ? half : half.replace(/^.*?\((.*)\)$/, "$1")),
  );
}

function traineeCard(reader: Reader): HTMLElement {
  const rows = [
    ["Answers", String(reader.reads)],
    ["Known answers hit", estimateText(reader.gold)],
    ["A study takes, median", paceText(reader)],
  ];
  return card(
    { title: "As a trainee" },
    h("div", { class: "body" }, dataTable("As a trainee", [{ label: "Figure" }, { label: "Value", num: true }], rows)),
  );
}

export function ownCards(own: Own): Child[] {
  const trainee = own.trainee ? traineeCard(own.trainee) : null;
  if (!own.reader) {
    return [trainee, h("p", { class: "notice" }, `There is nothing to tell yet. ${UNTIL_YESTERDAY}`)];
  }
  const columns = [
    { label: "Finding" },
    { label: "Studies with others", num: true },
    { label: "Observed", num: true },
    { label: "κ", num: true },
    { label: NAMES.ac1, num: true },
    { label: "κ, adjudicated", num: true },
    { label: "κ, second time", num: true },
  ];
  const rows = own.questions.map((question) => [
    question.label,
    question.others.n,
    estimateText(question.others.observed),
    kappaText(question.others),
    estimateText(question.others.ac1),
    kappaText(question.adjudicated),
    kappaText(question.repeats),
  ]);
  const sheet = () => ({
    filename: "my-agreement.csv",
    columns: ["finding", "observed", "low", "high", "kappa", "low", "high", "ac1", "low", "high"],
    rows: own.questions.map(({ label, others }) => [
      label,
      ...numbers(others.observed),
      ...numbers(others.weighted ?? others.kappa),
      ...numbers(others.ac1),
    ]),
  });
  return [
    ownFigures(own, own.reader),
    trainee,
    card(
      {
        title: "You and all other readers",
        note: `${count(own.studies, "study", "studies")} · κ is weighted for grades and quality`,
        right: [csvButton("your agreement", sheet)],
      },
      scrollRegion("body overflow-x", "Your agreement", dataTable("Your agreement", columns, rows)),
    ),
    h("p", { class: "small dim" }, `${UNTIL_YESTERDAY} Intervals are 95 %, by patient bootstrap. Research use only.`),
  ];
}
