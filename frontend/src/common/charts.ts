/**
 * Small SVG charts. Each stands beside a table of its numbers, which can be downloaded; nothing is only in the picture.
 */

import { type Child, h, s } from "./dom";
import { number } from "./format";
import { card, scrollRegion } from "./parts";

export type Point = readonly [number, number];
export type Scale = (value: number) => number;

/** A straight map from domain to range; an empty domain goes to the middle. */
export function linear([d0, d1]: Point, [r0, r1]: Point): Scale {
  if (d1 === d0) return () => (r0 + r1) / 2;
  return (value) => r0 + ((value - d0) / (d1 - d0)) * (r1 - r0);
}

/** About `count` round values that lie within the domain: steps of 1, 2 or 5 times a power of ten. */
export function ticks([low, high]: Point, count = 5): number[] {
  if (!(high > low)) return [low];
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= rough * 0.999) ?? 10);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, index) => Number(((first + index) * step).toPrecision(12)));
}

/** The smallest round number that is not below the value, for the top of an axis of counts. */
export function roundUp(value: number): number {
  if (value <= 4) return Math.max(1, Math.ceil(value));
  const power = 10 ** Math.floor(Math.log10(value));
  return power * ([1, 1.5, 2, 3, 4, 5, 6, 8, 10].find((factor) => factor * power >= value) ?? 10);
}

/** An SVG path through the points; `step` keeps each value until the next one, as a ROC curve of a finite set does. */
export function linePath(points: readonly Point[], x: Scale, y: Scale, step = false): string {
  return points
    .map(([px, py], index) => {
      const [cx, cy] = [x(px).toFixed(1), y(py).toFixed(1)];
      if (index === 0) return `M${cx} ${cy}`;
      return step ? `H${cx}V${cy}` : `L${cx} ${cy}`;
    })
    .join("");
}

export interface Axis {
  label: string;
  domain: Point;
  format?: (value: number) => string;
  ticks?: number[];
}

export interface Series {
  points: readonly Point[];
  style: "l1" | "l2" | "l3" | "faint";
  step?: boolean;
  dots?: boolean;
}

export interface Mark {
  at: Point;
  /** Vertical extent of an interval around it. */
  interval?: Point | null;
}

export interface XyChart {
  title: string;
  x: Axis;
  y: Axis;
  series: Series[];
  marks?: Mark[];
  /** Dotted lines of reference, in data coordinates. */
  refs?: readonly { from: Point; to: Point; label?: string }[];
  wide?: boolean;
}

interface Plot {
  width: number;
  height: number;
  left: number;
  right: number;
  top: number;
  bottom: number;
}

const SQUARE: Plot = { width: 330, height: 246, left: 30, right: 322, top: 24, bottom: 210 };
const WIDE: Plot = { width: 660, height: 246, left: 36, right: 652, top: 24, bottom: 210 };

function tickText(axis: Axis, value: number): string {
  return axis.format ? axis.format(value) : String(value);
}

function yAxis(plot: Plot, axis: Axis, y: Scale): Child[] {
  return (axis.ticks ?? ticks(axis.domain)).flatMap((value) => [
    s("path", { class: "grid", d: `M${plot.left} ${y(value).toFixed(1)}H${plot.right}` }),
    s("text", { x: plot.left - 6, y: (y(value) + 4).toFixed(1), "text-anchor": "end" }, tickText(axis, value)),
  ]);
}

function xAxis(plot: Plot, axis: Axis, x: Scale): Child[] {
  return (axis.ticks ?? ticks(axis.domain)).map((value) =>
    s("text", { x: x(value).toFixed(1), y: plot.bottom + 15, "text-anchor": "middle" }, tickText(axis, value)),
  );
}

function canvas(title: string, plot: Plot, xLabel: string, yLabel: string, ...children: Child[]): SVGSVGElement {
  return s(
    "svg",
    { class: "chart", viewBox: `0 0 ${plot.width} ${plot.height}`, role: "img", "aria-label": title },
    s("text", { x: 0, y: 10 }, yLabel),
    ...children,
    s("path", { class: "axis", d: `M${plot.left} ${plot.top}V${plot.bottom}H${plot.right}` }),
    s("text", { x: (plot.left + plot.right) / 2, y: plot.height - 3, "text-anchor": "middle" }, xLabel),
  );
}

function drawSeries(series: Series, x: Scale, y: Scale): Child[] {
  const line = s("path", { class: series.style, d: linePath(series.points, x, y, series.step ?? false) });
  if (!series.dots) return [line];
  return [
    line,
    ...series.points.map(([px, py]) =>
      s("circle", { class: "d1", cx: x(px).toFixed(1), cy: y(py).toFixed(1), r: 3.2 }),
    ),
  ];
}

function drawMark(mark: Mark, x: Scale, y: Scale): Child[] {
  const [cx, cy] = [x(mark.at[0]), y(mark.at[1])];
  const bar = mark.interval
    ? s("path", {
        class: "opx",
        d: `M${cx.toFixed(1)} ${y(mark.interval[0]).toFixed(1)}V${y(mark.interval[1]).toFixed(1)}`,
      })
    : null;
  return [bar, s("circle", { class: "op", cx: cx.toFixed(1), cy: cy.toFixed(1), r: 5 })];
}

function drawRef(ref: { from: Point; to: Point; label?: string }, x: Scale, y: Scale): Child[] {
  const line = s("path", { class: "ref", d: linePath([ref.from, ref.to], x, y) });
  const text = ref.label ? s("text", { x: x(ref.from[0]) + 5, y: y(ref.from[1]) - 5 }, ref.label) : null;
  return [line, text];
}

/** Lines over two continuous axes: curves, reliability, trends. */
export function xyChart(chart: XyChart): SVGSVGElement {
  const plot = chart.wide ? WIDE : SQUARE;
  const x = linear(chart.x.domain, [plot.left, plot.right]);
  const y = linear(chart.y.domain, [plot.bottom, plot.top]);
  return canvas(
    chart.title,
    plot,
    chart.x.label,
    chart.y.label,
    yAxis(plot, chart.y, y),
    xAxis(plot, chart.x, x),
    ...(chart.refs ?? []).map((ref) => drawRef(ref, x, y)),
    ...chart.series.map((series) => drawSeries(series, x, y)),
    ...(chart.marks ?? []).map((mark) => drawMark(mark, x, y)),
  );
}

export interface Bar {
  label: string;
  value: number;
}

/** On the side of the line that has room for it. */
function markLabel(plot: Plot, x: number, index: number, label: string): SVGTextElement {
  const left = x > (plot.left + plot.right) / 2;
  return s(
    "text",
    {
      class: "halo",
      x: (left ? x - 5 : x + 5).toFixed(1),
      y: plot.top + 10 + index * 14,
      "text-anchor": left ? "end" : "start",
    },
    label,
  );
}

/** One bar per category or day; labels thin out where they would touch. */
export function barChart(chart: {
  title: string;
  x: string;
  y: string;
  bars: readonly Bar[];
  marks?: readonly { at: number; label: string }[];
  between?: boolean;
}): SVGSVGElement {
  const top = roundUp(Math.max(0, ...chart.bars.map((bar) => bar.value)));
  const plot = SQUARE;
  const y = linear([0, top], [plot.bottom, plot.top]);
  const x = linear([0, Math.max(1, chart.bars.length)], [plot.left, plot.right]);
  const every = Math.ceil(chart.bars.length / 6);
  const width = Math.max(1, x(1) - x(0) - 2);
  const bars = chart.bars.map((bar, index) =>
    s("rect", {
      class: "hist",
      x: (x(index) + 1).toFixed(1),
      y: y(bar.value).toFixed(1),
      width: width.toFixed(1),
      height: Math.max(0, plot.bottom - y(bar.value)).toFixed(1),
    }),
  );
  const labels = chart.bars.map((bar, index) =>
    index % every === 0
      ? s(
          "text",
          { x: x(index + (chart.between ? 0 : 0.5)).toFixed(1), y: plot.bottom + 15, "text-anchor": "middle" },
          bar.label,
        )
      : null,
  );
  const marks = (chart.marks ?? []).map((mark, index) => [
    s("path", { class: "opx", d: `M${x(mark.at).toFixed(1)} ${plot.top}V${plot.bottom}` }),
    markLabel(plot, x(mark.at), index, mark.label),
  ]);
  const whole = ticks([0, top], 4).filter((tick) => Number.isInteger(tick));
  return canvas(
    chart.title,
    plot,
    chart.x,
    chart.y,
    yAxis(plot, { label: chart.y, domain: [0, top], ticks: whole, format: (tick) => number(tick) }, y),
    bars,
    labels,
    marks,
  );
}

export type Cell = string | number | null;

export interface Column {
  label: string;
  /** A number: right-aligned. */
  num?: boolean;
  /** The heading is for screen readers only. */
  headingHidden?: boolean;
}

/** A plain table. A first cell of each row heads it; null is unknown. */
export function dataTable(
  caption: string,
  columns: readonly Column[],
  rows: readonly (readonly Child[])[],
): HTMLTableElement {
  const align = (index: number) => (columns[index]?.num ? "num" : null);
  const cell = (value: Child, index: number) =>
    index === 0
      ? h("th", { scope: "row", class: align(index) }, value)
      : h("td", { class: align(index) }, value ?? "–");
  return h(
    "table",
    { class: "table" },
    h("caption", { class: "vh" }, caption),
    h(
      "thead",
      {},
      h(
        "tr",
        {},
        ...columns.map((column, index) =>
          h(
            "th",
            { scope: "col", class: align(index) },
            column.headingHidden ? h("span", { class: "vh" }, column.label) : column.label,
          ),
        ),
      ),
    ),
    h("tbody", {}, ...rows.map((row) => h("tr", {}, ...row.map(cell)))),
  );
}

function csvCell(value: Cell): string {
  if (value === null) return "";
  if (typeof value === "number") return String(value);
  // Spreadsheets run a text that begins like a formula.
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** RFC 4180 text, full precision, with a header line. */
export function csv(columns: readonly string[], rows: readonly (readonly Cell[])[]): string {
  return `${[columns, ...rows].map((row) => row.map(csvCell).join(",")).join("\r\n")}\r\n`;
}

export function saveText(filename: string, text: string, type = "text/csv"): void {
  const url = URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` }));
  const link = h("a", { href: url, download: filename });
  link.click();
  window.setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

export interface Sheet {
  filename: string;
  columns: readonly string[];
  rows: readonly (readonly Cell[])[];
}

/** A button that saves the numbers behind a chart or table. */
export function csvButton(subject: string, sheet: () => Sheet): HTMLButtonElement {
  const save = () => {
    const { filename, columns, rows } = sheet();
    saveText(filename, csv(columns, rows));
  };
  return h(
    "button",
    { class: "link small", type: "button", onclick: save },
    "CSV",
    h("span", { class: "vh" }, ` of ${subject}`),
  );
}

/** The sign of a series beside its name. */
export function legend(style: "l1" | "l2" | "l3" | "faint" | "op", name: string): HTMLElement {
  const sign =
    style === "op" ? s("circle", { class: "op", cx: 10, cy: 5, r: 3.8 }) : s("path", { class: style, d: "M0 5h20" });
  return h(
    "span",
    { class: "key" },
    s("svg", { class: "chart", viewBox: "0 0 20 10", "aria-hidden": "true" }, sign),
    name,
  );
}

export interface ChartCard {
  title: string;
  note?: string;
  legend?: Child[];
  chart: Child;
  table: Child;
  csv: () => Sheet;
}

/** A chart, the table of its numbers beside it, and their download. */
export function chartCard(chart: ChartCard): HTMLElement {
  const { title, note } = chart;
  return card(
    { title, note, right: [...(chart.legend ?? []), csvButton(title, chart.csv)] },
    h(
      "div",
      { class: "body chart-row" },
      h("div", {}, chart.chart),
      scrollRegion("beside", `${title}, table`, chart.table),
    ),
  );
}
