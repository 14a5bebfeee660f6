/** Rows of the list. A row is rebuilt only when what it shows has changed. */

import { type Child, fill, h, icon, known, s, unknown } from "../common/dom";
import { flagSign } from "../common/flag";
import { grade, limitText, probability, waiting, weeks, when } from "../common/format";
import { readableName } from "../common/person-name";
import type { Band, Row } from "./types";

export interface ListOptions {
  cap: number;
  showProbability: boolean;
  aiDown: boolean;
}

const NEAR_THE_CAP = 0.9;
const BAR = 48;
const COLUMNS = 12;

/** The model says that its answer means nothing for this study. */
export function demoWarning(row: Row): string {
  return row.phantom || row.flag === null ? "" : (row.model?.demo_warning ?? "");
}

export function lastRead(row: Row): string | null {
  if (!row.last_read) return null;
  const { grade: worst, days } = row.last_read;
  const word = typeof worst === "number" ? grade(worst) : worst;
  return word ? `${word} · ${days} d` : null;
}

function priorityCell(row: Row): Child {
  if (row.priority === "stat") return h("span", { class: "badge stat" }, "STAT");
  if (row.priority === "urgent") return h("span", { class: "badge diff" }, "Urgent");
  return h("span", { class: "vh" }, "Routine");
}

function capBar(row: Row, options: ListOptions): SVGSVGElement {
  const share = options.cap > 0 ? Math.min(1, row.waiting_seconds / options.cap) : 0;
  const hot = row.band === "near_limit" || share >= NEAR_THE_CAP;
  return s(
    "svg",
    { class: "cap-bar hide-s", viewBox: `0 0 ${BAR} 4`, preserveAspectRatio: "none", "aria-hidden": "true" },
    s("rect", { class: "bg", width: BAR, height: 4 }),
    s("rect", { class: hot ? "hot" : "fg", width: Math.max(1, BAR * share).toFixed(1), height: 4 }),
  );
}

function dueText(row: Row, options: ListOptions): HTMLElement {
  const remaining = options.cap - row.waiting_seconds;
  const text = remaining >= 0 ? `due in ${waiting(remaining)}` : `over the limit by ${waiting(-remaining)}`;
  return h("span", { class: "warn strong" }, icon("warn"), text);
}

function claimState(row: Row): Child {
  if (!row.claimed_by) return null;
  if (row.claimed_by.you)
    return [h("span", { class: "badge you" }, "You"), " ", h("span", { class: "dim" }, "claimed")];
  const minutes = (Date.now() - new Date(row.claimed_by.since).getTime()) / 1000;
  return h("span", { class: "dim" }, `${row.claimed_by.display} · ${waiting(minutes)}`);
}

function noteOf(row: Row): string {
  const warning = demoWarning(row);
  if (row.flag === "not_analysed") return row.flag_reason || "no reason given";
  if (warning) return warning;
  if (row.flag_reason) return row.flag_reason;
  return (row.revision ?? 1) > 1 ? "late images, scored again" : "";
}

function state(row: Row, options: ListOptions): Child {
  if (row.status === "read")
    return h("span", { class: "ok" }, icon("ok"), row.read_by ? `Read by ${row.read_by}` : "Read");
  const claim = claimState(row);
  if (claim) return claim;
  if (row.band === "near_limit") return dueText(row, options);
  const note = noteOf(row);
  return note ? h("span", { class: "dim", title: note }, note) : null;
}

function patient(row: Row): Child {
  const link = h(
    "a",
    {
      href: `/studies/${encodeURIComponent(row.study_uid)}/`,
      tabindex: -1,
      title: readableName(row.patient_name) || null,
    },
    row.patient_id || "no ID",
  );
  const revised = (row.revision ?? 1) > 1 ? [" ", h("span", { class: "badge" }, `rev ${row.revision}`)] : null;
  return [link, revised, ...whoIs(row)];
}

/** Where the number stands for several infants, or it is asked who it is: the name, and that in words beneath. */
function whoIs({ identity, patient_name }: Row): Child[] {
  if (!identity) return [];
  return [
    h("span", { class: "dim" }, ` ${readableName(patient_name) || "name unknown"}`),
    h("span", { class: "small who-is", title: identity.text }, icon("warn"), identity.short),
  ];
}

function probabilityCell(row: Row): Child {
  const text = probability(row.probability);
  return text ?? unknown("no probability");
}

function waitingCell(row: Row, options: ListOptions): HTMLTableCellElement {
  return h("td", { class: "num", "data-cell": "waiting" }, waiting(row.waiting_seconds), capBar(row, options));
}

function cells(row: Row, options: ListOptions): HTMLTableCellElement[] {
  const num = (text: string | null, extra = "") => h("td", { class: `num ${extra}`.trim() }, known(text));
  return [
    h("td", { class: "keep" }, flagSign(row, options.aiDown ? "Not scored" : "Scoring")),
    ...(options.showProbability ? [h("td", { class: "num" }, probabilityCell(row))] : []),
    h("td", { class: "keep" }, priorityCell(row)),
    h("td", {}, patient(row)),
    num(weeks(row.gestational_age_days)),
    num(row.day_of_life === null ? null : String(row.day_of_life)),
    num(weeks(row.postmenstrual_age_days), "hide-s"),
    h("td", { class: "dim" }, lastRead(row) ?? unknown("none on record")),
    num(String(row.clips), "dim hide-s"),
    num(when(row.acquired_at), "dim hide-s"),
    waitingCell(row, options),
    h("td", { class: "state" }, state(row, options)),
  ];
}

/** The row in one sentence for screen readers, the most urgent first. */
export function rowText(row: Row, options: ListOptions): string {
  const flag = flagSign(row, options.aiDown ? "Not scored" : "Scoring").textContent ?? "";
  const claimed = row.claimed_by
    ? row.claimed_by.you
      ? "claimed by you"
      : `claimed by ${row.claimed_by.display}`
    : "";
  const note = row.flag === "not_analysed" ? noteOf(row) : "";
  const chance = options.showProbability ? probability(row.probability) : null;
  return [
    row.patient_id || "no ID",
    row.identity?.text ?? "",
    row.priority === "stat" ? "STAT" : row.priority === "urgent" ? "urgent" : "",
    [flag, chance].filter(Boolean).join(" "),
    note,
    row.day_of_life === null ? "" : `day ${row.day_of_life}`,
    row.status === "read"
      ? row.read_by
        ? `read by ${row.read_by}`
        : "read"
      : `waiting ${waiting(row.waiting_seconds)}`,
    claimed,
  ]
    .filter(Boolean)
    .join(", ");
}

export function buildRow(
  row: Row,
  options: ListOptions,
  into = h("tr", { "data-uid": row.study_uid }),
): HTMLTableRowElement {
  into.classList.toggle("busy", row.claimed_by !== null && !row.claimed_by.you);
  into.setAttribute("aria-label", rowText(row, options));
  fill(into, ...cells(row, options));
  return into;
}

/** Only what time changes: the wait, its bar, "due in". */
export function tickRow(element: HTMLTableRowElement, row: Row, options: ListOptions): void {
  element.querySelector('[data-cell="waiting"]')?.replaceWith(waitingCell(row, options));
  const last = element.lastElementChild;
  if (last && row.band === "near_limit") fill(last, state(row, options));
}

const BANDS: Record<Band, [string, (options: ListOptions) => string]> = {
  priority: ["Priority", () => "clinical priority comes before everything"],
  near_limit: ["Near the limit", (options) => `no study waits beyond ${limitText(options.cap)}`],
  suspected: ["Suspected", (options) => (options.showProbability ? "by probability" : "most likely first")],
  unscored: ["Not scored or not analysed", () => "longest wait first"],
  not_suspected: ["Not suspected", () => "longest wait first"],
  read: ["Read", () => "latest first"],
};

export function bandRow(band: Band, size: string, options: ListOptions): HTMLTableRowElement {
  // Without the AI's answers waiting time alone decides there.
  const [title, rule] =
    options.aiDown && band === "unscored"
      ? (["By waiting time", () => "longest first, while scoring is down"] as const)
      : BANDS[band];
  const columns = options.showProbability ? COLUMNS : COLUMNS - 1;
  return h(
    "tr",
    { class: "group" },
    h("th", { scope: "rowgroup", colspan: columns }, h("b", {}, title), ` ${size} · ${rule(options)}`),
  );
}

export function headings(options: ListOptions): HTMLTableRowElement {
  const th = (label: string, extra = "") => h("th", { scope: "col", class: extra || null }, label);
  return h(
    "tr",
    {},
    th("Flag"),
    options.showProbability ? th("Prob.", "num") : null,
    th("Priority"),
    th("Patient"),
    th("GA", "num"),
    th("Day", "num"),
    th("PMA", "num hide-s"),
    th("Last read"),
    th("Clips", "num hide-s"),
    th("Acquired", "num hide-s"),
    th(`Waiting, of ${limitText(options.cap)}`, "num"),
    th("State"),
  );
}
