/** The worklist: what waits, in reading order, live. */

import { polite } from "../common/announce";
import { ApiError, api, reason } from "../common/api";
import { hideBanner, showBanner } from "../common/banner";
import { ask } from "../common/dialog";
import { byId, fill, h, setPressed } from "../common/dom";
import { subscribe } from "../common/events";
import { clock, limitText, number, waiting } from "../common/format";
import { bind, renderKeybar } from "../common/keys";
import { changesText, goneText, mergePages, newlyFlagged } from "./changes";
import { showPreview } from "./preview";
import { ListTable } from "./table";
import { Toasts } from "./toast";
import type { Filter, Row, Worklist } from "./types";

const URL_OF_LIST = "/api/v1/worklist/";
const PAGE = 100;
/** The largest page that the server allows. */
const LARGEST_PAGE = 500;
const SETTLE_MS = 120;
const HOLD_MS = 700;
const LONGEST_HOLD_MS = 2000;
const RETRY_MS = 5000;
const TICK_MS = 15_000;
const LOOK_MS = 10_000;
const PICTURES_MS = 90;
/** Enter, pressed while the selected study goes, was meant for that one. */
const LOST_MS = 1500;
const PREVIEW_OFF = "fontanelle.preview-off";
const SELECTED = "fontanelle.selected";
const WORDS = "fontanelle.words";
const FILTERS: Filter[] = ["all", "suspected", "not_analysed", "mine", "read_today"];
const EMPTY: Record<Filter, [string, string]> = {
  all: ["Nothing is waiting", "New studies appear here by themselves."],
  suspected: ["No suspected study is waiting", "The others are under All. New ones appear here by themselves."],
  not_analysed: ["Every waiting study is analysed", "Studies that cannot be scored appear here with their reason."],
  mine: ["You have claimed no study", "Claim one with C, or by opening it."],
  read_today: ["No study has been read today", "Studies appear here when a read is committed."],
};

const list = byId("wl-list");
const panel = byId("preview");
const layout = byId("main");
const search = byId<HTMLInputElement>("filter-text");
const params = new URLSearchParams(location.search);

let filter: Filter = FILTERS.find((name) => name === params.get("filter")) ?? "all";
let current: Worklist | null = null;
let next: string | null = null;
let movedAt = -Infinity;
let heldSince: number | null = null;
let refreshTimer = 0;
/** The list at the last refresh, to announce changes; null after the filter has changed. */
let baseline: { rows: readonly Row[]; complete: boolean } | null = null;
let pictureTimer = 0;
/** When the selection moved because its study was gone. */
let selectionLostAt = -Infinity;
let loading: AbortController | null = null;
const claims: string[] = [];

search.value = params.get("q") ?? sessionStorage.getItem(WORDS) ?? "";
if (params.has("q")) storeFilter();

const table = new ListTable(
  byId("wl-head"),
  byId("wl-rows"),
  list,
  (row) => {
    window.clearTimeout(pictureTimer);
    if (row) sessionStorage.setItem(SELECTED, row.study_uid);
    pictureTimer = window.setTimeout(() => drawPreview(row), PICTURES_MS);
  },
  (gone, selected) => void selectionLost(gone, selected),
);
table.selected = sessionStorage.getItem(SELECTED);
const toasts = new Toasts(byId("toasts"), goTo);

let previewed = "";

function drawPreview(row: Row | null): void {
  const signature = JSON.stringify(row && { ...row, waiting_seconds: 0 });
  if (signature === previewed) return;
  previewed = signature;
  const hadFocus = panel.contains(document.activeElement);
  showPreview(panel, row, current?.show_probability ?? true, () => void open());
  if (hadFocus) panel.querySelector("button")?.focus();
}

// ---------- loading ----------

function firstUrl(): string {
  const size = Math.min(LARGEST_PAGE, Math.max(PAGE, Math.ceil(table.rows.length / PAGE) * PAGE));
  const query = new URLSearchParams({ filter, page_size: String(size) });
  return `${URL_OF_LIST}?${query}`;
}

/** Behind a proxy the server may not know its own address; the path is what matters. */
function pathOf(url: string): string {
  const { pathname, search: query } = new URL(url, location.href);
  return pathname + query;
}

/** Words may be a name: they travel in the body, so that no address and no log of addresses holds them. */
function listed(url: string, signal?: AbortSignal, words = search.value.trim()): Promise<Worklist> {
  const options = signal ? { signal } : {};
  return words ? api.post<Worklist>(url, { q: words }, options) : api.get<Worklist>(url, options);
}

async function fetchAll(
  atLeast: number,
  signal: AbortSignal,
): Promise<{ answer: Worklist; rows: Row[]; next: string | null }> {
  const answer = await listed(firstUrl(), signal);
  const pages = [answer.results];
  let following = answer.next;
  while (following && pages.flat().length < atLeast) {
    const page = await listed(pathOf(following), signal);
    pages.push(page.results);
    following = page.next;
  }
  return { answer, rows: mergePages(pages), next: following };
}

async function refresh(): Promise<void> {
  loading?.abort();
  const request = new AbortController();
  loading = request;
  try {
    const fresh = await fetchAll(table.rows.length, request.signal);
    if (loading !== request) return;
    hideBanner("list");
    apply(fresh.answer, fresh.rows, fresh.next);
  } catch (error) {
    if (loading === request && !(error instanceof DOMException)) failed(error);
  }
}

function failed(error: unknown): void {
  if (error instanceof ApiError && error.signedOut) return;
  const shownSince = current
    ? `What you see is from ${byId("updated").textContent?.replace("Updated ", "") ?? "earlier"}.`
    : "";
  showBanner({
    name: "list",
    error: true,
    title: "The list could not be refreshed.",
    detail: `${reason(error)} ${shownSince}`.trim(),
  });
  if (!current)
    fill(
      byId("wl-empty"),
      h("h2", { class: "h2" }, "The list could not be loaded"),
      h("p", {}, "It loads by itself when the server answers."),
    );
  window.clearTimeout(refreshTimer);
  refreshTimer = window.setTimeout(refreshWhenStill, RETRY_MS);
}

function apply(answer: Worklist, rows: Row[], following: string | null, { tellChanges = true } = {}): void {
  const anchored = performance.now() - movedAt < 10_000 || list.scrollTop > 0;
  current = answer;
  next = following;
  const options = {
    cap: answer.cap_seconds,
    showProbability: answer.show_probability,
    aiDown: answer.ai.state === "down",
  };
  table.show(rows, options, { more: next !== null, anchored });
  if (tellChanges) announceChanges(rows);
  baseline = { rows: [...rows], complete: following === null };
  toasts.keepOnly(new Set(rows.filter((row) => row.status === "waiting").map((row) => row.study_uid)));
  showCounts(answer);
  showAiBanner(answer);
  showEmpty(rows, answer);
  byId("wl-more").hidden = next === null;
  byId("updated").textContent = `Updated ${clock(new Date(), true)}`;
  layout.setAttribute("aria-busy", "false");
  renderKeybar();
}

function announceChanges(after: readonly Row[]): void {
  if (!baseline || !current) return;
  const changes = newlyFlagged(baseline.rows, after, baseline);
  if (!changes.length) return;
  polite(changesText(changes, current.show_probability));
  for (const change of changes.filter(({ suspected }) => suspected)) toasts.add(change, current.show_probability);
}

function showCounts({ counts, cap_seconds, longest_waiting_seconds }: Worklist): void {
  const b = (value: number) => h("b", {}, number(value));
  const longest =
    longest_waiting_seconds === null
      ? []
      : [" · longest ", h("b", {}, waiting(longest_waiting_seconds)), ` of ${limitText(cap_seconds)}`];
  fill(
    byId("sum"),
    b(counts.waiting),
    " waiting · ",
    b(counts.suspected),
    " suspected · ",
    b(counts.not_analysed),
    " not analysed",
    longest,
    " · ",
    b(counts.read_today),
    " read today",
  );
  const numbers: Record<Filter, number> = {
    all: counts.waiting,
    suspected: counts.suspected,
    not_analysed: counts.not_analysed,
    mine: counts.mine,
    read_today: counts.read_today,
  };
  for (const name of FILTERS) {
    const slot = document.querySelector(`[data-filter="${name}"] .n`);
    if (slot) slot.textContent = number(numbers[name]);
  }
}

function showAiBanner({ ai }: Worklist): void {
  if (ai.state === "ok") hideBanner("ai");
  else
    showBanner({
      name: "ai",
      error: true,
      title: ai.message || "Scoring is down. Reading is not.",
      detail: "Studies are scored when it is back; nothing is lost.",
    });
}

function showEmpty(rows: readonly Row[], { counts }: Worklist): void {
  const slot = byId("wl-empty");
  byId("wl-table").hidden = rows.length === 0;
  slot.hidden = rows.length > 0;
  if (rows.length) return;
  const text = search.value.trim();
  const [title, detail] = text
    ? [`No study matches “${text}”`, "Clear the filter with Esc to see all of them."]
    : EMPTY[filter];
  const read = filter === "all" && !text && counts.read_today > 0;
  const opening = read ? `${number(counts.read_today)} read today. ` : "";
  fill(
    slot,
    h("h2", { class: "h2" }, title),
    h("p", {}, opening + detail),
    h(
      "p",
      { class: "line" },
      read
        ? h(
            "button",
            { class: "btn", type: "button", onclick: () => choose("read_today") },
            "Read today ",
            h("kbd", {}, "5"),
          )
        : null,
      h("a", { class: "btn", href: "/upload/" }, "Upload ", h("kbd", {}, "O")),
    ),
  );
}

// ---------- live ----------

/** Refresh soon after a change, but not while the reader moves through the list. */
function refreshSoon(): void {
  if (refreshTimer) return;
  refreshTimer = window.setTimeout(refreshWhenStill, SETTLE_MS);
}

function refreshWhenStill(): void {
  refreshTimer = 0;
  const now = performance.now();
  heldSince ??= now;
  const moving = now - movedAt < HOLD_MS && now - heldSince < LONGEST_HOLD_MS;
  if (moving) {
    refreshTimer = window.setTimeout(refreshWhenStill, SETTLE_MS);
    return;
  }
  heldSince = null;
  void refresh();
}

subscribe(["study", "score", "read", "claim", "model", "ai"], refreshSoon);

// A worker that dies sends no event: polling finds out that scoring is down.
window.setInterval(refreshSoon, LOOK_MS);

let tickedAt = performance.now();
window.setInterval(() => {
  const now = performance.now();
  table.tick((now - tickedAt) / 1000);
  tickedAt = now;
}, TICK_MS);

new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && void loadMore(), {
  root: list,
  rootMargin: "400px",
}).observe(byId("wl-more"));

let loadingMore = false;

async function loadMore(): Promise<void> {
  if (!next || loadingMore || !current) return;
  loadingMore = true;
  try {
    const page = await api.get<Worklist>(pathOf(next));
    apply({ ...current, counts: page.counts, ai: page.ai }, mergePages([table.rows, page.results]), page.next, {
      tellChanges: false,
    });
  } catch (error) {
    failed(error);
  } finally {
    loadingMore = false;
  }
}

// ---------- acting ----------

function goTo(uid: string): void {
  movedAt = performance.now();
  if (table.select(uid)) return;
  if (filter !== "all") choose("all", uid);
}

function moveBy(step: number): void {
  movedAt = performance.now();
  hideBanner("action");
  hideBanner("gone");
  selectionLostAt = -Infinity;
  table.move(step);
  if (table.rows.at(-1)?.study_uid === table.selected) void loadMore();
}

function studyUrl(uid: string): string {
  return `/studies/${encodeURIComponent(uid)}/`;
}

/** The selected study is gone: say who read it, and what is selected instead. */
async function selectionLost(gone: Row, selected: Row | null): Promise<void> {
  selectionLostAt = performance.now();
  showBanner({ name: "gone", ...goneText(gone, await readerOf(gone), selected) });
}

/** Empty where it was not read, or where nobody may tell. */
async function readerOf(row: Row): Promise<string> {
  try {
    const { results } = await listed(`${URL_OF_LIST}?filter=read_today`, undefined, row.patient_id);
    return results.find((each) => each.study_uid === row.study_uid)?.read_by ?? "";
  } catch {
    return "";
  }
}

async function open(): Promise<void> {
  const row = table.selectedRow();
  if (!row || performance.now() - selectionLostAt < LOST_MS) return;
  hideBanner("gone");
  if (row.claimed_by && !row.claimed_by.you) {
    const answer = await ask({
      title: `${row.claimed_by.display} has ${row.patient_id}`,
      body: [h("p", {}, `Since ${clock(row.claimed_by.since)}. You can look at it; the claim stays theirs.`)],
      confirm: "Open all the same",
    });
    if (!answer.confirmed) return;
  }
  // The reading room claims it as it opens.
  location.assign(studyUrl(row.study_uid));
}

async function claim(): Promise<void> {
  const row = table.selectedRow();
  if (!row || row.status === "read") return;
  hideBanner("action");
  try {
    await api.post(`/api/v1/studies/${encodeURIComponent(row.study_uid)}/claim/`);
    claims.push(row.study_uid);
    polite(`${row.patient_id} claimed. U undoes it`);
    await refresh();
  } catch (error) {
    await showFailure(`${row.patient_id} was not claimed`, error);
  }
}

async function undo(): Promise<void> {
  const selected = table.selectedRow();
  const uid = claims.pop() ?? (selected?.claimed_by?.you ? selected.study_uid : undefined);
  if (!uid) {
    polite("Nothing to undo");
    return;
  }
  const name = table.rows.find((row) => row.study_uid === uid)?.patient_id ?? "The study";
  try {
    await api.del(`/api/v1/studies/${encodeURIComponent(uid)}/claim/`);
    polite(`${name} released`);
    await refresh();
  } catch (error) {
    await showFailure(`${name} was not released`, error);
  }
}

async function showFailure(title: string, error: unknown): Promise<void> {
  if (error instanceof ApiError && error.signedOut) return;
  const holder =
    error instanceof ApiError
      ? (error.body as { claimed_by?: { display?: string } } | null)?.claimed_by?.display
      : null;
  showBanner({ name: "action", error: true, title: `${title}.`, detail: holder ? `${holder} has it.` : reason(error) });
  await refresh();
}

function choose(name: Filter, select?: string): void {
  filter = name;
  baseline = null;
  table.rows = [];
  for (const button of document.querySelectorAll<HTMLElement>("[data-filter]")) {
    setPressed(button, button.dataset["filter"] === name);
  }
  list.scrollTop = 0;
  storeFilter();
  void refresh().then(() => select && table.select(select));
}

function storeFilter(): void {
  const query = new URLSearchParams();
  if (filter !== "all") query.set("filter", filter);
  sessionStorage.setItem(WORDS, search.value.trim());
  history.replaceState(null, "", query.size ? `?${query}` : location.pathname);
}

function togglePreview(): void {
  const narrow = window.matchMedia("(max-width: 1180px)").matches;
  if (narrow) {
    layout.classList.toggle("peek");
    return;
  }
  const off = layout.classList.toggle("no-preview");
  localStorage.setItem(PREVIEW_OFF, off ? "1" : "0");
}

layout.classList.toggle("no-preview", localStorage.getItem(PREVIEW_OFF) === "1");

function rowOf(target: EventTarget | null): string | null {
  return target instanceof Element ? (target.closest<HTMLElement>("tr[data-uid]")?.dataset["uid"] ?? null) : null;
}

list.addEventListener("pointermove", () => (movedAt = performance.now()));
list.addEventListener("click", (event) => {
  const uid = rowOf(event.target);
  if (!uid) return;
  selectionLostAt = -Infinity;
  table.select(uid);
  const link = event.target instanceof Element && event.target.closest("a");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  void open();
});
list.addEventListener("dblclick", (event) => rowOf(event.target) && void open());

let typing = 0;
search.addEventListener("input", () => {
  window.clearTimeout(typing);
  typing = window.setTimeout(() => {
    storeFilter();
    baseline = null;
    table.rows = [];
    void refresh();
  }, 180);
});
search.addEventListener("keydown", (event) => {
  if (event.key === "Enter") table.move(0);
  if (event.key !== "Escape" || !search.value) return;
  event.stopPropagation();
  search.value = "";
  search.dispatchEvent(new Event("input"));
});
for (const button of document.querySelectorAll<HTMLElement>("[data-filter]")) {
  button.addEventListener("click", () => choose(button.dataset["filter"] as Filter));
}

function dismiss(): void {
  if (toasts.dismiss()) return;
  layout.classList.remove("peek");
  table.selectedElement()?.focus();
}

const GROUP = "Worklist";
bind({ key: ["j", "ArrowDown"], caps: ["J", "K"], label: "Move", group: GROUP, run: () => moveBy(1) });
bind({ key: ["k", "ArrowUp"], label: "Move up", group: GROUP, run: () => moveBy(-1), bar: false });
bind({ key: "Home", label: "First study", group: GROUP, run: () => moveBy(-1e9), bar: false });
bind({ key: "End", label: "Last study", group: GROUP, run: () => moveBy(1e9), bar: false });
bind({ key: "Enter", label: "Open and claim", group: GROUP, run: () => void open() });
bind({ key: "Space", label: "Preview", group: GROUP, run: togglePreview });
bind({ key: "c", label: "Claim only", group: GROUP, run: () => void claim() });
bind({ key: "u", label: "Undo claim", group: GROUP, run: () => void undo() });
bind({ key: "/", label: "Filter", group: GROUP, run: () => search.select() });
FILTERS.forEach((name, index) => {
  const word = document.querySelector(`[data-filter="${name}"]`)?.firstChild?.textContent?.trim() ?? name;
  const first = index === 0;
  bind({
    key: String(index + 1),
    label: first ? "Show" : `Show ${word}`,
    group: GROUP,
    run: () => choose(name),
    bar: first,
    ...(first ? { caps: ["1", "–", "5"] } : {}),
  });
});
bind({ key: "g", label: "Go to arrival", group: GROUP, run: () => toasts.follow(), when: () => toasts.size > 0 });
bind({ key: "o", label: "Upload", group: GROUP, run: () => location.assign("/upload/"), bar: false });
bind({ key: "Escape", label: "Dismiss, back to the list", group: GROUP, run: dismiss, bar: false });

choose(filter);
