/** Retrain, the runs so far, and which model triages. */

import { polite } from "../common/announce";
import { ApiError, api, reason } from "../common/api";
import { dataTable } from "../common/charts";
import { byId, type Child, fill, h, icon } from "../common/dom";
import { subscribe } from "../common/events";
import { count, duration, interval, number, ratio, when } from "../common/format";
import { bind } from "../common/keys";
import { errorMessage, numberPair } from "../common/parts";
import { promote } from "./promote";
import { listOf, type Model, nameOf, type Preflight, type Run } from "./types";

const RUNS = "/api/v1/training-runs/";
const RETRY_MS = 5000;

// ---------- preflight ----------

/** "3 to 6 min". */
export function durationRange(seconds: [number, number] | null): string {
  if (!seconds) return "not known yet";
  const [low, high] = seconds;
  if (high < 90) return `${Math.max(1, Math.round(low))} to ${Math.max(1, Math.round(high))} s`;
  const minutes = [Math.max(1, Math.floor(low / 60)), Math.max(1, Math.ceil(high / 60))] as const;
  return minutes[0] === minutes[1] ? `about ${minutes[0]} min` : `${minutes[0]} to ${minutes[1]} min`;
}

function foldsTable(preflight: Preflight): Child {
  if (!preflight.folds.length) return h("p", { class: "dim" }, "No folds can be made yet.");
  const rows = preflight.folds.map((fold, index) => [
    String(index + 1),
    number(fold.patients),
    number(fold.studies),
    number(fold.positives),
  ]);
  return dataTable(
    "Folds",
    [
      { label: "Fold" },
      { label: "Patients", num: true },
      { label: "Studies", num: true },
      { label: "Positive", num: true },
    ],
    rows,
  );
}

const MORE = ["more positive patient is", "more positive patients are"] as const;

function verdict(preflight: Preflight): HTMLElement {
  if (preflight.ok) return h("p", { class: "ok" }, icon("ok"), "Ready. Triage goes on as it is while this runs.");
  const missing =
    preflight.missing_positives > 0
      ? `${count(preflight.missing_positives, ...MORE)} needed before the folds can be filled.`
      : "";
  const reasons = preflight.reasons.length ? preflight.reasons : [missing];
  const missingMentioned = reasons.some((text) => text.includes(String(preflight.missing_positives)));
  return h(
    "div",
    { class: "message", role: "alert" },
    icon("bad"),
    h(
      "div",
      {},
      h("p", { class: "strong" }, "Retraining cannot start yet. Nothing was changed."),
      ...[...reasons, missingMentioned ? "" : missing].filter(Boolean).map((text) => h("p", {}, text)),
      h("p", { class: "dim" }, "Read or label more studies, then look again."),
    ),
  );
}

function showPreflight(preflight: Preflight): void {
  const slot = byId("preflight");
  slot.hidden = false;
  const leaks = preflight.leaks.length;
  fill(
    slot,
    h("header", {}, h("h2", { class: "h2", id: "preflight-title", tabindex: -1 }, "Preflight")),
    h(
      "div",
      { class: "body stack-4" },
      verdict(preflight),
      (preflight.notes ?? []).map((note) => h("p", { class: "notice" }, icon("info"), note)),
      h(
        "div",
        { class: "two" },
        h(
          "dl",
          { class: "kv" },
          numberPair("Patients", number(preflight.patients)),
          numberPair("Studies with a reference label", number(preflight.studies)),
          numberPair("Positive", number(preflight.positives)),
          numberPair(
            "Patients or twins in two folds",
            leaks ? h("span", { class: "bad" }, icon("bad"), `${leaks}: ${preflight.leaks.join(", ")}`) : "0",
          ),
          numberPair("Takes", durationRange(preflight.estimate_seconds)),
        ),
        foldsTable(preflight),
      ),
      h(
        "div",
        { class: "line" },
        h(
          "button",
          {
            class: "btn btn-primary",
            type: "button",
            id: "start",
            "aria-disabled": !preflight.ok ? "true" : null,
            onclick: () => preflight.ok && void start(),
          },
          "Start",
        ),
        h(
          "button",
          { class: "btn btn-quiet", type: "button", onclick: closePreflight },
          "Not now ",
          h("kbd", { class: "word" }, "Esc"),
        ),
        h("span", { class: "dim", id: "start-note" }),
      ),
    ),
  );
  byId(preflight.ok ? "start" : "preflight-title").focus();
}

function closePreflight(): void {
  byId("preflight").hidden = true;
  byId("retrain").focus();
}

async function check(): Promise<void> {
  polite("Checking what retraining would use");
  try {
    showPreflight(await api.get<Preflight>(`${RUNS}preflight/`));
  } catch (error) {
    problem("The preflight could not be made.", error);
  }
}

async function start(): Promise<void> {
  byId("start").setAttribute("aria-disabled", "true");
  try {
    const run = await api.post<Run>(RUNS);
    location.assign(`/training/${run.id}/`);
  } catch (error) {
    byId("start").removeAttribute("aria-disabled");
    problem("The run was not started. Nothing was changed.", error);
  }
}

function problem(title: string, error: unknown): void {
  if (error instanceof ApiError && error.signedOut) return;
  const slot = byId("problem");
  fill(slot, errorMessage(`${title} ${reason(error)}`));
}

// ---------- lists ----------

const STATUS: Record<Run["status"], ["ok" | "bad" | "play" | "dots", string]> = {
  queued: ["dots", "Queued"],
  running: ["play", "Running"],
  done: ["ok", "Done"],
  failed: ["bad", "Failed"],
  cancelled: ["bad", "Cancelled"],
};

export function statusSign(status: Run["status"]): HTMLElement {
  const [sign, word] = STATUS[status];
  const tone = status === "failed" ? "bad" : status === "running" ? "warn strong" : "ok";
  return h("span", { class: tone }, icon(sign), word);
}

function runRow(run: Run): Child[] {
  const seconds =
    run.started_at && run.finished_at ? (Date.parse(run.finished_at) - Date.parse(run.started_at)) / 1000 : null;
  const auroc = run.report?.auroc;
  return [
    h("a", { href: `/training/${run.id}/` }, `Run ${run.id}`),
    statusSign(run.status),
    when(run.created_at) ?? "–",
    nameOf(run.created_by) ?? "–",
    duration(seconds) ?? "–",
    ratio(auroc?.pooled) ?? "–",
    interval(auroc?.interval) ?? "–",
    ratio(run.report?.pr_auc?.pooled) ?? "–",
  ];
}

const RUN_COLUMNS = [
  { label: "Run" },
  { label: "State" },
  { label: "Begun" },
  { label: "By" },
  { label: "Took", num: true },
  { label: "AUROC", num: true },
  { label: "95 % interval", num: true },
  { label: "PR-AUC", num: true },
];

function showRuns(runs: Run[]): void {
  const slot = byId("runs");
  if (!runs.length)
    fill(
      slot,
      h("p", { class: "dim" }, "No run yet. Retrain uses the reference labels that readers have made so far."),
    );
  else fill(slot, dataTable("Training runs, newest first", RUN_COLUMNS, runs.map(runRow)));
}

const STATES = { champion: "Champion: triages now", challenger: "Challenger", retired: "Retired" };

function modelRow(model: Model): Child[] {
  const state = model.state ?? "retired";
  const act =
    state === "champion"
      ? "–"
      : h(
          "button",
          {
            class: "btn",
            type: "button",
            onclick: () => void promote(model).then((done) => (done ? load() : undefined)),
          },
          state === "retired" ? "Bring back" : "Promote",
          h("span", { class: "vh" }, ` ${model.name}`),
        );
  return [
    [model.name, model.trained_on_phantoms ? h("span", { class: "badge" }, "phantoms") : null].flatMap((part) => [
      part,
      " ",
    ]),
    state === "champion" ? h("span", { class: "strong" }, STATES.champion) : STATES[state],
    when(model.created_at) ?? "–",
    model.promoted_at
      ? `${when(model.promoted_at)}${model.promotion_reason ? `: ${model.promotion_reason}` : ""}`
      : "–",
    act,
  ];
}

function showModels(models: Model[]): void {
  const slot = byId("models");
  if (!models.length) fill(slot, h("p", { class: "dim" }, "No model is installed: studies wait unscored."));
  else
    fill(
      slot,
      dataTable(
        "Model versions",
        [
          { label: "Model" },
          { label: "State" },
          { label: "Made" },
          { label: "Promoted" },
          { label: "Action", headingHidden: true },
        ],
        models.map(modelRow),
      ),
    );
}

async function load(): Promise<void> {
  try {
    const [runs, models] = await Promise.all([
      api.get<Run[] | { results: Run[] }>(RUNS),
      api.get<Model[] | { results: Model[] }>("/api/v1/models/"),
    ]);
    showRuns(listOf(runs));
    showModels(listOf(models));
    fill(byId("problem"));
  } catch (error) {
    problem("The lists could not be loaded. It is tried again by itself.", error);
    window.setTimeout(() => void load(), RETRY_MS);
  }
}

export function startList(): void {
  byId("retrain").addEventListener("click", () => void check());
  const GROUP = "Training";
  bind({ key: "r", label: "Retrain", group: GROUP, run: () => void check() });
  bind({
    key: "Escape",
    label: "Close the preflight",
    group: GROUP,
    run: closePreflight,
    when: () => !byId("preflight").hidden,
    bar: false,
  });
  let timer = 0;
  subscribe(["run", "model"], () => {
    window.clearTimeout(timer);
    timer = window.setTimeout(() => void load(), 200);
  });
  void load();
}
