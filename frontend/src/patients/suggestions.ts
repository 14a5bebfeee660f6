/** Questions about who an infant is: both sides beside each other, an answer with its reason, and the way back. */

import type { IdentitySide, IdentitySuggestion, IdentitySuggestions, MergeResult, SplitResult } from "../api/schema";
import { polite } from "../common/announce";
import { ApiError, api, reason } from "../common/api";
import { hideBanner, showBanner } from "../common/banner";
import { type Answer, ask } from "../common/dialog";
import { byId, type Child, cap, fill, h, icon, known } from "../common/dom";
import { count, when } from "../common/format";
import { bind } from "../common/keys";
import { card } from "../common/parts";
import { mergeInto } from "./merging";
import { comparedFacts, headerFacts, questionTitle, sideName } from "./sides";

const SUGGESTIONS = "/api/v1/patients/suggestions/";
const PAGE_SIZE = 20;

interface Undo {
  /** What was done, and what taking it back leads to. */
  done: Child[];
  said: string;
  run: () => Promise<string>;
}

let page: IdentitySuggestions | null = null;
let lastUndo: Undo | null = null;

const patientUrl = (id: number) => `/api/v1/patients/${id}/`;
const addressed = () => new URLSearchParams(location.search);

// ---------- drawing ----------

function studies(side: IdentitySide): Child {
  if (!side.studies.length) return h("span", { class: "dim" }, "no study");
  return h(
    "ul",
    { class: "plain-list" },
    ...side.studies.map((study) =>
      h("li", {}, h("a", { href: study.url }, when(study.acquired_at) ?? "time unknown"), ` ${study.description}`),
    ),
  );
}

function sideHead(side: IdentitySide, index: number): HTMLElement {
  const what = side.id === null ? "What the header says" : index ? "The other side" : "Known first";
  const link = side.url ? h("a", { href: side.url }, side.patient_id || "no ID") : side.patient_id || "no ID";
  return h("th", { scope: "col" }, h("span", { class: "small dim" }, `${what} `), link);
}

function verdictMark(verdict: string): Child {
  if (verdict === "differs") return h("span", { class: "warn strong" }, icon("unequal"), "differs");
  return h("span", { class: "dim" }, verdict);
}

function comparison(question: IdentitySuggestion): HTMLElement {
  const [one, other] = question.sides as [IdentitySide, IdentitySide];
  const rows = comparedFacts(question).map(({ name, values, verdict }) =>
    h(
      "tr",
      { class: verdict === "differs" ? "differs" : null },
      h("th", { scope: "row" }, name),
      ...values.map((value) => h("td", {}, verdict === "differs" ? h("b", {}, value) : known(value))),
      h("td", {}, verdictMark(verdict)),
    ),
  );
  const ofSides = h(
    "tr",
    {},
    h("th", { scope: "row" }, "Studies"),
    h("td", {}, studies(one)),
    h("td", {}, studies(other)),
    h("td", {}),
  );
  return h(
    "table",
    { class: "table sides" },
    h("caption", { class: "vh" }, `${questionTitle(question)} Both sides, fact by fact`),
    h(
      "thead",
      {},
      h(
        "tr",
        {},
        h("th", { scope: "col" }, "Fact"),
        sideHead(one, 0),
        sideHead(other, 1),
        h("th", { scope: "col" }, "Compared"),
      ),
    ),
    h("tbody", {}, ...rows, ofSides),
  );
}

function action(label: string, key: string, run: () => void): HTMLElement {
  return h("button", { class: "btn", type: "button", onclick: run }, label, " ", cap(key));
}

function actions(question: IdentitySuggestion): HTMLElement {
  const [one, other] = question.sides as [IdentitySide, IdentitySide];
  const paired = other.id !== null;
  return h(
    "div",
    { class: "line" },
    paired
      ? action(`One infant: keep ${sideName(one)}`, "1", () => void answerOne(question))
      : action("Take what the header says", "1", () => void answerOne(question)),
    paired ? action(`One infant: keep ${sideName(other)}`, "2", () => void answerTwo(question)) : null,
    action(paired ? "Two infants: keep apart" : "Keep what is known", "0", () => void settle(question)),
    paired ? null : h("a", { class: "btn btn-quiet", href: one.url ?? "#" }, "Split a study off on the infant's page"),
  );
}

function questionCard(question: IdentitySuggestion): HTMLElement {
  const element = card(
    { title: questionTitle(question), note: `asked ${when(question.found_at) ?? ""}` },
    h("div", { class: "body stack-4" }, h("p", {}, question.reason), comparison(question), actions(question)),
  );
  element.setAttribute("tabindex", "-1");
  element.setAttribute("aria-label", `${questionTitle(question)} ${question.sides.map(sideName).join(" and ")}`);
  element.setAttribute("data-question", String(question.id));
  return element;
}

function emptyState(searched: boolean): HTMLElement {
  return h(
    "div",
    { class: "empty" },
    h("h2", { class: "h2" }, searched ? "No question matches" : "No open question"),
    h(
      "p",
      {},
      searched
        ? "Clear the search to see every open question."
        : "Every number stands for one infant, as far as headers tell. Infants who clash or may be one appear here.",
    ),
  );
}

function draw(current: IdentitySuggestions): void {
  const searched = Boolean(addressed().get("q"));
  fill(byId("questions"), ...(current.results.length ? current.results.map(questionCard) : [emptyState(searched)]));
  byId("question-count").textContent = `${count(current.count, "open question")}. Nothing is merged by itself.`;
  byId("newer").hidden = !current.previous;
  byId("older").hidden = !current.next;
  byId("main").removeAttribute("aria-busy");
}

// ---------- loading ----------

async function load(): Promise<void> {
  const query = addressed();
  query.set("page_size", String(PAGE_SIZE));
  try {
    page = await api.get<IdentitySuggestions>(`${SUGGESTIONS}?${query}`);
    draw(page);
    hideBanner("suggestions");
  } catch (error) {
    failed("The questions could not be loaded.", error);
  }
}

function turn(to: string | null | undefined): void {
  if (!to) return;
  const asked = new URLSearchParams(to.split("?")[1]);
  asked.delete("page_size");
  location.search = String(asked);
}

function failed(title: string, error: unknown): void {
  if (error instanceof ApiError && error.signedOut) return;
  showBanner({ name: "suggestions", error: true, title, detail: reason(error) });
}

// ---------- answering ----------

async function done(undo: Undo): Promise<void> {
  lastUndo = undo;
  showBanner({
    name: "answered",
    title: undo.said,
    actions: [
      ...undo.done,
      h("button", { class: "btn", type: "button", onclick: () => void takeBack() }, "Undo ", cap("U")),
    ],
  });
  await load();
  focusOn(0);
}

async function takeBack(): Promise<void> {
  if (!lastUndo) return;
  const undo = lastUndo;
  lastUndo = null;
  try {
    showBanner({ name: "answered", title: await undo.run() });
    await load();
  } catch (error) {
    lastUndo = undo;
    failed("It was not undone.", error);
  }
}

function answerOne(question: IdentitySuggestion): Promise<void> {
  const [one, other] = question.sides as [IdentitySide, IdentitySide];
  return other.id === null ? takeHeader(question) : merge(other, one);
}

function answerTwo(question: IdentitySuggestion): Promise<void> {
  const [one, other] = question.sides as [IdentitySide, IdentitySide];
  return other.id === null ? Promise.resolve() : merge(one, other);
}

function askMerge(from: IdentitySide, into: IdentitySide): Promise<Answer> {
  return ask({
    title: `${sideName(from)} is ${sideName(into)}?`,
    body: [
      h(
        "p",
        {},
        `${count(from.studies.length, "study goes", "studies go")} to ${sideName(into)}. Its facts are kept; ` +
          "only what is unknown there is filled. Reads and scores stay with their studies.",
      ),
      h("p", {}, "It is audited, and Undo takes it back."),
    ],
    confirm: "Merge",
    reasonLabel: "Reason",
  });
}

async function merge(from: IdentitySide, into: IdentitySide): Promise<void> {
  const answer = await askMerge(from, into);
  if (!answer.confirmed) return;
  try {
    const merged = await mergeInto(patientUrl(from.id ?? 0), { into: into.id, reason: answer.reason });
    if (merged) await done(undoMerge(merged, into));
  } catch (error) {
    failed("Nothing was merged.", error);
  }
}

function undoMerge(merged: MergeResult, into: IdentitySide): Undo {
  return {
    done: [h("a", { class: "btn", href: merged.url }, `Open ${merged.patient_id}`)],
    said: `Merged into ${sideName(into)}: ${count(merged.moved.length, "study", "studies")} went over.`,
    run: async () => {
      const body = { studies: merged.moved, forget: merged.filled };
      const { split_to: to } = await api.post<SplitResult>(`${patientUrl(merged.id)}split/`, body);
      const owners = to.map((each) => each.patient_id).join(", ");
      return `Undone: ${count(merged.moved.length, "study is", "studies are")} with ${owners} again.`;
    },
  };
}

async function settle(question: IdentitySuggestion): Promise<void> {
  const paired = question.sides[1]?.id !== null;
  const answer = await ask({
    title: paired ? "Keep the two apart?" : "Keep what is known?",
    body: [h("p", {}, "Nothing changes, and it is not asked again. It is audited, and Undo asks it again.")],
    confirm: paired ? "Keep apart" : "Keep",
    reasonLabel: "Reason",
  });
  if (!answer.confirmed) return;
  const url = `${SUGGESTIONS}${question.id}/`;
  try {
    await api.post(`${url}settle/`, { reason: answer.reason });
    await done({
      done: [],
      said: paired ? "The two stay apart." : "What is known stays.",
      run: async () => {
        await api.post(`${url}reopen/`);
        return "Undone: the question is open again.";
      },
    });
  } catch (error) {
    failed("The question is still open.", error);
  }
}

async function takeHeader(question: IdentitySuggestion): Promise<void> {
  const [side] = question.sides as [IdentitySide, IdentitySide];
  const facts = headerFacts(question);
  const before = Object.fromEntries(Object.keys(facts).map((name) => [name, side[name as keyof typeof facts]]));
  const names = Object.keys(facts).map((name) => name.replaceAll("_", " "));
  if (!names.length) {
    polite("The header says nothing that could be taken over");
    return;
  }
  const answer = await ask({
    title: `Take ${names.join(" and ")} from the header?`,
    body: [
      h("p", {}, `The facts of ${sideName(side)} change for all its studies. It is audited, and Undo takes it back.`),
    ],
    confirm: "Take over",
  });
  if (!answer.confirmed) return;
  const url = patientUrl(side.id ?? 0);
  try {
    await api.patch(url, facts);
    await done({
      done: [],
      said: `Taken over: ${names.join(", ")}.`,
      run: async () => {
        await api.patch(url, before);
        return "Undone: the facts are as they were.";
      },
    });
  } catch (error) {
    failed("The facts were not changed.", error);
  }
}

// ---------- keys ----------

const cards = () => [...document.querySelectorAll<HTMLElement>("[data-question]")];

function current(): IdentitySuggestion | undefined {
  const focused = document.activeElement?.closest<HTMLElement>("[data-question]") ?? cards()[0];
  return page?.results.find((question) => String(question.id) === focused?.getAttribute("data-question"));
}

function focusOn(index: number): void {
  const all = cards();
  const target = all[Math.max(0, Math.min(all.length - 1, index))];
  target?.focus();
  target?.scrollIntoView({ block: "nearest" });
}

function move(step: number): void {
  const at = cards().findIndex((element) => element.contains(document.activeElement));
  focusOn(at < 0 ? 0 : at + step);
}

function withCurrent(run: (question: IdentitySuggestion) => Promise<void>): () => void {
  return () => {
    const question = current();
    if (question) void run(question);
  };
}

export function startSuggestions(): void {
  const GROUP = "Identity";
  const words = byId<HTMLInputElement>("search-words");
  words.value = addressed().get("q") ?? "";
  byId("search").addEventListener("submit", (event) => {
    event.preventDefault();
    location.search = words.value.trim() ? String(new URLSearchParams({ q: words.value.trim() })) : "";
  });
  byId("newer").addEventListener("click", () => turn(page?.previous));
  byId("older").addEventListener("click", () => turn(page?.next));
  bind({ key: "j", label: "Next question", group: GROUP, run: () => move(1) });
  bind({ key: "k", label: "Question before", group: GROUP, run: () => move(-1) });
  bind({ key: "1", label: "One infant: keep the first side", group: GROUP, run: withCurrent(answerOne) });
  bind({ key: "2", label: "One infant: keep the other side", group: GROUP, run: withCurrent(answerTwo) });
  bind({ key: "0", label: "Keep apart", group: GROUP, run: withCurrent(settle) });
  bind({ key: "u", label: "Undo", group: GROUP, run: () => void takeBack(), when: () => lastUndo !== null });
  bind({ key: "n", label: "Older", group: GROUP, run: () => turn(page?.next), bar: false });
  bind({ key: "p", label: "Newer", group: GROUP, run: () => turn(page?.previous), bar: false });
  bind({ key: "/", label: "Search", group: GROUP, run: () => words.select() });
  void load();
}
