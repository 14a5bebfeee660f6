/** One training run: its progress, then its result. */

import { assertive, polite } from "../common/announce";
import { ApiError, api, reason } from "../common/api";
import { hideBanner, showBanner } from "../common/banner";
import { csvButton, dataTable } from "../common/charts";
import { ask } from "../common/dialog";
import { byId, type Child, fill, h, icon, known } from "../common/dom";
import { subscribe } from "../common/events";
import { digest, duration, interval, number, ratio, when } from "../common/format";
import { bind, renderKeybar } from "../common/keys";
import { card, numberPair, pair } from "../common/parts";
import { inUseCard, keyframesNote, leftOutNote, unbiasedNote, unknownPrevalence } from "../metrics/in_use";
import {
  calibrationCard,
  kpiRow,
  measuredOn,
  measuresCard,
  prCard,
  type Report,
  rocCard,
  targetOf,
} from "../metrics/report";
import { statusSign } from "./list";
import { promote } from "./promote";
import type { FoldRow, Model, Run } from "./types";

const POLL_MS = 2000;
const SETTLE_MS = 150;
const STEPS = ["Preflight", "Snapshot", "Embeddings", "Folds", "Thresholds", "Report"];

let url = "";
let run: Run | null = null;
let champion: { model: Model | null; report: Report | null } = { model: null, report: null };
let drawnReport = "";

function isRunning(): boolean {
  return run?.status === "queued" || run?.status === "running";
}

// ---------- progress ----------

/** Which of the steps is under way; all are done at the end. */
export function stepOf(status: Run["status"], folds: readonly FoldRow[]): number {
  if (status === "done") return STEPS.length;
  if (status === "queued") return 1;
  if (!folds.length || folds.every((fold) => fold.state === "waiting")) return 2;
  return folds.every((fold) => fold.state === "done") ? 4 : 3;
}

function steps(current: Run): HTMLElement {
  const currentStep = stepOf(current.status, current.progress.fold_rows ?? []);
  const stopped = current.status === "failed" || current.status === "cancelled";
  return h(
    "ol",
    { class: "steps wrap", "aria-label": "Steps" },
    ...STEPS.map((name, index) => {
      if (index < currentStep) return h("li", { class: "done" }, icon("ok"), name, h("span", { class: "vh" }, " done"));
      if (index > currentStep) return h("li", {}, name);
      return h("li", { class: "now", "aria-current": "step" }, icon(stopped ? "bad" : "play"), name);
    }),
  );
}

function remainingText(current: Run): string {
  const eta = current.progress.eta_seconds;
  if (!isRunning() || eta === null || eta === undefined) return "";
  if (Array.isArray(eta)) return `${duration(eta[0])} to ${duration(eta[1])} left`;
  return eta > 0 ? `about ${duration(eta)} left` : "";
}

function elapsedText(current: Run): string {
  if (!current.started_at) return "not begun";
  const end = current.finished_at ? Date.parse(current.finished_at) : Date.now();
  return `${duration((end - Date.parse(current.started_at)) / 1000)} ${current.finished_at ? "in all" : "gone"}`;
}

function headline(current: Run): string {
  const { fold_rows: rows = [], message } = current.progress;
  const done = rows.filter((row) => row.state === "done").length;
  if (current.cancel_requested && isRunning()) return "Stopping";
  if (current.status === "queued") return "Queued: begins when the training worker is free";
  if (current.status === "running") return rows.length ? `${done} of ${rows.length} folds done` : message || "Starting";
  return { done: "Done", failed: "Failed", cancelled: "Cancelled" }[current.status];
}

function progressCard(current: Run): HTMLElement {
  const by = current.created_by;
  const facts = [
    `begun ${when(current.started_at ?? current.created_at) ?? "–"}${by ? ` by ${by}` : ""}`,
    current.seed === undefined ? null : `seed ${current.seed}`,
    current.status === "running" ? current.progress.message : null,
  ];
  const fraction = current.status === "done" ? 1 : (current.progress.fraction ?? 0);
  return h(
    "section",
    { class: "card" },
    h(
      "div",
      { class: "body stack" },
      h(
        "div",
        { class: "line" },
        h(
          "span",
          {},
          h("span", { class: "strong" }, headline(current)),
          " ",
          h("span", { class: "dim" }, `· ${facts.filter(Boolean).join(" · ")}`),
        ),
        h(
          "span",
          { class: "right num" },
          h("span", { class: "dim" }, elapsedText(current)),
          isRunning() ? h("span", { class: "strong" }, remainingText(current)) : null,
        ),
      ),
      h("progress", { max: 1, value: fraction, class: isRunning() ? null : "done", "aria-label": "Whole run" }),
      current.error ? h("p", { class: "message" }, icon("bad"), current.error) : null,
    ),
  );
}

const FOLD_STATES = { done: ["ok", "Done"], running: ["play", "Fitting"], waiting: ["dots", "Waiting"] } as const;

function foldState(row: FoldRow): HTMLElement {
  const [sign, word] = FOLD_STATES[row.state] ?? FOLD_STATES.waiting;
  return h("span", { class: row.state === "running" ? "warn strong" : "ok" }, icon(sign), word);
}

function noFolds(current: Run): HTMLElement {
  const words = isRunning()
    ? "They begin once every study of the snapshot is embedded."
    : "The run ended before they began.";
  const message = current.status === "running" ? current.progress.message : "";
  return card({ title: "Folds" }, h("div", { class: "body dim" }, [message, words].filter(Boolean).join(". ")));
}

function foldTableRow(row: FoldRow, index: number): HTMLElement {
  const bar = h("progress", {
    max: 1,
    value: row.fraction,
    class: row.state === "done" ? "done" : null,
    "aria-label": `Fold ${index + 1}`,
  });
  return h(
    "tr",
    {},
    h("th", { scope: "row", class: "strong" }, String(index + 1)),
    h("td", {}, foldState(row)),
    h("td", {}, bar),
    h("td", { class: "num" }, ratio(row.auroc) ?? "–"),
  );
}

function foldsTable(rows: readonly FoldRow[]): HTMLElement {
  const head = h(
    "tr",
    {},
    ...["Fold", "State", "Progress"].map((label) => h("th", { scope: "col" }, label)),
    h("th", { scope: "col", class: "num" }, "AUROC"),
  );
  return h(
    "table",
    { class: "table folds" },
    h("caption", { class: "vh" }, "Folds"),
    h("thead", {}, head),
    h("tbody", {}, ...rows.map(foldTableRow)),
  );
}

function foldsCard(current: Run): HTMLElement {
  const rows = current.progress.fold_rows ?? [];
  if (!rows.length) return noFolds(current);
  const sheet = () => ({
    filename: `run-${current.id}-folds.csv`,
    columns: ["fold", "state", "fraction", "auroc"],
    rows: rows.map((row, index) => [String(index + 1), row.state, row.fraction, row.auroc]),
  });
  return card(
    {
      title: "Folds",
      note: "patients and twins kept together · AUROC on the fold left out",
      right: [csvButton("Folds", sheet)],
    },
    h("div", { class: "body" }, foldsTable(rows)),
  );
}

// ---------- beside ----------

function snapshotCard(current: Run): HTMLElement | null {
  const { snapshot } = current;
  if (!snapshot) return null;
  return card(
    { title: "Snapshot" },
    h(
      "div",
      { class: "body stack" },
      h(
        "dl",
        { class: "kv" },
        numberPair("Digest", h("span", { class: "mono", title: snapshot.digest }, digest(snapshot.digest) ?? "–")),
        numberPair("Patients", known(snapshot.patients === undefined ? null : number(snapshot.patients))),
        numberPair("Studies", known(snapshot.studies === undefined ? null : number(snapshot.studies))),
        numberPair("Positive", known(snapshot.positives === undefined ? null : number(snapshot.positives))),
        numberPair("Definition of positive", known(snapshot.definition)),
        numberPair("Frozen", known(when(snapshot.created_at))),
      ),
      snapshot.phantoms_only ? h("p", { class: "small dim" }, "Phantoms only.") : null,
    ),
  );
}

function cancelCard(): HTMLElement {
  return card(
    { title: "If you cancel" },
    h(
      "div",
      { class: "body" },
      h(
        "dl",
        { class: "what" },
        pair("Stops", "within seconds, after the step that is under way."),
        pair("Keeps", "the snapshot and all labels."),
        pair("Leaves", "the champion on triage. No study waits for training."),
      ),
    ),
  );
}

// ---------- result ----------

function modelOf(current: Run): Model | null {
  if (!current.model) return null;
  if (typeof current.model === "number") return { id: current.model, name: `model ${current.model}` };
  return current.model;
}

function differenceText(own: number | null | undefined, other: number | null | undefined): string {
  if (own == null || other == null) return "–";
  const value = own - other;
  return `${value > 0 ? "+" : ""}${number(value, 3)}`;
}

function comparison(report: Report): Child {
  const championReport = champion.report;
  if (!championReport?.auroc)
    return h("p", { class: "dim" }, "The champion has no cross-validated report to compare with.");
  const rows = (
    [
      ["AUROC", report.auroc, championReport.auroc],
      ["PR-AUC", report.pr_auc, championReport.pr_auc],
      ["Sensitivity, target 0.90", targetOf(report)?.sensitivity, targetOf(championReport)?.sensitivity],
      ["Specificity there", targetOf(report)?.specificity, targetOf(championReport)?.specificity],
    ] as const
  ).map(([name, challenger, other]) => [
    name,
    ratio(challenger?.pooled) ?? "–",
    interval(challenger?.interval) ?? "–",
    ratio(other?.pooled) ?? "–",
    interval(other?.interval) ?? "–",
    differenceText(challenger?.pooled, other?.pooled),
  ]);
  const columns = [
    { label: "Figure", silent: true },
    { label: "Challenger", num: true },
    { label: "95 % interval", num: true },
    { label: "Champion", num: true },
    { label: "95 % interval", num: true },
    { label: "Difference", num: true },
  ];
  const same = report.snapshot !== undefined && report.snapshot === championReport.snapshot;
  return [
    dataTable("Challenger and champion", columns, rows),
    same
      ? null
      : h("p", { class: "small dim" }, "Measured on different studies: the difference also holds how hard these were."),
  ];
}

function promotionCard(current: Run): HTMLElement | null {
  const model = modelOf(current);
  if (!model || !current.report) return null;
  const state = model.state ?? (champion.model?.id === model.id ? "champion" : "challenger");
  const act =
    state === "champion"
      ? h("p", { class: "ok" }, icon("ok"), `${model.name} triages now.`)
      : h(
          "div",
          { class: "line" },
          h(
            "button",
            { class: "btn btn-primary", type: "button", id: "promote", onclick: () => void promoteModel() },
            `Promote ${model.name}`,
            h("kbd", {}, "P"),
          ),
          h("span", { class: "dim" }, "Asks for a reason. Waiting studies are scored again by it."),
        );
  return card(
    {
      title: "Challenger and champion",
      note: champion.model ? `${model.name} and ${champion.model.name}` : model.name,
    },
    h("div", { class: "body stack-4" }, state === "champion" ? null : comparison(current.report), act),
  );
}

async function promoteModel(): Promise<void> {
  const model = run && modelOf(run);
  if (model && (await promote({ trained_on_phantoms: run?.snapshot?.phantoms_only ?? false, ...model }))) await load();
}

function result(current: Run): HTMLElement {
  const name = `run-${current.id}`;
  const report = current.report as Report;
  return h(
    "div",
    { class: "side-col" },
    measuredOn(report, current.snapshot?.phantoms_only),
    kpiRow(report),
    unbiasedNote(report),
    leftOutNote(report),
    keyframesNote(report),
    promotionCard(current),
    runInUse(current, report, name),
    measuresCard(report, name),
    h(
      "div",
      { class: "two" },
      rocCard(report, name),
      prCard(report, name),
      calibrationCard(report, name),
      trainingFoldsCard(report),
      snapshotCard(current),
    ),
  );
}

function runInUse({ prevalence }: Run, report: Report, name: string): HTMLElement {
  const points = report.deployed?.in_use;
  return prevalence && points ? inUseCard({ prevalence, points, perDay: null }, report, name) : unknownPrevalence();
}

function trainingFoldsCard(report: Report): HTMLElement | null {
  if (!report.folds?.length) return null;
  const rows = report.folds.map((fold, index) => [
    String(index + 1),
    fold.patients === undefined ? "–" : number(fold.patients),
    number(fold.studies),
    number(fold.positives),
  ]);
  return card(
    { title: "What each fold held", note: `seed ${report.seed ?? "–"} · ${duration(report.seconds) ?? "–"}` },
    h(
      "div",
      { class: "body" },
      dataTable(
        "Folds",
        [
          { label: "Fold" },
          { label: "Patients", num: true },
          { label: "Studies", num: true },
          { label: "Positive", num: true },
        ],
        rows,
      ),
    ),
  );
}

// ---------- drawing, loading ----------

function hasResult(current: Run): boolean {
  return current.status === "done" && Boolean(current.report?.auroc);
}

function draw(): void {
  if (!run) return;
  byId("cancel").hidden = !isRunning();
  fill(byId("steps"), steps(run));
  fill(byId("status"), statusSign(run.status));
  fill(byId("progress"), progressCard(run));
  const finished = hasResult(run);
  byId("under-way").hidden = finished;
  renderKeybar();
  const signature = JSON.stringify([run.report, run.model, champion]);
  if (!finished) {
    fill(byId("side"), snapshotCard(run), isRunning() ? cancelCard() : null);
    fill(byId("folds"), foldsCard(run));
  } else if (signature !== drawnReport) {
    drawnReport = signature;
    fill(byId("result"), result(run));
  }
}

interface ChampionAnswer {
  champion: { model: Model | null; report: Report | null } | null;
}

async function loadChampion(): Promise<void> {
  try {
    const answer = await api.get<ChampionAnswer>("/api/v1/metrics/");
    champion = answer.champion ?? { model: null, report: null };
    const models = await api.get<Model[]>("/api/v1/models/");
    const ownModel = run && modelOf(run);
    const known = models.find((model) => model.id === ownModel?.id);
    if (run && known) run.model = known;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
  }
}

let timer = 0;
let announcedState = "";

async function load(): Promise<void> {
  window.clearTimeout(timer);
  try {
    const fresh = await api.get<Run>(url);
    announceChange(fresh);
    run = fresh;
    if (hasResult(fresh)) await loadChampion();
    draw();
    hideBanner("run");
  } catch (error) {
    if (!(error instanceof ApiError && error.signedOut))
      showBanner({
        name: "run",
        error: true,
        title: "The run's state could not be loaded. The run itself is not touched.",
        detail: `${reason(error)} It is tried again by itself.`,
      });
  }
  window.clearTimeout(timer);
  if (isRunning() || !run) timer = window.setTimeout(() => void load(), POLL_MS);
}

function announceChange(fresh: Run): void {
  const done = (fresh.progress.fold_rows ?? []).filter((row) => row.state === "done").length;
  const state = `${fresh.status} ${done}`;
  if (announcedState && state !== announcedState) {
    if (fresh.status === "failed") assertive(`The run failed. ${fresh.error ?? ""}`);
    else if (fresh.status === "running") polite(`${done} folds done`);
    else polite(`The run is ${fresh.status}`);
  }
  announcedState = state;
}

async function cancel(): Promise<void> {
  if (!run || !isRunning()) return;
  const answer = await ask({
    title: `Cancel run ${run.id}?`,
    body: [
      h(
        "p",
        {},
        "It stops within seconds. The snapshot and all labels are kept; the folds fitted so far are not. " +
          "The champion stays on triage.",
      ),
    ],
    confirm: "Cancel the run",
    cancel: "Let it run",
    stop: true,
  });
  if (!answer.confirmed) return;
  try {
    await api.post(`${url}cancel/`);
    polite("Stopping the run");
  } catch (error) {
    showBanner({ name: "cancel", error: true, title: "The run was not cancelled; it goes on.", detail: reason(error) });
  }
  await load();
}

export function startRun(id: number): void {
  url = `/api/v1/training-runs/${id}/`;
  byId("cancel").addEventListener("click", () => void cancel());
  const GROUP = "Training run";
  bind({ key: "x", label: "Cancel run", group: GROUP, run: () => void cancel(), when: isRunning });
  bind({
    key: "p",
    label: "Promote",
    group: GROUP,
    run: () => document.getElementById("promote")?.click(),
    when: () => document.getElementById("promote") !== null,
  });
  bind({ key: "Escape", label: "All runs", group: GROUP, run: () => location.assign("/training/") });
  subscribe(["run", "model"], (event) => {
    if (event.kind === "run" && event.run_id !== undefined && event.run_id !== id) return;
    window.clearTimeout(timer);
    timer = window.setTimeout(() => void load(), SETTLE_MS);
  });
  void load();
}
