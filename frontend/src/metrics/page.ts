/** How the model and the list are doing. */

import type { ChampionFigures, DayCount, DelayFigures as Delay, DelayBar, SiteMetrics } from "../api/schema";
import { ApiError, api, reason } from "../common/api";
import { hideBanner, showBanner } from "../common/banner";
import { type Bar, barChart, chartCard, csv, dataTable, saveText } from "../common/charts";
import { byId, type Child, fill, h } from "../common/dom";
import { subscribe } from "../common/events";
import { clock, count, duration, number, percent, when } from "../common/format";
import { bind } from "../common/keys";
import { keyFigure, scrollRegion } from "../common/parts";
import { inUseCard, unknownPrevalence } from "./in_use";
import { calibrationCard, kpiRow, measuredOn, measureRows, measuresCard, prCard, type Report, rocCard } from "./report";

const METRICS = "/api/v1/metrics/";
const SETTLE_MS = 2000;

/** The champion's curves as pairs, which is how charts draw them. */
type Metrics = Omit<SiteMetrics, "champion"> & {
  champion: (Omit<ChampionFigures, "report"> & { report: Report }) | null;
};

let current: Metrics | null = null;

function delayFigure(delay: Delay | null): HTMLElement {
  const median = duration(delay?.median);
  const note = delay?.n ? `p95 ${duration(delay.p95) ?? "–"}` : "no score yet";
  return keyFigure("Last image to flag, median", median, note);
}

function dayLabel(day: string): string {
  const [, month, date] = day.split("-");
  return month && date ? `${Number(date)}.${Number(month)}.` : day;
}

function daysCard(title: string, days: DayCount[], noun: string): HTMLElement {
  const bars: Bar[] = days.map(({ day, count: value }) => ({ label: dayLabel(day), value }));
  const total = days.reduce((sum, day) => sum + day.count, 0);
  const rows = [...days].reverse().map(({ day, count: value }) => [day, number(value)]);
  return chartCard({
    title,
    note: `${count(total, noun)} in ${count(days.length, "day")}`,
    chart: barChart({ title: `${title}, ${count(days.length, "day")}`, x: "day", y: `${noun}s`, bars }),
    table: scrollRegion(
      "scroll-y",
      `${title}, all days`,
      dataTable(title, [{ label: "Day" }, { label: title.split(" ")[0] ?? title, num: true }], rows),
    ),
    csv: () => ({
      filename: `${noun}s-per-day.csv`,
      columns: ["day", "count"],
      rows: days.map(({ day, count: value }) => [day, value]),
    }),
  });
}

function seconds(value: number): string {
  return value < 60 ? `${number(value, value < 10 && value % 1 ? 1 : 0)} s` : (duration(value) ?? "");
}

function binName(bin: DelayBar): string {
  const from = bin.from ?? 0;
  return bin.to === null || bin.to === undefined
    ? `${seconds(from)} and more`
    : `${seconds(from)} to ${seconds(bin.to)}`;
}

/** Where a value lies on an axis of equal-width bars, in bars from the left. */
export function barPosition(value: number, bins: readonly DelayBar[]): number {
  const index = bins.findIndex((bin) => bin.to === null || bin.to === undefined || value < bin.to);
  const bin = bins[index];
  if (!bin) return bins.length;
  const from = bin.from ?? 0;
  if (bin.to === null || bin.to === undefined || bin.to <= from) return index + 0.5;
  return index + Math.max(0, (value - from) / (bin.to - from));
}

function delayCard(delay: Delay): HTMLElement {
  const { histogram: bins, median, p95 } = delay;
  const marks = [
    { value: median, label: `median ${duration(median) ?? ""}` },
    { value: p95, label: `p95 ${duration(p95) ?? ""}` },
  ].flatMap(({ value, label }) => (value === null ? [] : [{ at: barPosition(value, bins), label }]));
  return chartCard({
    title: "Last image to flag",
    note: count(delay.n, "study", "studies"),
    chart: barChart({
      title: `Seconds from last image to flag, median ${duration(median) ?? "unknown"}`,
      x: "seconds, each bar from its left edge",
      y: "studies",
      bars: bins.map((bin) => ({ label: number(bin.from ?? 0), value: bin.count })),
      marks,
      between: true,
    }),
    table: dataTable(
      "Last image to flag",
      [{ label: "Time" }, { label: "Studies", num: true }],
      [
        ...bins.map((bin) => [binName(bin), number(bin.count)]),
        ["Median", duration(median) ?? "–"],
        ["95th percentile", duration(p95) ?? "–"],
      ],
    ),
    csv: () => ({
      filename: "last-image-to-flag.csv",
      columns: ["from_seconds", "to_seconds", "studies"],
      rows: bins.map((bin) => [bin.from ?? 0, bin.to ?? null, bin.count]),
    }),
  });
}

function subtitle({ champion }: Metrics): string {
  if (!champion?.model) return "No model triages now: studies wait unscored.";
  const { report, model } = champion;
  const promoted = model.promoted_at ? ` · champion since ${when(model.promoted_at)}` : "";
  if (!report?.n) return `${model.name}${promoted}`;
  const positives = report.n_positive ?? 0;
  const positive = `${number(positives)} positive (${percent(positives / report.n, 1)})`;
  return `${model.name}${promoted} · ${count(report.n, "study", "studies")}, ${positive} · out of fold`;
}

function modelCards({ champion, in_use: inUse }: Metrics): Child[] {
  const report = champion?.report;
  if (!report)
    return [h("p", { class: "dim" }, "There are no figures for the model: none has been cross-validated here.")];
  const curves = [rocCard(report, "champion"), prCard(report, "champion"), calibrationCard(report, "champion")].filter(
    (card) => card !== null,
  );
  return [
    inUse ? inUseCard({ ...inUse, perDay: inUse.studies_per_day }, report, "champion") : unknownPrevalence(),
    ...(measureRows(report).length ? [measuresCard(report, "champion")] : []),
    curves.length
      ? h("div", { class: "two" }, ...curves)
      : h("p", { class: "dim" }, "No curves are stored with this model."),
  ];
}

function draw(metrics: Metrics): void {
  current = metrics;
  const report = metrics.champion?.report ?? {};
  byId("subtitle").textContent = subtitle(metrics);
  const delay = metrics.last_image_to_flag;
  fill(
    byId("figures"),
    measuredOn(report, metrics.champion?.model?.trained_on_phantoms ?? false),
    kpiRow(report, [delayFigure(delay)]),
    ...modelCards(metrics),
    h("h2", { class: "h2" }, "The list"),
    h(
      "div",
      { class: "two" },
      daysCard("Reads per day", metrics.reads_per_day, "read"),
      daysCard("Scores per day", metrics.scores_per_day, "score"),
      delay?.histogram.length ? delayCard(delay) : null,
    ),
    h(
      "p",
      { class: "small dim" },
      "Intervals are 95 %, of the pooled out-of-fold value, by patient bootstrap. Research use only.",
    ),
  );
  byId("updated").textContent = `Updated ${clock(new Date(), true)}`;
}

async function load(): Promise<void> {
  try {
    draw(await api.get<Metrics>(METRICS));
    hideBanner("metrics");
  } catch (error) {
    if (error instanceof ApiError && error.signedOut) return;
    showBanner({
      name: "metrics",
      error: true,
      title: "The figures could not be loaded.",
      detail: reason(error),
      actions: [h("button", { class: "btn", type: "button", onclick: () => void load() }, "Try again")],
    });
  }
}

function download(): void {
  if (!current) return;
  const rows = measureRows(current.champion?.report ?? {}).map(({ name, measure }) => [
    name,
    measure.mean,
    measure.sd,
    measure.pooled,
    measure.interval?.[0] ?? null,
    measure.interval?.[1] ?? null,
  ]);
  const days = [
    ...current.reads_per_day.map((day) => [`reads ${day.day}`, day.count]),
    ...current.scores_per_day.map((day) => [`scores ${day.day}`, day.count]),
  ];
  saveText(
    "fontanelle-metrics.csv",
    csv(["figure", "value or mean", "sd", "pooled", "low", "high"], [...rows, ...days]),
  );
}

/** Events come in bursts; the figures need not follow each one, nor disturb somebody who reads a table. */
export function startMetrics(): void {
  let timer = 0;
  subscribe(["score", "read", "model"], (event) => {
    if (event.kind === "gap" || timer) return;
    timer = window.setTimeout(() => {
      timer = 0;
      if (!byId("figures").contains(document.activeElement)) void load();
    }, SETTLE_MS);
  });
  byId("download").addEventListener("click", download);
  const GROUP = "Metrics";
  bind({ key: "d", label: "Download", group: GROUP, run: download });
  bind({ key: "r", label: "Refresh", group: GROUP, run: () => void load() });
  void load();
}
