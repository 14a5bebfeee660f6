/** Studies in through the browser. */

import { polite } from "../common/announce";
import { onSignedIn } from "../common/api";
import { hideBanner, showBanner } from "../common/banner";
import { csv, saveText } from "../common/charts";
import { byId, type Child, fill, h, icon } from "../common/dom";
import { count, megabytes, number, percent } from "../common/format";
import { bind, renderKeybar } from "../common/keys";
import { fromDrop, fromList } from "./gather";
import { type Item, isSystemFile, type Outcome, type Result } from "./queue";
import { type Entry, Sender } from "./sender";
import { send } from "./transport";

const DRAW_MS = 150;
const MOST_REFUSALS = 500;
const MOST_OTHERS = 100;

const zone = byId("drop");
const filesInput = byId<HTMLInputElement>("files");
const folderInput = byId<HTMLInputElement>("folder");
const sender = new Sender(send, drawSoon);
let leftOut = 0;
let wasRunning = false;
let timer = 0;

function add(items: Item[]): void {
  const files = items.filter((item) => !isSystemFile(item.path));
  leftOut += items.length - files.length;
  if (!files.length) {
    polite("Nothing to send: no files were found");
    return;
  }
  polite(`${count(files.length, "file")} to send`);
  sender.add(files);
}

// ---------- drawing ----------

function drawSoon(): void {
  if (timer) return;
  timer = window.setTimeout(() => {
    timer = 0;
    draw();
  }, DRAW_MS);
}

interface Line {
  path: string;
  bytes: number | null;
  answer: Child;
  rank: number;
}

const WORDS: Record<Outcome, string> = {
  stored: "Stored",
  duplicate: "Already here, nothing changed",
  parked: "Stored, not scorable",
  refused: "Refused",
};
const RANKS: Record<Outcome, number> = { refused: 0, parked: 1, stored: 4, duplicate: 4 };

function answer(result: Result): HTMLElement {
  const words = WORDS[result.outcome];
  const text = result.reason && result.outcome !== "duplicate" ? `${words}: ${result.reason}` : words;
  if (result.outcome === "refused") return h("span", { class: "bad" }, icon("bad"), text);
  if (result.outcome === "parked") return h("span", { class: "warn" }, icon("warn"), text);
  return h("span", { class: "ok" }, icon("ok"), text);
}

function sendingLine(entry: Entry): Child {
  const share = percent(entry.sent);
  return h(
    "span",
    { class: "flag wait" },
    icon("dots"),
    `Sending, ${share} `,
    h("progress", { max: 1, value: entry.sent, "aria-label": `${entry.item.path} sent` }),
  );
}

function linesOf(entry: Entry): Line[] {
  const bytes = entry.item.file.size;
  const { path } = entry.item;
  if (entry.state === "failed")
    return [{ path, bytes, rank: 0, answer: h("span", { class: "bad" }, icon("bad"), `Not sent: ${entry.reason}`) }];
  if (entry.state === "sending") return [{ path, bytes, rank: 2, answer: sendingLine(entry) }];
  if (entry.state === "queued")
    return [{ path, bytes, rank: 3, answer: h("span", { class: "flag wait" }, icon("dots"), "Waiting") }];
  const several = entry.results.length > 1;
  return entry.results.map((result) => ({
    path: several ? memberPath(path, result.path) : path,
    bytes: several ? null : bytes,
    rank: RANKS[result.outcome],
    answer: answer(result),
  }));
}

function memberPath(archive: string, member: string): string {
  return member.startsWith(archive) ? member : `${archive} › ${member}`;
}

function visibleLines(lines: Line[]): { rows: Line[]; hidden: number } {
  const first = lines.filter((line) => line.rank <= 1).slice(0, MOST_REFUSALS);
  const others = lines.filter((line) => line.rank > 1);
  const rest = others.slice(0, MOST_OTHERS);
  return { rows: [...first, ...rest], hidden: lines.length - first.length - rest.length };
}

function drawTable(lines: Line[]): void {
  lines.sort((a, b) => a.rank - b.rank);
  const { rows, hidden } = visibleLines(lines);
  fill(
    byId("upload-rows"),
    ...rows.map((line) =>
      h(
        "tr",
        {},
        h("td", { class: "path", title: line.path }, line.path),
        h("td", { class: "num dim" }, line.bytes === null ? "" : megabytes(line.bytes)),
        h("td", { class: "answer" }, line.answer),
      ),
    ),
  );
  const more = byId("upload-more");
  more.hidden = hidden === 0;
  more.textContent = `and ${count(hidden, "more file")}, not listed here`;
}

interface Tally {
  outcomes: Record<Outcome, number>;
  failed: number;
  left: number;
  studies: Map<string, number>;
  sentBytes: number;
  allBytes: number;
}

function tally(): Tally {
  const sum: Tally = {
    outcomes: { stored: 0, duplicate: 0, parked: 0, refused: 0 },
    failed: 0,
    left: 0,
    studies: new Map(),
    sentBytes: 0,
    allBytes: 0,
  };
  for (const entry of sender.entries) {
    sum.allBytes += entry.item.file.size;
    sum.sentBytes += entry.item.file.size * (entry.state === "done" ? 1 : entry.sent);
    if (entry.state === "failed") sum.failed += 1;
    if (entry.state === "queued" || entry.state === "sending") sum.left += 1;
    for (const result of entry.results) {
      sum.outcomes[result.outcome] += 1;
      if (result.study_uid && result.outcome !== "refused")
        sum.studies.set(result.study_uid, (sum.studies.get(result.study_uid) ?? 0) + 1);
    }
  }
  return sum;
}

function drawTally(sum: Tally): void {
  const part = (value: number, words: string) => h("span", {}, h("b", {}, number(value)), ` ${words}`);
  const { stored, duplicate, parked, refused } = sum.outcomes;
  fill(
    byId("tally"),
    part(stored, "stored"),
    part(duplicate, "already here"),
    part(parked, "stored, not scorable"),
    part(refused, "refused"),
    sum.failed ? part(sum.failed, "not sent") : null,
    part(sum.left, "to go"),
    leftOut ? part(leftOut, "system files left out") : null,
  );
}

function drawStudies(studies: Map<string, number>): void {
  const slot = byId("studies");
  slot.hidden = studies.size === 0;
  const links = [...studies]
    .slice(0, 12)
    .map(([uid, files]) =>
      h(
        "li",
        {},
        h("a", { href: `/studies/${encodeURIComponent(uid)}/` }, `…${uid.slice(-12)}`),
        ` ${count(files, "file")}`,
      ),
    );
  const more = studies.size > 12 ? h("li", { class: "dim" }, `and ${studies.size - 12} more`) : null;
  fill(
    slot,
    h("h2", { class: "h3" }, count(studies.size, "study", "studies")),
    h("ul", { class: "tally" }, ...links, more),
  );
}

function finished(sum: Tally): void {
  const { stored, duplicate, parked, refused } = sum.outcomes;
  polite(
    `Upload finished. ${number(stored)} stored, ${number(duplicate)} already here, ` +
      `${number(parked)} not scorable, ${number(refused)} refused, ${number(sum.failed)} not sent`,
  );
}

function drawStop(sum: Tally): void {
  const { stop } = sender;
  if (!stop || (stop.kind === "signed_out" && !sum.left)) {
    hideBanner("upload");
    return;
  }
  const again = h(
    "button",
    { class: "btn", type: "button", onclick: () => sender.retry() },
    stop.kind === "offline" ? "Try now" : "Go on",
  );
  const unsent = `${count(sum.left, "file")} not yet sent ${sum.left === 1 ? "is" : "are"} kept on this page.`;
  const wait = stop.retryInMs ? `, in ${Math.round(stop.retryInMs / 1000)} s` : "";
  const titles = {
    disk_full: "The server's disk is full. Nothing of the last request was stored.",
    offline: `No answer from the server. It is tried again by itself${wait}.`,
    signed_out: "You are signed out. Sending pauses.",
    stopped: "Stopped.",
  };
  showBanner({
    name: "upload",
    error: stop.kind !== "stopped",
    title: titles[stop.kind],
    detail: `${unsent} What is stored stays stored.`,
    actions: [again],
  });
}

function draw(): void {
  const sum = tally();
  byId("upload-result").hidden = sender.entries.length === 0;
  const bar = byId<HTMLProgressElement>("total");
  bar.max = Math.max(1, sum.allBytes);
  bar.value = sum.sentBytes;
  byId("total-text").textContent = `${megabytes(sum.sentBytes)} of ${megabytes(sum.allBytes)} MB`;
  drawTally(sum);
  drawStudies(sum.studies);
  drawTable(sender.entries.flatMap(linesOf));
  drawStop(sum);
  byId("stop").hidden = !sender.running;
  byId("retry").hidden = sender.running || sum.failed + sum.left === 0;
  byId("refusals").hidden = sum.outcomes.refused + sum.outcomes.parked + sum.failed === 0;
  if (wasRunning && !sender.running && !sum.left) finished(sum);
  wasRunning = sender.running;
  renderKeybar();
}

function saveRefusals(): void {
  const failed = sender.entries
    .filter((entry) => entry.state === "failed")
    .map((entry) => [entry.item.path, "not sent", entry.reason] as const);
  const answered = sender.entries.flatMap((entry) =>
    entry.results
      .filter(({ outcome }) => outcome === "refused" || outcome === "parked")
      .map((result) => [result.path, result.outcome, result.reason] as const),
  );
  saveText("fontanelle-refusals.csv", csv(["path", "outcome", "reason"], [...failed, ...answered]));
}

// ---------- in ----------

for (const input of [filesInput, folderInput]) {
  input.addEventListener("change", () => {
    add(fromList(input.files));
    input.value = "";
  });
}
byId("choose-files").addEventListener("click", () => filesInput.click());
byId("choose-folder").addEventListener("click", () => folderInput.click());
byId("stop").addEventListener("click", () => sender.halt());
byId("retry").addEventListener("click", () => sender.retry());
byId("refusals").addEventListener("click", saveRefusals);

document.addEventListener("dragover", (event) => {
  event.preventDefault();
  zone.classList.add("over");
});
document.addEventListener("dragleave", (event) => {
  if (event.relatedTarget === null) zone.classList.remove("over");
});
document.addEventListener("drop", (event) => {
  event.preventDefault();
  zone.classList.remove("over");
  if (event.dataTransfer) void fromDrop(event.dataTransfer).then(add);
});

window.addEventListener("beforeunload", (event) => {
  if (sender.running) event.preventDefault();
});
window.addEventListener("online", () => sender.retryNow());
onSignedIn(() => sender.stop?.kind === "signed_out" && sender.retry());

const GROUP = "Upload";
bind({ key: "f", label: "Choose files", group: GROUP, run: () => filesInput.click() });
bind({ key: "d", label: "Choose folder", group: GROUP, run: () => folderInput.click() });
bind({ key: "r", label: "Send again", group: GROUP, run: () => sender.retry(), when: () => !byId("retry").hidden });
bind({ key: "Escape", label: "Stop", group: GROUP, run: () => sender.halt(), when: () => sender.running });
