/**
 * The heat map of a frame, after the commit only: contours with their numbers over the picture, in its own coordinates.
 * It shows what moved the score; it is neither a finding nor a localization.
 */

import type { FrameHeatMap, HeatMaps as HeatMapsAnswer } from "../../api/schema";
import { fill, s } from "../../common/dom";

/** `square` is left, top and side of the part of the picture that the network saw. */
export type HeatFrame = Omit<FrameHeatMap, "square"> & { square: [number, number, number] };
export type HeatMaps = Omit<HeatMapsAnswer, "frames"> & { frames: HeatFrame[] };

export const LEVELS = [0.2, 0.5, 0.8] as const;
const FINE = 48;

type Point = [number, number];

/** The coarse grid, interpolated; (u, v) run from 0 to 1 over the square, values lie at cell centres. */
export function sample(heat: readonly (readonly number[])[], u: number, v: number): number {
  const rows = heat.length;
  const columns = heat[0]?.length ?? 0;
  const x = Math.max(0, Math.min(columns - 1, u * columns - 0.5));
  const y = Math.max(0, Math.min(rows - 1, v * rows - 0.5));
  const [x0, y0] = [Math.floor(x), Math.floor(y)];
  const at = (row: number, column: number) => heat[Math.min(row, rows - 1)]?.[Math.min(column, columns - 1)] ?? 0;
  const upper = at(y0, x0) * (1 - (x - x0)) + at(y0, x0 + 1) * (x - x0);
  const lower = at(y0 + 1, x0) * (1 - (x - x0)) + at(y0 + 1, x0 + 1) * (x - x0);
  return upper * (1 - (y - y0)) + lower * (y - y0);
}

/** Pieces of the line where the map crosses a level, in units of the square (marching squares). */
export function contour(heat: readonly (readonly number[])[], level: number): [Point, Point][] {
  const pieces: [Point, Point][] = [];
  // A ring of zeros around the map closes every line at its edge.
  const value = (row: number, column: number) =>
    row < 0 || column < 0 || row > FINE || column > FINE ? 0 : sample(heat, column / FINE, row / FINE);
  for (let row = -1; row <= FINE; row++)
    for (let column = -1; column <= FINE; column++) pieces.push(...crossing(value, row, column, level));
  return pieces;
}

function crossing(
  value: (row: number, column: number) => number,
  row: number,
  column: number,
  level: number,
): [Point, Point][] {
  const corners: [number, number][] = [
    [row, column],
    [row, column + 1],
    [row + 1, column + 1],
    [row + 1, column],
  ];
  const values = corners.map(([r, c]) => value(r, c));
  const cuts: Point[] = [];
  for (let edge = 0; edge < 4; edge++) {
    const [a, b] = [values[edge] ?? 0, values[(edge + 1) % 4] ?? 0];
    if (a >= level === b >= level) continue;
    const share = (level - a) / (b - a);
    const [[r1, c1], [r2, c2]] = [corners[edge] as [number, number], corners[(edge + 1) % 4] as [number, number]];
    cuts.push([
      Math.max(0, Math.min(1, (c1 + (c2 - c1) * share) / FINE)),
      Math.max(0, Math.min(1, (r1 + (r2 - r1) * share) / FINE)),
    ]);
  }
  if (cuts.length === 2) return [[cuts[0] as Point, cuts[1] as Point]];
  return cuts.length === 4
    ? [
        [cuts[0] as Point, cuts[1] as Point],
        [cuts[2] as Point, cuts[3] as Point],
      ]
    : [];
}

export type ToScreen = (x: number, y: number) => Point;

export class HeatOverlay {
  readonly element = s("svg", { class: "heat", "aria-hidden": "true" });
  private shown: HeatFrame | null = null;

  /** Text for screen readers; empty where nothing is drawn. */
  get description(): string {
    return this.shown ? `heat map with contours at ${LEVELS.join(", ")}` : "";
  }

  /** Null hides it. */
  draw(frame: HeatFrame | null, place: ToScreen | null): void {
    this.shown = frame;
    if (!frame || !place) return fill(this.element);
    fill(this.element, ...LEVELS.flatMap((level) => this.line(frame, level, place)));
  }

  private line(frame: HeatFrame, level: number, place: ToScreen): SVGElement[] {
    const [left, top, side] = frame.square;
    const pieces = contour(frame.heat, level).map(
      ([a, b]) => [place(left + a[0] * side, top + a[1] * side), place(left + b[0] * side, top + b[1] * side)] as const,
    );
    if (!pieces.length) return [];
    const path = pieces
      .map(([a, b]) => `M${a[0].toFixed(1)} ${a[1].toFixed(1)}L${b[0].toFixed(1)} ${b[1].toFixed(1)}`)
      .join("");
    const right = pieces.flat().reduce((best, point) => (point[0] > best[0] ? point : best));
    const name = String(level).replace("0.", ".");
    return [
      s("path", { class: level < 0.5 ? "heat-l lo" : "heat-l", d: path }),
      s("text", { class: "heat-t", x: right[0] + 3, y: right[1] + 4 }, name),
    ];
  }
}
