/** One quarantined file as a row of the table. */

import type { QuarantineRow } from "../api/schema";
import { type Child, h, icon } from "../common/dom";
import { count, megabytes, when } from "../common/format";

export type Action = "accept" | "discard";

export const COLUMNS = [
  { label: "Came" },
  { label: "Why it was not taken in" },
  { label: "Sender" },
  { label: "Image" },
  { label: "Bytes" },
  { label: "State" },
  { label: "Actions", headingHidden: true },
];

const STATES: Record<QuarantineRow["state"], string> = {
  open: "open",
  accepted: "accepted",
  discarded: "discarded",
  replaced: "earlier picture",
  deleted: "deleted picture",
};

/** The end of a UID, which tells two of one device apart; the whole of it on hover and for screen readers. */
function uid(value: string): HTMLElement {
  return h(
    "span",
    { class: "mono", title: value, "aria-label": value },
    value.length > 18 ? `…${value.slice(-17)}` : value,
  );
}

export function sizeText(bytes: number | null): string {
  if (bytes === null) return "unknown size";
  return bytes < 100_000 ? `${count(bytes, "byte")}` : `${megabytes(bytes)} MB`;
}

function why(row: QuarantineRow): Child {
  return [
    h(
      "span",
      { class: row.code === "conflict" ? "warn strong" : null },
      row.code === "conflict" ? icon("warn") : null,
      row.reason,
    ),
    h("span", { class: "small dim stacked" }, row.path),
  ];
}

function image(row: QuarantineRow): Child {
  const lines: Child[] = [
    row.patient_id ? h("span", { class: "stacked" }, row.patient_id) : null,
    row.sop_uid ? h("span", { class: "stacked small" }, uid(row.sop_uid)) : null,
    row.study_url ? h("a", { class: "small", href: row.study_url }, "the one that is here") : null,
  ];
  return lines.some(Boolean) ? lines : h("span", { class: "dim" }, "not readable");
}

function state(row: QuarantineRow): Child {
  const by = row.settled_at ? `${row.settled_by || "the site"}, ${when(row.settled_at) ?? ""}` : "";
  return [
    STATES[row.state],
    by ? h("span", { class: "small dim stacked" }, by) : null,
    row.settled_why ? h("span", { class: "stacked small" }, row.settled_why) : null,
    row.outcome ? h("span", { class: "small dim stacked" }, row.outcome) : null,
  ];
}

function actions(row: QuarantineRow, act: (row: QuarantineRow, action: Action) => void): Child {
  const about = h("span", { class: "vh" }, ` no. ${row.id}`);
  return h(
    "span",
    { class: "line" },
    row.download_url
      ? h(
          "a",
          { class: "btn", href: row.download_url, download: "", "data-download": "" },
          "Download",
          about.cloneNode(true),
        )
      : null,
    row.can_accept
      ? h(
          "button",
          { class: "btn", type: "button", "data-accept": "", onclick: () => act(row, "accept") },
          "Accept",
          about.cloneNode(true),
        )
      : null,
    row.can_discard
      ? h(
          "button",
          { class: "btn btn-stop", type: "button", "data-discard": "", onclick: () => act(row, "discard") },
          "Discard",
          about,
        )
      : null,
  );
}

/** The cells in the order of COLUMNS. */
export function cells(row: QuarantineRow, act: (row: QuarantineRow, action: Action) => void): Child[] {
  return [
    [
      h("span", { class: "nowrap" }, when(row.last_received_at) ?? "–"),
      h(
        "span",
        { class: "small dim stacked" },
        `no. ${row.id}${row.times > 1 ? ` · ${count(row.times, "time")}` : ""}`,
      ),
    ],
    why(row),
    [row.sender, row.address ? h("span", { class: "small dim stacked" }, row.address) : null],
    image(row),
    [sizeText(row.size), row.holding === "kept" ? null : h("span", { class: "small dim stacked" }, row.holding_note)],
    state(row),
    actions(row, act),
  ];
}
