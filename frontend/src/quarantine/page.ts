/** Files that were not taken in: why, from whom, and what to make of each. */

import type { QuarantineDetail, QuarantinePage, QuarantineRow } from "../api/schema";
import { polite } from "../common/announce";
import { ApiError, api, reason } from "../common/api";
import { hideBanner, showBanner } from "../common/banner";
import { dataTable } from "../common/charts";
import { ask, type Question } from "../common/dialog";
import { byId, type Child, cap, fill, h } from "../common/dom";
import { count, megabytes } from "../common/format";
import { bind } from "../common/keys";
import { errorMessage, scrollRegion } from "../common/parts";
import { type Action, COLUMNS, cells, sizeText } from "./row";

const QUARANTINE = "/api/v1/quarantine/";
const PAGE_SIZE = 50;
const STATES = [
  ["open", "open"],
  ["accepted", "accepted"],
  ["discarded", "discarded"],
  ["replaced", "earlier pictures"],
  ["deleted", "deleted pictures"],
  ["all", "all"],
] as const;

let page: QuarantinePage | null = null;
let url = addressOf(new URLSearchParams(location.search));

function addressOf(asked: URLSearchParams): string {
  const query = new URLSearchParams({ state: asked.get("state") ?? "open", page_size: String(PAGE_SIZE) });
  const words = asked.get("q")?.trim();
  if (words) query.set("q", words);
  return `${QUARANTINE}?${query}`;
}

function filters(): HTMLElement {
  const asked = new URLSearchParams(location.search);
  const chosen = asked.get("state") ?? "open";
  return h(
    "form",
    { class: "filters", role: "search", "aria-label": "Filter the quarantine" },
    h(
      "label",
      {},
      "State",
      h(
        "select",
        { class: "field", name: "state" },
        ...STATES.map(([value, label]) => h("option", { value, selected: value === chosen }, label)),
      ),
    ),
    h(
      "label",
      {},
      "Patient, UID, sender, file or reason",
      h("input", {
        class: "field",
        name: "q",
        id: "q",
        value: asked.get("q") ?? "",
        autocomplete: "off",
        maxlength: 200,
      }),
    ),
    h("button", { class: "btn btn-primary", type: "submit" }, "Filter"),
    h("a", { class: "btn btn-quiet", href: "/quarantine/" }, "Clear"),
  );
}

function head({ open, kept_bytes, limit_bytes, keep_days }: QuarantinePage): HTMLElement {
  const room = `${megabytes(kept_bytes)} of ${megabytes(limit_bytes)} MB kept`;
  return h(
    "div",
    { class: "page-head" },
    h("h1", { class: "h1" }, "Quarantine"),
    h(
      "span",
      { class: "dim" },
      `${count(open, "file")} open · ${room} · `,
      `refused files for ${count(keep_days, "day")}, conflicts until they are settled`,
    ),
  );
}

function empty(): HTMLElement {
  const filtered = location.search !== "";
  return h(
    "div",
    { class: "empty" },
    h("h2", { class: "h2" }, filtered ? "No file matches" : "Nothing is in quarantine"),
    h(
      "p",
      {},
      filtered
        ? "Widen the filter, or clear it to see what is open."
        : "A file that cannot be taken in, or that contradicts one that is here, waits here for you. " +
            "Settled ones are under State.",
    ),
  );
}

function pages({ next, previous }: QuarantinePage): Child {
  const button = (label: string, key: string, to: string) =>
    h("button", { class: "btn", type: "button", onclick: () => void load(to) }, `${label} `, cap(key));
  return h(
    "nav",
    { class: "line", "aria-label": "Pages" },
    previous ? button("Newer", "P", previous) : null,
    next ? button("Older", "N", next) : null,
  );
}

/** The number in the menu, which the server wrote when the page was loaded. */
function countInMenu(open: number): void {
  const badge = document.querySelector<HTMLElement>('.nav a[href="/quarantine/"] .badge');
  if (!badge) return;
  fill(badge, open, h("span", { class: "vh" }, " waiting"));
  badge.hidden = open === 0;
}

function show(answer: QuarantinePage): void {
  page = answer;
  countInMenu(answer.open);
  const rows = answer.results.map((row) => cells(row, (chosen, action) => void act(chosen, action)));
  const table = dataTable("Files in quarantine, the latest first", COLUMNS, rows);
  table.classList.add("quarantine");
  fill(
    byId("main"),
    head(answer),
    filters(),
    answer.results.length
      ? h("section", { class: "card" }, scrollRegion("body overflow-x", "Files in quarantine", table))
      : empty(),
    pages(answer),
  );
  byId("main").removeAttribute("aria-busy");
}

async function load(from = url): Promise<void> {
  url = from;
  try {
    show(await api.get<QuarantinePage>(from));
  } catch (error) {
    fill(byId("main"), errorMessage(`The quarantine could not be loaded. ${reason(error)}`));
  }
}

function acceptQuestion(row: QuarantineRow): Question {
  if (row.state === "deleted") {
    const text = "It is seen by every reader again, and its study is scored again.";
    return {
      title: `Bring no. ${row.id} back?`,
      body: [h("p", {}, row.reason), h("p", {}, text)],
      confirm: "Bring it back",
      reasonLabel: "Why",
    };
  }
  const swaps = row.code === "conflict" || row.code === "replaced";
  const text = swaps
    ? "It takes the place of the picture that is here. That one is kept, and can be brought back in the same way; " +
      "the study is scored again, and reads made before say that they were made on the earlier picture."
    : "It tries its way in again, by the rules of today. If it is refused again it stays here.";
  return {
    title: `Accept no. ${row.id}?`,
    body: [h("p", {}, row.reason), h("p", {}, text)],
    confirm: swaps ? "Put it in place" : "Try it again",
    reasonLabel: "Why",
  };
}

function discardQuestion(row: QuarantineRow): Question {
  const bytes = row.holding === "kept" ? `Its bytes (${sizeText(row.size)}) are removed for good. ` : "";
  return {
    title: `Discard no. ${row.id}?`,
    body: [h("p", {}, row.reason), h("p", {}, `${bytes}What was known of it, and who discarded it, stays.`)],
    confirm: "Discard",
    stop: true,
    reasonLabel: "Why it is not wanted",
  };
}

async function act(row: QuarantineRow, action: Action): Promise<void> {
  const answer = await ask(action === "accept" ? acceptQuestion(row) : discardQuestion(row));
  if (!answer.confirmed) return;
  const at = controls().findIndex((control) => control.closest("tr")?.contains(document.activeElement) ?? false);
  try {
    const now = await api.post<QuarantineDetail>(`${row.url}${action}/`, { reason: answer.reason });
    hideBanner("quarantine");
    polite(`No. ${row.id} is ${now.state}. ${now.outcome}`);
  } catch (error) {
    if (error instanceof ApiError && error.signedOut) return;
    showBanner({
      name: "quarantine",
      error: true,
      title: `No. ${row.id} was not ${action === "accept" ? "accepted" : "discarded"}.`,
      detail: reason(error),
    });
  }
  await load();
  const left = controls();
  left[Math.max(0, Math.min(at, left.length - 1))]?.focus();
}

// ---------- keyboard ----------

/** The first control of each row. */
function controls(): HTMLElement[] {
  const rows = [...document.querySelectorAll<HTMLElement>("table.quarantine tbody tr")];
  return rows.flatMap((row) => row.querySelector<HTMLElement>("td:last-child :is(a, button)") ?? []);
}

function current(): number {
  return controls().findIndex((control) => control.closest("tr")?.contains(document.activeElement) ?? false);
}

function move(step: number): void {
  const all = controls();
  const at = current();
  all[at < 0 ? 0 : Math.max(0, Math.min(all.length - 1, at + step))]?.focus();
}

/** Press the button of the row that has the focus, or of the first one. */
function press(name: string): void {
  const chosen = controls()[Math.max(0, current())];
  chosen?.closest("tr")?.querySelector<HTMLElement>(`[data-${name}]`)?.click();
}

export function start(): void {
  const group = "Quarantine";
  bind({ key: ["j", "ArrowDown"], caps: ["J", "K"], label: "Move", group, run: () => move(1) });
  bind({ key: ["k", "ArrowUp"], label: "Move up", group, bar: false, run: () => move(-1) });
  bind({ key: "a", label: "Accept", group, run: () => press("accept") });
  bind({ key: "d", label: "Discard", group, run: () => press("discard") });
  bind({ key: "s", label: "Download", group, run: () => press("download") });
  bind({ key: "f", label: "Filter", group, run: () => byId("q").focus() });
  bind({
    key: "n",
    label: "Older",
    group,
    when: () => Boolean(page?.next),
    run: () => page?.next && void load(page.next),
  });
  bind({
    key: "p",
    label: "Newer",
    group,
    when: () => Boolean(page?.previous),
    run: () => page?.previous && void load(page.previous),
  });
  void load();
}
