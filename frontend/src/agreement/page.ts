/** Agreement of readers: all readers for admins, the own figures for everybody else. */

import { ApiError, api, reason } from "../common/api";
import { hideBanner, showBanner } from "../common/banner";
import { csv, csvButton, dataTable, legend, saveText } from "../common/charts";
import { byId, type Child, fill, h } from "../common/dom";
import { clock, count, number } from "../common/format";
import { bind, renderKeybar } from "../common/keys";
import { card, keyFigure, scrollRegion } from "../common/parts";
import { detailCards } from "./detail";
import { forest } from "./forest";
import { ownCards, paceText } from "./own";
import { type Detail, type Everybody, estimateText, NAMES, numbers, type Own, type Question } from "./types";

const FIGURES = "/api/v1/agreement/";
const MEASURES = ["observed", "ac1", "alpha", "fleiss"] as const;
const NONE_YET =
  "No blinded read has been committed here yet. Figures come with the first study that two readers have answered.";
const METHOD =
  "First commits of label queues, before others' answers could be seen. " +
  "Intervals are 95 %, by patient bootstrap (2,000 resamples, twins together). Research use only.";

let current: Everybody | Own | null = null;
let chosenQuestion = "worst";
let requests = 0;

function queueQuery(): string {
  const { value } = byId<HTMLSelectElement>("queue");
  return value ? `queue=${encodeURIComponent(value)}` : "";
}

function keyFigures(report: Everybody): HTMLElement {
  const panel = report.questions.find((question) => question.name === "positive")?.panel;
  const cells = MEASURES.map((name) => {
    const [value, range] = /^(−?[\d.]+) \((.+)\)$/.exec(estimateText(panel?.[name]))?.slice(1) ?? [];
    const label = `Positive, ${name === "observed" ? "observed" : NAMES[name]}`;
    return keyFigure(label, value ?? null, range ?? estimateText(panel?.[name]));
  });
  return h(
    "div",
    { class: "kpis" },
    ...cells,
    keyFigure("Read twice or more", number(report.twice), `of ${count(report.studies, "study", "studies")}`),
    keyFigure("Adjudicated", number(report.adjudicated), `${number(report.repeated)} answered again`),
  );
}

function forestCard(questions: readonly Question[]): HTMLElement {
  const rows = questions.map((question) => ({
    label: question.label,
    estimates: [
      { name: NAMES.ac1, estimate: question.panel?.ac1 },
      { name: NAMES.alpha, estimate: question.panel?.alpha },
    ],
  }));
  const columns = [
    { label: "Finding" },
    { label: "Studies", num: true },
    ...MEASURES.map((name) => ({ label: NAMES[name], num: true })),
  ];
  const table = dataTable(
    "Agreement by finding",
    columns,
    questions.map((question) => [
      question.label,
      number(question.panel?.n ?? 0),
      ...MEASURES.map((name) => estimateText(question.panel?.[name])),
    ]),
  );
  const chart = forest("Gwet AC1 and Krippendorff α of each finding, with 95 % intervals", rows);
  return card(
    {
      title: "By finding",
      note: "all readers together",
      right: [
        legend("l1", NAMES.ac1),
        legend("l3", NAMES.alpha),
        csvButton("By finding", () => overviewSheet(questions)),
      ],
    },
    h("div", { class: "body forest-row" }, h("div", {}, chart), scrollRegion("beside", "By finding, table", table)),
  );
}

function overviewSheet(questions: readonly Question[]) {
  return {
    filename: "agreement.csv",
    columns: ["finding", "studies", ...MEASURES.flatMap((name) => [name, `${name}_low`, `${name}_high`])],
    rows: questions.map((question) => [
      question.label,
      question.panel?.n ?? 0,
      ...MEASURES.flatMap((name) => numbers(question.panel?.[name])),
    ]),
  };
}

function readersCard(report: Everybody): HTMLElement {
  const everybody = [
    ...report.readers,
    ...report.trainees.map((reader) => ({ ...reader, reader: `${reader.reader}, trainee` })),
  ];
  const columns = [
    { label: "Reader" },
    ...["Reads", "A study takes, median", "Same verdict as adjudicated", "Same verdict again", "Known answers hit"].map(
      (label) => ({ label, num: true }),
    ),
  ];
  const rows = everybody.map((reader) => [
    reader.reader,
    number(reader.reads),
    paceText(reader),
    estimateText(reader.with_adjudicated),
    estimateText(reader.with_self),
    estimateText(reader.gold),
  ]);
  const sheet = () => ({
    filename: "readers.csv",
    columns: [
      "reader",
      "reads",
      ...["seconds", "with_adjudicated", "with_self", "gold"].flatMap((name) => [name, `${name}_low`, `${name}_high`]),
    ],
    rows: everybody.map((reader) => [
      reader.reader,
      reader.reads,
      ...numbers(reader.pace),
      ...numbers(reader.with_adjudicated),
      ...numbers(reader.with_self),
      ...numbers(reader.gold),
    ]),
  });
  return card(
    { title: "Readers", note: "verdict: positive or not", right: [csvButton("Readers", sheet)] },
    scrollRegion("body overflow-x", "Readers", dataTable("Readers", columns, rows)),
  );
}

function picker(questions: readonly Question[]): HTMLElement {
  const select = h(
    "select",
    { id: "question" },
    ...questions.map((question) =>
      h("option", { value: question.name, selected: question.name === chosenQuestion }, question.label),
    ),
  );
  select.addEventListener("change", () => void choose(select.value));
  return h(
    "div",
    { class: "line" },
    h("h2", { class: "h2" }, "One finding"),
    h("label", { class: "field" }, h("span", { class: "vh" }, "Finding"), select),
  );
}

function subtitle({ reads, studies, patients }: Everybody): string {
  return `${count(reads, "blinded read")} of ${count(studies, "study", "studies")}, ${count(patients, "infant")}`;
}

function leftOutNotice(unblinded: number): Child {
  if (!unblinded) return null;
  const are = unblinded === 1 ? "is" : "are";
  const text = `${count(unblinded, "read")} by somebody who knew the AI's answer ${are} left out.`;
  return h("p", { class: "notice" }, text);
}

function drawEverybody(report: Everybody): void {
  byId("subtitle").textContent = subtitle(report);
  const cards: Child[] = report.reads
    ? [
        keyFigures(report),
        forestCard(report.questions),
        readersCard(report),
        picker(report.questions),
        h("div", { class: "figures", id: "detail", "aria-live": "polite" }),
      ]
    : [h("p", { class: "notice" }, NONE_YET), report.trainees.length ? readersCard(report) : null];
  fill(byId("figures"), leftOutNotice(report.unblinded), ...cards, h("p", { class: "small dim" }, METHOD));
  if (report.reads) void choose(chosenQuestion);
}

async function choose(name: string): Promise<void> {
  const request = ++requests;
  chosenQuestion = name;
  byId<HTMLSelectElement>("question").value = name;
  try {
    const detail = await api.get<Detail>(`${FIGURES}question/?question=${encodeURIComponent(name)}&${queueQuery()}`);
    if (request === requests) fill(byId("detail"), ...detailCards(detail));
    hideBanner("agreement");
  } catch (error) {
    failed(error, () => void choose(name));
  }
}

/** The finding before or after this one. */
function step(by: number): void {
  const names = current?.questions.map((question) => question.name) ?? [];
  const next = names[(names.indexOf(chosenQuestion) + by + names.length) % names.length];
  if (current?.scope === "all" && next) void choose(next);
}

function failed(error: unknown, again: () => void): void {
  if (error instanceof ApiError && error.signedOut) return;
  showBanner({
    name: "agreement",
    error: true,
    title: "The figures could not be loaded.",
    detail: reason(error),
    actions: [h("button", { class: "btn", type: "button", onclick: again }, "Try again")],
  });
}

function drawQueues(queues: readonly { id: number; name: string }[]): void {
  const select = byId<HTMLSelectElement>("queue");
  const { value } = select;
  fill(
    select,
    h("option", { value: "" }, "All queues"),
    ...queues.map((queue) => h("option", { value: queue.id, selected: String(queue.id) === value }, queue.name)),
  );
}

async function load(): Promise<void> {
  try {
    const report = await api.get<Everybody | Own>(`${FIGURES}?${queueQuery()}`);
    current = report;
    drawQueues(report.queues);
    if (report.scope === "all") drawEverybody(report);
    else {
      byId("subtitle").textContent = `your own, ${count(report.studies, "study", "studies")}`;
      fill(byId("figures"), ...ownCards(report));
    }
    byId("updated").textContent = `Updated ${clock(new Date(), true)}`;
    hideBanner("agreement");
    renderKeybar();
  } catch (error) {
    failed(error, () => void load());
  }
}

function download(): void {
  if (!current) return;
  if (current.scope === "own") {
    document.querySelector<HTMLButtonElement>("#figures button.link")?.click();
    return;
  }
  const sheet = overviewSheet(current.questions);
  saveText(sheet.filename, csv(sheet.columns, sheet.rows));
}

export function startAgreement(): void {
  byId("queue").addEventListener("change", () => void load());
  byId("download").addEventListener("click", download);
  const group = "Agreement";
  const everybody = () => current?.scope === "all";
  bind({ key: "n", label: "Next finding", group, run: () => step(1), when: everybody });
  bind({ key: "p", label: "Finding before", group, run: () => step(-1), when: everybody });
  bind({ key: "d", label: "Download", group, run: download });
  bind({ key: "r", label: "Refresh", group, run: () => void load() });
  void load();
}
