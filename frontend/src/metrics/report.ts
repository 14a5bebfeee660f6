/** A cross-validation's report as cards: figures with their intervals, curves with their tables. */

import type { ReliabilityBin, Report as ReportAnswer, ReportMeasure, ReportPoint } from "../api/schema";
import { chartCard, csvButton, dataTable, legend, type Point, type Sheet, xyChart } from "../common/charts";
import { type Child, h, icon } from "../common/dom";
import { interval, number, percent, ratio } from "../common/format";
import { card, keyFigure, scrollRegion } from "../common/parts";

/** One measure: over folds, pooled, and the 95 % interval of the pooled value by patient bootstrap. */
export type Measure = ReportMeasure;
export type OperatingMeasures = ReportPoint;
export type Bin = ReliabilityBin;

export interface Curve {
  per_fold: Point[][];
  pooled: Point[];
}

/** A report without what a listed one lacks; points of its curves are pairs. */
export type Report = Partial<Omit<ReportAnswer, "curves">> & { curves?: { roc: Curve; pr: Curve } };

const TARGET = "target_0.90";

export function targetOf(report: Report): OperatingMeasures | null {
  return report.operating_points?.[TARGET] ?? null;
}

function measureFigure(label: string, measure: Measure | null | undefined): HTMLElement {
  const value = ratio(measure?.pooled ?? measure?.mean);
  return keyFigure(label, value, interval(measure?.interval) ?? (value ? "no interval" : "not measured"));
}

/** The key figures in a row, each with its interval. */
export function kpiRow(report: Report, more: HTMLElement[] = []): HTMLElement {
  const target = targetOf(report);
  const { calibration } = report;
  const cells = [
    measureFigure("AUROC", report.auroc),
    measureFigure("PR-AUC", report.pr_auc),
    measureFigure("Sensitivity, 0.90 promised", target?.sensitivity),
    measureFigure("Specificity there", target?.specificity),
    keyFigure(
      "Calibration slope",
      ratio(calibration?.slope),
      calibration?.brier == null ? "not measured" : `Brier ${ratio(calibration.brier, 3)}`,
    ),
    ...more,
  ];
  return h("div", { class: cells.length === 6 ? "kpis" : "kpis five" }, ...cells);
}

/** A notice of the data the figures were measured on; it warns where they are phantoms. */
export function measuredOn(report: Report, phantoms = false): HTMLElement | null {
  const text = report.measured_on ?? "";
  const generated = phantoms || /phantom/i.test(text);
  if (!text && !generated) return null;
  const words = generated
    ? `Measured on phantoms (generated images): it says nothing about infants.${text ? ` ${text}` : ""}`
    : `Measured on: ${text}`;
  return h("p", { class: "notice" }, icon("info"), words);
}

interface MeasureRow {
  name: string;
  measure: Measure;
}

export const POINT_NAMES: Record<string, string> = {
  youden: "Youden",
  [TARGET]: "target 0.90",
  "target_0.90_pac": "target 0.90, with confidence",
  "target_0.90_cross_conformal": "target 0.90, cross-conformal",
};

export function measureRows(report: Report): MeasureRow[] {
  const rows: MeasureRow[] = [];
  const add = (name: string, measure: Measure | undefined) => measure && rows.push({ name, measure });
  add("AUROC", report.auroc);
  add("PR-AUC", report.pr_auc);
  add("Accuracy at 0.5", report.accuracy);
  for (const [point, measures] of Object.entries(report.operating_points ?? {})) {
    const words = POINT_NAMES[point] ?? point;
    add(`Sensitivity, ${words}`, measures.sensitivity);
    add(`Specificity, ${words}`, measures.specificity);
  }
  return rows;
}

function meanSd({ mean, sd }: Measure): string {
  const centre = ratio(mean);
  if (centre === null) return "–";
  const spread = ratio(sd);
  return spread === null ? centre : `${centre} ± ${spread}`;
}

function foldCount(report: Report): number {
  return Math.max(0, ...measureRows(report).map(({ measure }) => measure.per_fold.length));
}

/** Every measure: each fold, mean ± SD, pooled, interval. */
export function measuresCard(report: Report, name: string): HTMLElement {
  const rows = measureRows(report);
  const folds = Array.from({ length: foldCount(report) }, (_, index) => `Fold ${index + 1}`);
  const columns = [
    { label: "Measure" },
    ...folds.map((label) => ({ label, num: true })),
    { label: "Mean ± SD", num: true },
    { label: "Pooled", num: true },
    { label: "95 % interval", num: true },
  ];
  const cells = rows.map(({ name: measureName, measure }) => [
    measureName,
    ...folds.map((_, index) => ratio(measure.per_fold[index]) ?? "–"),
    meanSd(measure),
    ratio(measure.pooled) ?? "–",
    interval(measure.interval) ?? "–",
  ]);
  const sheet = (): Sheet => ({
    filename: `${name}-measures.csv`,
    columns: ["measure", ...folds, "mean", "sd", "pooled", "low", "high"],
    rows: rows.map(({ name: measureName, measure }) => [
      measureName,
      ...folds.map((_, index) => measure.per_fold[index] ?? null),
      measure.mean,
      measure.sd,
      measure.pooled,
      measure.interval?.[0] ?? null,
      measure.interval?.[1] ?? null,
    ]),
  });
  return card(
    { title: "Measures", note: "out of fold · intervals by patient bootstrap", right: [csvButton("Measures", sheet)] },
    scrollRegion("body overflow-x", "Measures by fold", dataTable("Measures by fold", columns, cells)),
  );
}

const TENTHS = [0, 0.2, 0.4, 0.6, 0.8, 1];
const UNIT = { domain: [0, 1] as Point, ticks: TENTHS };

function pointRow(name: string, measure: Measure | undefined): Child[] | null {
  return measure ? [name, ratio(measure.pooled) ?? "–", interval(measure.interval) ?? "–"] : null;
}

function operatingMark(report: Report): { at: Point; interval: Point | null } | null {
  const target = targetOf(report);
  const sensitivity = target?.sensitivity.pooled ?? null;
  const specificity = target?.specificity.pooled ?? null;
  if (sensitivity === null || specificity === null) return null;
  const [low, high] = target?.sensitivity.interval ?? [];
  return { at: [1 - specificity, sensitivity], interval: low == null || high == null ? null : [low, high] };
}

function curveSheet(filename: string, columns: [string, string], curve: Curve): Sheet {
  const rows = [
    ...curve.pooled.map(([x, y]) => ["pooled", x, y] as const),
    ...curve.per_fold.flatMap((points, index) => points.map(([x, y]) => [`fold ${index + 1}`, x, y] as const)),
  ];
  return { filename, columns: ["curve", ...columns], rows };
}

function pointsTable(report: Report, first: [string, Measure | undefined], thresholds = true): HTMLElement {
  const target = report.operating_points?.[TARGET];
  const youden = report.operating_points?.["youden"];
  const rows = [
    pointRow(...first),
    pointRow("Sensitivity, target 0.90", target?.sensitivity),
    pointRow("Specificity, target 0.90", target?.specificity),
    pointRow("Sensitivity, Youden", youden?.sensitivity),
    pointRow("Specificity, Youden", youden?.specificity),
    ...(thresholds
      ? Object.entries(report.deployed?.operating_points ?? {}).map(([name, point]) => [
          `Threshold, ${POINT_NAMES[name] ?? name}`,
          number(point.threshold, 3),
          "",
        ])
      : []),
  ].filter((row) => row !== null);
  return dataTable(
    first[0],
    [
      { label: "Figure", headingHidden: true },
      { label: "Pooled", num: true },
      { label: "95 % interval", num: true },
    ],
    rows,
  );
}

function seriesLegend(folds: number): Child[] {
  return [legend("l1", "pooled"), folds ? legend("faint", "folds") : null];
}

export function rocCard(report: Report, name: string): HTMLElement | null {
  const curve = report.curves?.roc;
  if (!curve) return null;
  const mark = operatingMark(report);
  return chartCard({
    title: "ROC",
    legend: [...seriesLegend(curve.per_fold.length), mark ? legend("op", "operating point") : null],
    chart: xyChart({
      title: `ROC curve, AUROC ${ratio(report.auroc?.pooled) ?? "unknown"}`,
      x: { label: "1 − specificity", ...UNIT },
      y: { label: "sensitivity", ...UNIT },
      refs: [{ from: [0, 0], to: [1, 1] }],
      series: [
        ...curve.per_fold.map((points) => ({ points, style: "faint" as const })),
        { points: curve.pooled, style: "l1" },
      ],
      marks: mark ? [mark] : [],
    }),
    table: pointsTable(report, ["AUROC", report.auroc]),
    csv: () => curveSheet(`${name}-roc.csv`, ["false_positive_rate", "sensitivity"], curve),
  });
}

/** Precision among those at or above each recall, read off the pooled curve. */
export function precisionAt(points: readonly Point[], recall: number): number | null {
  const atRecall = points.filter(([at]) => at >= recall - 1e-9);
  return atRecall.length ? Math.max(...atRecall.map(([, precision]) => precision)) : null;
}

export function prCard(report: Report, name: string): HTMLElement | null {
  const curve = report.curves?.pr;
  if (!curve) return null;
  const prevalence = report.n && report.n_positive !== undefined ? report.n_positive / report.n : null;
  const rows: Child[][] = [
    ["PR-AUC", ratio(report.pr_auc?.pooled) ?? "–", interval(report.pr_auc?.interval) ?? "–"],
    ...[0.5, 0.7, 0.9].map((recall) => [
      `Precision at recall ${recall.toFixed(2)}`,
      ratio(precisionAt(curve.pooled, recall)) ?? "–",
      "",
    ]),
    [
      "Share of positives here",
      prevalence === null ? "–" : percent(prevalence, 1),
      report.n ? `${number(report.n_positive ?? 0)} of ${number(report.n)}` : "",
    ],
  ];
  return chartCard({
    title: "Precision and recall",
    legend: seriesLegend(curve.per_fold.length),
    chart: xyChart({
      title: `Precision-recall curve, PR-AUC ${ratio(report.pr_auc?.pooled) ?? "unknown"}`,
      x: { label: "recall (sensitivity)", ...UNIT },
      y: { label: "precision (PPV)", ...UNIT },
      refs:
        prevalence === null
          ? []
          : [{ from: [0, prevalence], to: [1, prevalence], label: `positives ${percent(prevalence, 1)}` }],
      series: [
        ...curve.per_fold.map((points) => ({ points, style: "faint" as const })),
        { points: curve.pooled, style: "l1" },
      ],
    }),
    table: dataTable(
      "Precision and recall",
      [
        { label: "Figure", headingHidden: true },
        { label: "Pooled", num: true },
        { label: "95 % interval", num: true },
      ],
      rows,
    ),
    csv: () => curveSheet(`${name}-pr.csv`, ["recall", "precision"], curve),
  });
}

export function calibrationCard(report: Report, name: string): HTMLElement | null {
  const { calibration } = report;
  const bins = calibration?.bins;
  if (!calibration || !bins?.length) return null;
  const points = bins.map((bin) => [bin.predicted, bin.observed] as const);
  return chartCard({
    title: "Calibration",
    note: `slope ${ratio(calibration.slope) ?? "–"} · Brier ${ratio(calibration.brier, 3) ?? "–"}`,
    chart: xyChart({
      title: "Calibration: observed share against predicted probability",
      x: { label: "predicted probability", ...UNIT },
      y: { label: "observed share", ...UNIT },
      refs: [{ from: [0, 0], to: [1, 1] }],
      series: [{ points, style: "l1", dots: true }],
    }),
    table: dataTable(
      "Calibration by bin",
      [{ label: "Predicted, mean" }, { label: "Observed", num: true }, { label: "Studies", num: true }],
      bins.map((bin) => [ratio(bin.predicted, 3) ?? "–", ratio(bin.observed, 3) ?? "–", number(bin.n)]),
    ),
    csv: () => ({
      filename: `${name}-calibration.csv`,
      columns: ["predicted", "observed", "n"],
      rows: bins.map((bin) => [bin.predicted, bin.observed, bin.n]),
    }),
  });
}
