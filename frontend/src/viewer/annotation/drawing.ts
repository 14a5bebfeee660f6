/** Drawings as data: how each is made, moved, hit and named. Points are image pixels; see `measure.ts`. */

import type { Drawing as DrawingAnswer } from "../../api/schema";
import { number } from "../../common/format";
import type { Region } from "../types";
import { axes, distance, type Measured, measure, type Point, type Preset, type Tool } from "./measure";

export type Side = DrawingAnswer["side"];

/** A drawing with its points as pairs. `measured` is the server's own answer, after a commit. */
export type Drawing = Omit<DrawingAnswer, "points"> & { points: readonly Point[] };

export const TOOLS: readonly [Tool, string][] = [
  ["length", "Length"],
  ["angle", "Angle"],
  ["ellipse", "Ellipse"],
  ["freehand", "Freehand"],
  ["box", "Box"],
  ["point", "Point"],
  ["arrow", "Arrow with text"],
];

export interface PresetFacts {
  name: string;
  short: string;
  perSide: boolean;
  how: string;
}

export const PRESETS: Record<Exclude<Preset, "">, PresetFacts> = {
  vi: {
    name: "Ventricular index",
    short: "VI",
    perSide: true,
    how: "Coronal at the foramen of Monro: from the falx to the lateral wall of the ventricle.",
  },
  ahw: {
    name: "Anterior horn width",
    short: "AHW",
    perSide: true,
    how: "Same plane: across the anterior horn at its widest, on the diagonal.",
  },
  tod: {
    name: "Thalamo-occipital distance",
    short: "TOD",
    perSide: true,
    how: "Parasagittal: from the end of the thalamus to the end of the occipital horn.",
  },
  third_ventricle: {
    name: "Third ventricle width",
    short: "3rd",
    perSide: false,
    how: "Coronal: across the third ventricle at its widest.",
  },
  ri: {
    name: "Resistive index",
    short: "RI",
    perSide: false,
    how: "On a Doppler trace: first the systolic peak, then the end of diastole.",
  },
};

const MOST_POINTS = 256;
const POINTS: Record<Tool, number> = { length: 2, angle: 3, ellipse: 4, freehand: 3, box: 2, point: 1, arrow: 2 };
/** A drawing smaller than this, in image pixels, is discarded. */
const SMALLEST_PX = 0.75;

export interface DrawingKind {
  tool: Tool;
  preset: Preset;
  side: Side;
}

/** Every preset as it can be chosen; those that are measured per side appear twice. */
export const KINDS: readonly DrawingKind[] = (Object.keys(PRESETS) as Exclude<Preset, "">[]).flatMap(
  (preset): DrawingKind[] => {
    const { perSide } = PRESETS[preset];
    return perSide
      ? [
          { tool: "length", preset, side: "right" },
          { tool: "length", preset, side: "left" },
        ]
      : [{ tool: "length", preset, side: "" }];
  },
);

function round(point: Point): Point {
  return [Math.round(point[0] * 100) / 100, Math.round(point[1] * 100) / 100];
}

function plus(a: Point, b: Point): Point {
  return [a[0] + b[0], a[1] + b[1]];
}

function minus(a: Point, b: Point): Point {
  return [a[0] - b[0], a[1] - b[1]];
}

/** `crypto.randomUUID` exists on secure origins only; a hospital's intranet may have none. */
export function newUid(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The points of a drawing that is dragged from one point to another. */
export function pointsOfDrag(tool: Tool, from: Point, to: Point): Point[] {
  if (tool === "point") return [round(to)];
  if (tool === "ellipse") {
    const middle: Point = [(from[0] + to[0]) / 2, (from[1] + to[1]) / 2];
    return [
      [from[0], middle[1]],
      [to[0], middle[1]],
      [middle[0], from[1]],
      [middle[0], to[1]],
    ].map((point) => round(point as unknown as Point));
  }
  if (tool === "angle") {
    // The second arm begins at 60 degrees, so that its handle can be reached.
    const [dx, dy] = minus(from, to);
    const third: Point = [to[0] + dx / 2 - dy * 0.866, to[1] + dy / 2 + dx * 0.866];
    return [from, to, third].map(round);
  }
  return [from, to].map(round);
}

/**
 * The points with one of them moved. The ends of an ellipse's axis mirror each other,
 * and the other axis stays perpendicular to it.
 */
export function withPointMoved(tool: Tool, points: readonly Point[], index: number, to: Point): Point[] {
  if (tool !== "ellipse") return points.map((point, at) => (at === index ? round(to) : point));
  const { centre, u, v } = axes(points);
  const first = index < 2;
  const arm = index % 2 ? minus(to, centre) : minus(centre, to);
  const across = Math.hypot(...(first ? v : u));
  const reach = Math.hypot(...arm) || 1;
  const upright: Point = first
    ? [(-arm[1] / reach) * across, (arm[0] / reach) * across]
    : [(arm[1] / reach) * across, (-arm[0] / reach) * across];
  const [newU, newV] = first ? [arm, upright] : [upright, arm];
  return [minus(centre, newU), plus(centre, newU), minus(centre, newV), plus(centre, newV)].map(round);
}

export function shifted(points: readonly Point[], by: Point): Point[] {
  return points.map((point) => round(plus(point, by)));
}

/** The line to draw, in image pixels: an ellipse as many short pieces. */
export function outline(tool: Tool, points: readonly Point[]): { line: Point[]; closed: boolean } {
  if (tool === "box") {
    const [a = [0, 0], b = a] = points as [Point, Point];
    return { line: [a, [b[0], a[1]], b, [a[0], b[1]]], closed: true };
  }
  if (tool === "ellipse") {
    const { centre, u, v } = axes(points);
    const line = Array.from({ length: 72 }, (_, at): Point => {
      const angle = (at * Math.PI) / 36;
      return [
        centre[0] + u[0] * Math.cos(angle) + v[0] * Math.sin(angle),
        centre[1] + u[1] * Math.cos(angle) + v[1] * Math.sin(angle),
      ];
    });
    return { line, closed: true };
  }
  return { line: [...points], closed: tool === "freehand" };
}

function fromSegment(p: Point, a: Point, b: Point): number {
  const [abx, aby] = minus(b, a);
  const along = ((p[0] - a[0]) * abx + (p[1] - a[1]) * aby) / (abx * abx + aby * aby || 1);
  const t = Math.max(0, Math.min(1, along));
  return Math.hypot(p[0] - a[0] - t * abx, p[1] - a[1] - t * aby);
}

/** How far a point is from the line of a drawing, in the units of both. */
export function distanceToLine(p: Point, line: readonly Point[], closed: boolean): number {
  if (line.length === 1) return distance(p, line[0] ?? [0, 0]);
  const ends = closed ? [...line, line[0] ?? [0, 0]] : line;
  return Math.min(...ends.slice(1).map((b, at) => fromSegment(p, ends[at] ?? b, b)));
}

/** Douglas and Peucker: the fewest of the points that stay within the tolerance. */
export function simplified(points: readonly Point[], tolerance: number): Point[] {
  const [first, last] = [points[0], points.at(-1)];
  if (points.length < 3 || !first || !last) return [...points];
  let far = 0;
  let at = 0;
  points.forEach((point, index) => {
    const off = fromSegment(point, first, last);
    if (off > far) [far, at] = [off, index];
  });
  if (far <= tolerance) return [first, last];
  return [...simplified(points.slice(0, at + 1), tolerance).slice(0, -1), ...simplified(points.slice(at), tolerance)];
}

/** A freehand line simplified to at most 256 points. */
export function simplifiedTrace(points: readonly Point[]): Point[] {
  let tolerance = 0.25;
  let trace = simplified(points, tolerance);
  while (trace.length > MOST_POINTS) {
    tolerance *= 2;
    trace = simplified(points, tolerance);
  }
  return trace.map(round);
}

/** Whether a drawing has too few points or is too small to store. */
export function isTooSmall(tool: Tool, points: readonly Point[]): boolean {
  if (points.length < POINTS[tool]) return true;
  if (tool === "point") return false;
  const [xs, ys] = [points.map(([x]) => x), points.map(([, y]) => y)];
  return Math.hypot(Math.max(...xs) - Math.min(...xs), Math.max(...ys) - Math.min(...ys)) < SMALLEST_PX;
}

/** "Ventricular index, right", "Length". */
export function nameOf({ tool, preset, side }: DrawingKind): string {
  const name = preset ? PRESETS[preset].name : (TOOLS.find(([each]) => each === tool)?.[1] ?? tool);
  return side ? `${name}, ${side}` : name;
}

/** "VI right", "Length": beside the drawing. */
export function shortName({ tool, preset, side }: DrawingKind): string {
  const name = preset ? PRESETS[preset].short : (TOOLS.find(([each]) => each === tool)?.[1] ?? tool);
  return side ? `${name} ${side}` : name;
}

/** The server's measurement where there is one, else that of the browser. */
export function measuredOf(drawing: Drawing, regions: readonly Region[]): Measured | null {
  return drawing.measured === undefined ? measure(drawing, regions) : drawing.measured;
}

const DECIMALS: Record<string, number> = { mm: 1, "cm²": 2, "°": 1, "cm/s": 1, Hz: 0, "": 2 };

/** "12.3 mm"; "uncalibrated" where there is no number; empty for what measures nothing. */
export function valueText(measured: Measured | null): string {
  if (!measured) return "";
  if (measured.value === null) return measured.reason.startsWith("uncalibrated") ? "uncalibrated" : "no number";
  const value = number(measured.value, DECIMALS[measured.unit] ?? 2);
  return measured.unit === "°" ? `${value}°` : [value, measured.unit].filter(Boolean).join(" ");
}

/** What a number rests on where that is no ultrasound region: it stands wherever the number does. */
export function scaleText(measured: Measured | null): string {
  return measured?.scale ?? "";
}

const DETAILS: Record<string, [string, string]> = {
  width_mm: ["width", "mm"],
  height_mm: ["height", "mm"],
  first_axis_mm: ["axis", "mm"],
  second_axis_mm: ["axis", "mm"],
  perimeter_mm: ["perimeter", "mm"],
  psv_cm_s: ["PSV", "cm/s"],
  edv_cm_s: ["EDV", "cm/s"],
  psv_Hz: ["PSV", "Hz"],
  edv_Hz: ["EDV", "Hz"],
};

/** What else follows: "axis 12.0 mm, axis 8.0 mm". */
export function detailsText(measured: Measured | null): string {
  const parts = Object.entries(measured?.more ?? {}).map(([key, value]) => {
    const [name, unit] = DETAILS[key] ?? [key, ""];
    return `${name} ${number(value, DECIMALS[unit] ?? 1)} ${unit}`;
  });
  return parts.join(", ");
}
