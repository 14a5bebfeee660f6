/** Estimates with their intervals, one row each, on one axis: a forest plot. */

import { linear, ticks } from "../common/charts";
import { type Child, s } from "../common/dom";
import { number } from "../common/format";
import { type Estimate, estimateText, short } from "./types";

export interface ForestRow {
  label: string;
  /** Drawn below one another in this order; the first is filled. */
  estimates: { name: string; estimate: Estimate | undefined }[];
}

const WIDTH = 430;
const LEFT = 132;
const RIGHT = 420;
/** As high as a row of the table beside it, and as far down. */
const ROW = 28;
const TOP = 26;

/** From a round number below the lowest end to 1; never less than 0 to 1. */
export function domainOf(rows: readonly ForestRow[]): [number, number] {
  const ends = rows.flatMap((row) =>
    row.estimates.flatMap(({ estimate }) => [estimate?.value ?? 0, estimate?.interval?.[0] ?? 0]),
  );
  return [Math.max(-1, Math.floor(Math.min(0, ...ends) * 5) / 5), 1];
}

function mark(estimate: Estimate | undefined, index: number, y: number, x: (value: number) => number): Child {
  if (estimate?.value == null) return s("text", { class: "none", x: LEFT + 8, y: y + 4 }, short(estimate?.why ?? ""));
  const at = x(Math.max(-1, estimate.value)).toFixed(1);
  const [line, dot] = index === 0 ? ["l1", "d1"] : ["l3", "d3"];
  const [low, high] = estimate.interval ?? [];
  const bar =
    low === undefined || high === undefined
      ? null
      : s("path", { class: line, d: `M${x(Math.max(-1, low)).toFixed(1)} ${y}H${x(high).toFixed(1)}` });
  return [bar, s("circle", { class: dot, cx: at, cy: y, r: 3.6 })];
}

export function forest(title: string, rows: readonly ForestRow[]): SVGSVGElement {
  const bottom = TOP + rows.length * ROW;
  const domain = domainOf(rows);
  const x = linear(domain, [LEFT, RIGHT]);
  const grid = ticks(domain).map((tick) => [
    s("path", { class: tick === 0 ? "axis" : "grid", d: `M${x(tick).toFixed(1)} ${TOP}V${bottom}` }),
    s("text", { x: x(tick).toFixed(1), y: bottom + 15, "text-anchor": "middle" }, number(tick, 1)),
  ]);
  const groups = rows.map((row, at) => {
    const middle = TOP + (at + 0.5) * ROW;
    const shown =
      row.estimates.length > 1 && row.estimates.every(({ estimate }) => estimate?.value == null)
        ? row.estimates.slice(0, 1)
        : row.estimates;
    const step = 10;
    const first = middle - ((shown.length - 1) * step) / 2;
    return s(
      "g",
      {},
      s(
        "title",
        {},
        `${row.label}: ${row.estimates.map(({ name, estimate }) => `${name} ${estimateText(estimate)}`).join(", ")}`,
      ),
      s("text", { class: "t", x: 0, y: middle + 4 }, row.label),
      ...shown.map(({ estimate }, index) => mark(estimate, index, first + index * step, x)),
    );
  });
  return s(
    "svg",
    { class: "chart forest", viewBox: `0 0 ${WIDTH} ${bottom + 20}`, role: "img", "aria-label": title },
    ...grid,
    ...groups,
  );
}
