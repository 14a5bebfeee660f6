/**
 * What a drawing measures, from the ultrasound regions of its frame: the same as
 * `annotations/measurements/measure.py`, whose answer counts.
 * `tests/annotations/measurements/measures.json` holds both to known truths.
 *
 * Points are image pixels as in DICOM's SCOORD: (0, 0) is the outer corner of the first pixel. A region with corners x0
 * to x1 covers x0 to x1 + 1. All points must lie in one region whose scale can be trusted. Where regions lie one over
 * another, the topmost counts: one of high priority over one of low priority (PS3.3, C.8.5.5.1.3), else the one that
 * lies inside the other. A drawing that any region of another scale lies over, at its points or between them, has no
 * number.
 */

import type { Drawing, MeasuredPayload } from "../../api/schema";
import type { Region } from "../types";

export type Point = readonly [number, number];
export type Tool = Drawing["tool"];
export type Preset = Drawing["preset"];
/** As the server measures it too; `value` is null where `reason` says why. */
export type Measured = MeasuredPayload;

export interface Shape {
  tool: Tool;
  points: readonly Point[];
  preset: Preset;
  frame: number;
}

const UNCALIBRATED = "uncalibrated: ";
const REASONS = {
  noScale: `${UNCALIBRATED}the file states no scale`,
  outside: `${UNCALIBRATED}a point lies outside every ultrasound region`,
  twoRegions: `${UNCALIBRATED}the points lie in two regions`,
  overlap: `${UNCALIBRATED}regions of different scale overlap here`,
  noCentimetres: `${UNCALIBRATED}this region has no scale in centimetres`,
  beyond: `${UNCALIBRATED}the region reaches beyond the image, so its scale is not used`,
  trace: `${UNCALIBRATED}a trace over time has no distances`,
  mMode: "across an M-mode trace is time: only a line straight down has a length",
  noZero: `${UNCALIBRATED}the file does not say where the zero line of this trace is`,
  notATrace: `${UNCALIBRATED}the resistive index needs a Doppler trace with a velocity scale`,
  notPeak: "the first point must be the systolic peak, farther from the zero line than the second",
  crosses: "the line crosses itself: it has no area",
  noArm: "an arm of the angle has no length",
} as const;
const EDGE = 1e-6;
/** Pixels across to which a line down an M-mode trace may lean. */
const STRAIGHT_DOWN_PX = 1;
/** Of its height, by which a line that is drawn may lean and still be meant straight down. */
const MOST_LEAN = 0.25;
const TRACES: readonly string[] = ["spectral", "waveform", "m_mode"];

class Uncalibrated extends Error {}

type ValueAndDetails = [value: number, more: Record<string, number>];

/** Null for what measures nothing. */
export function measure(shape: Shape, regions: readonly Region[]): Measured | null {
  const frameRegions = regionsOf(regions, shape.frame);
  const { tool, points } = shape;
  if (shape.preset === "ri") return measured("resistive_index", "", () => resistiveIndex(points, frameRegions));
  if (tool === "point") return velocity(points, frameRegions);
  return QUANTITIES[tool] ? inPicture(tool, points, frameRegions) : null;
}

function inPicture(tool: Tool, points: readonly Point[], regions: readonly Region[]): Measured | null {
  const quantity = QUANTITIES[tool];
  if (!quantity) return null;
  let scale = "";
  const result = measured(quantity[0], quantity[1], () => {
    const region = topmost(outlineOf(tool, points), regions, sameScale);
    if (region.source) scale = `scale from ${region.source}, not from ultrasound regions`;
    return quantity[2](pointsMm(tool, points, region));
  });
  return scale && result.value !== null ? { ...result, scale } : result;
}

/** A frame's own regions in place of those of the whole clip. */
export function regionsOf(regions: readonly Region[], frame: number): Region[] {
  const own = regions.filter(({ frames }) => frames && frames[0] <= frame && frame <= frames[1]);
  return own.length ? own : regions.filter(({ frames }) => !frames);
}

function measured(quantity: Measured["quantity"], unit: Measured["unit"], compute: () => ValueAndDetails): Measured {
  try {
    const [value, more] = compute();
    return { quantity, unit, value, reason: "", more };
  } catch (error) {
    if (!(error instanceof Uncalibrated)) throw error;
    return { quantity, unit, value: null, reason: error.message, more: {} };
  }
}

// ---------- regions ----------

function covers({ x0, y0, x1, y1 }: Region, [x, y]: Point, edge = EDGE): boolean {
  return x0 - edge <= x && x <= x1 + 1 + edge && y0 - edge <= y && y <= y1 + 1 + edge;
}

function regionsContaining(points: readonly Point[], regions: readonly Region[]): Region[] {
  const containing = regions.filter((region) => points.every((point) => covers(region, point)));
  if (containing.length) return containing;
  if (!regions.length) throw new Uncalibrated(REASONS.noScale);
  const everywhere = points.every((point) => regions.some((region) => covers(region, point)));
  throw new Uncalibrated(everywhere ? REASONS.twoRegions : REASONS.outside);
}

type Line = readonly [Point, Point];

/** What a drawing covers: points that all lie in its region, and lines, which around an area are closed. */
interface Outline {
  points: readonly Point[];
  lines: readonly Line[];
  closed: boolean;
}

/** Of an ellipse the box around it. */
function outlineOf(tool: Tool, points: readonly Point[]): Outline {
  if (tool === "box") return around(corners(pointAt(points, 0), pointAt(points, 1)));
  if (tool === "freehand") return around(points);
  if (tool === "ellipse") {
    const { centre, u, v } = axes(points);
    const [across, down] = [Math.hypot(u[0], v[0]), Math.hypot(u[1], v[1])];
    return around(corners([centre[0] - across, centre[1] - down], [centre[0] + across, centre[1] + down]));
  }
  return { points, lines: points.slice(1).map((point, at) => [pointAt(points, at), point]), closed: false };
}

function around(points: readonly Point[]): Outline {
  return { points, lines: points.map((point, at) => [point, pointAt(points, (at + 1) % points.length)]), closed: true };
}

function corners(a: Point, b: Point): Point[] {
  return [a, [b[0], a[1]], b, [a[0], b[1]]];
}

/** Whether any of a drawing lies within the region; what only shares an edge with it does not. */
function meets(region: Region, { lines, closed }: Outline): boolean {
  return lines.some((line) => passes(region, line)) || (closed && surrounds(lines, region));
}

function passes({ x0, y0, x1, y1 }: Region, [a, b]: Line): boolean {
  let [first, last] = [0, 1];
  for (const [start, end, low, high] of [
    [a[0], b[0], x0 + EDGE, x1 + 1 - EDGE],
    [a[1], b[1], y0 + EDGE, y1 + 1 - EDGE],
  ] as const) {
    const step = end - start;
    if (!step && !(low < start && start < high)) return false;
    if (!step) continue;
    const [enters, leaves] = [(low - start) / step, (high - start) / step];
    first = Math.max(first, Math.min(enters, leaves));
    last = Math.min(last, Math.max(enters, leaves));
  }
  return first < last;
}

/** Whether a region that no line enters lies inside: lines to the right of its middle are odd in number. */
function surrounds(lines: readonly Line[], { x0, y0, x1, y1 }: Region): boolean {
  const [x, y] = [(x0 + x1 + 1) / 2, (y0 + y1 + 1) / 2];
  const right = lines.filter(
    ([a, b]) => a[1] > y !== b[1] > y && x < a[0] + ((y - a[1]) * (b[0] - a[0])) / (b[1] - a[1]),
  );
  return right.length % 2 === 1;
}

/** Whether a region counts, and not the other, where both are. */
function liesOver(one: Region, other: Region): boolean {
  const [low, otherLow] = [Boolean(one.low_priority), Boolean(other.low_priority)];
  return low === otherLow ? liesInside(one, other) : otherLow;
}

function liesInside(one: Region, other: Region): boolean {
  const inside = one.x0 >= other.x0 && one.y0 >= other.y0 && one.x1 <= other.x1 && one.y1 <= other.y1;
  return inside && !(one.x0 === other.x0 && one.y0 === other.y0 && one.x1 === other.x1 && one.y1 === other.y1);
}

/** The region that counts for a drawing, unless one that is not alike may count. */
function topmost(outline: Outline, regions: readonly Region[], alike: (one: Region, other: Region) => boolean): Region {
  const containing = regionsContaining(outline.points, regions);
  const region = containing.find((each) => !containing.some((other) => liesOver(other, each))) as Region;
  const mayCount = (other: Region) => containing.includes(other) || meets(other, outline);
  if (regions.some((other) => mayCount(other) && !liesOver(region, other) && !alike(region, other)))
    throw new Uncalibrated(REASONS.overlap);
  return region;
}

function sameScale(one: Region, other: Region): boolean {
  return one.dx_cm === other.dx_cm && one.dy_cm === other.dy_cm;
}

function pointsMm(tool: Tool, points: readonly Point[], region: Region): Point[] {
  const { dx_cm: dx, dy_cm: dy, type } = region;
  if (dy === null || (dx === null && type !== "m_mode")) throw new Uncalibrated(whyNot(region));
  if (dx === null) return heights(tool, points).map((y) => [0, 10 * dy * y]);
  return points.map(([x, y]) => [10 * dx * x, 10 * dy * y]);
}

/** Of a line down an M-mode trace. */
function heights(tool: Tool, points: readonly Point[]): number[] {
  const lean = Math.abs(pointAt(points, 1)[0] - pointAt(points, 0)[0]);
  if (tool !== "length" || lean >= STRAIGHT_DOWN_PX) throw new Uncalibrated(REASONS.mMode);
  return points.map(([, y]) => y);
}

/**
 * A length in an M-mode trace that is nearly straight down, with one of its points moved to be so:
 * nobody's hand is that steady.
 */
export function straightened(
  { tool, points, frame }: Omit<Shape, "preset">,
  moved: number,
  regions: readonly Region[],
): readonly Point[] {
  const [a, b] = [pointAt(points, 0), pointAt(points, 1)];
  if (tool !== "length" || Math.abs(b[0] - a[0]) > MOST_LEAN * Math.abs(b[1] - a[1])) return points;
  try {
    if (topmost(outlineOf(tool, points), regionsOf(regions, frame), sameScale).type !== "m_mode") return points;
  } catch (error) {
    if (error instanceof Uncalibrated) return points;
    throw error;
  }
  return moved ? [a, [a[0], b[1]]] : [[b[0], a[1]], b];
}

function whyNot(region: Region): string {
  if (region.inside === false) return REASONS.beyond;
  return TRACES.includes(region.type ?? "") ? REASONS.trace : REASONS.noCentimetres;
}

// ---------- quantities, of points in millimetres ----------

function pointAt(points: readonly Point[], index: number): Point {
  return points[index] ?? [0, 0];
}

export function distance(a: Point, b: Point): number {
  return Math.hypot(b[0] - a[0], b[1] - a[1]);
}

function length(points: readonly Point[]): ValueAndDetails {
  return [distance(pointAt(points, 0), pointAt(points, 1)), {}];
}

/** At the second point. */
function angle(points: readonly Point[]): ValueAndDetails {
  const [a, b, c] = [pointAt(points, 0), pointAt(points, 1), pointAt(points, 2)];
  const arms = distance(b, a) * distance(b, c);
  if (!arms) throw new Uncalibrated(REASONS.noArm);
  const cosine = ((a[0] - b[0]) * (c[0] - b[0]) + (a[1] - b[1]) * (c[1] - b[1])) / arms;
  return [(Math.acos(Math.max(-1, Math.min(1, cosine))) * 180) / Math.PI, {}];
}

function box(points: readonly Point[]): ValueAndDetails {
  const [a, b] = [pointAt(points, 0), pointAt(points, 1)];
  const [width, height] = [Math.abs(b[0] - a[0]), Math.abs(b[1] - a[1])];
  return [(width * height) / 100, { width_mm: width, height_mm: height }];
}

/** The centre of an ellipse and the halves of its axes. */
export function axes(points: readonly Point[]): { centre: Point; u: Point; v: Point } {
  const [a, b, c, d] = [pointAt(points, 0), pointAt(points, 1), pointAt(points, 2), pointAt(points, 3)];
  const half = (p: Point, q: Point): Point => [(q[0] - p[0]) / 2, (q[1] - p[1]) / 2];
  return { centre: [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2], u: half(a, b), v: half(c, d) };
}

/** Of conjugate diameters, which the axes are where x and y scale differently. */
function ellipse(points: readonly Point[]): ValueAndDetails {
  const { u, v } = axes(points);
  return [
    (Math.PI * Math.abs(u[0] * v[1] - u[1] * v[0])) / 100,
    { first_axis_mm: 2 * Math.hypot(...u), second_axis_mm: 2 * Math.hypot(...v) },
  ];
}

function freehand(points: readonly Point[]): ValueAndDetails {
  const edges = points.map((point, index): [Point, Point] => [point, pointAt(points, (index + 1) % points.length)]);
  if (crosses(edges)) throw new Uncalibrated(REASONS.crosses);
  const twice = edges.reduce((sum, [a, b]) => sum + a[0] * b[1] - b[0] * a[1], 0);
  return [Math.abs(twice) / 200, { perimeter_mm: edges.reduce((sum, [a, b]) => sum + distance(a, b), 0) }];
}

function crosses(edges: readonly [Point, Point][]): boolean {
  const side = (a: Point, b: Point, p: Point) => (b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0]);
  const cross = ([a, b]: [Point, Point], [c, d]: [Point, Point]) =>
    side(a, b, c) * side(a, b, d) < 0 && side(c, d, a) * side(c, d, b) < 0;
  return edges.some((edge, i) =>
    edges.some((other, j) => j > i + 1 && !(i === 0 && j === edges.length - 1) && cross(edge, other)),
  );
}

const QUANTITIES: Partial<
  Record<
    Tool,
    [quantity: Measured["quantity"], unit: Measured["unit"], compute: (points: readonly Point[]) => ValueAndDetails]
  >
> = {
  length: ["length", "mm", length],
  angle: ["angle", "°", angle],
  ellipse: ["area", "cm²", ellipse],
  freehand: ["area", "cm²", freehand],
  box: ["area", "cm²", box],
};

// ---------- Doppler ----------

interface Trace extends Region {
  axes: [string, string];
  delta: [number, number];
  reference: [number, number];
  reference_value: [number, number];
}

function traceRegion(points: readonly Point[], regions: readonly Region[]): Trace {
  const lines = points.map((point): Line => [point, point]);
  const region = topmost({ points, lines, closed: false }, regions, (one, other) => one === other);
  if (region.type !== "spectral" || !region.axes || !["cm/s", "Hz"].includes(region.axes[1]))
    throw new Uncalibrated(region.inside === false ? REASONS.beyond : REASONS.notATrace);
  if (!region.reference) throw new Uncalibrated(REASONS.noZero);
  return region as Trace;
}

/** The velocity at a height: the reference is a pixel, and pixels count at their middle. */
function velocityAt(y: number, region: Trace): number {
  const zero = region.y0 + region.reference[1] + 0.5;
  return region.reference_value[1] + (y - zero) * region.delta[1];
}

/** (PSV − EDV) / PSV, of the systolic peak and the end of diastole. */
function resistiveIndex(points: readonly Point[], regions: readonly Region[]): ValueAndDetails {
  const region = traceRegion(points, regions);
  const [peak, end] = [velocityAt(pointAt(points, 0)[1], region), velocityAt(pointAt(points, 1)[1], region)];
  if (!peak || Math.abs(peak) <= Math.abs(end)) throw new Uncalibrated(REASONS.notPeak);
  const unit = region.axes[1].replace("/", "_");
  const sign = Math.sign(peak);
  return [(peak - end) / peak, { [`psv_${unit}`]: sign * peak, [`edv_${unit}`]: sign * end }];
}

/** A point in a Doppler trace reads its velocity; anywhere else it measures nothing. */
function velocity(points: readonly Point[], regions: readonly Region[]): Measured | null {
  try {
    const region = traceRegion(points, regions);
    return {
      quantity: "velocity",
      unit: region.axes[1] as Measured["unit"],
      value: velocityAt(pointAt(points, 0)[1], region),
      reason: "",
      more: {},
    };
  } catch (error) {
    if (error instanceof Uncalibrated) return null;
    throw error;
  }
}
