/**
 * What a drawing measures, from the ultrasound regions of its frame: the same as
 * `annotations/measurements/measure.py`, whose answer counts.
 * `tests/annotations/measurements/measures.json` holds both to known truths.
 *
 * Points are image pixels as in DICOM's SCOORD: (0, 0) is the outer corner of the first pixel. A region with corners x0
 * to x1 covers x0 to x1 + 1. All points must lie in one region whose scale can be trusted, and none of them within
 * another of different scale.
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
  noZero: `${UNCALIBRATED}the file does not say where the zero line of this trace is`,
  notATrace: `${UNCALIBRATED}the resistive index needs a Doppler trace with a velocity scale`,
  notPeak: "the first point must be the systolic peak, farther from the zero line than the second",
  crosses: "the line crosses itself: it has no area",
  noArm: "an arm of the angle has no length",
} as const;
const EDGE = 1e-6;
const TRACES: readonly string[] = ["spectral", "waveform", "m_mode"];

class Uncalibrated extends Error {}

type ValueAndDetails = [value: number, more: Record<string, number>];

/** Null for what measures nothing. */
export function measure(shape: Shape, regions: readonly Region[]): Measured | null {
  const frameRegions = regionsOf(regions, shape.frame);
  const { tool, points } = shape;
  if (shape.preset === "ri") return measured("resistive_index", "", () => resistiveIndex(points, frameRegions));
  if (tool === "point") return velocity(points, frameRegions);
  const quantity = QUANTITIES[tool];
  return quantity ? measured(quantity[0], quantity[1], () => quantity[2](pointsMm(tool, points, frameRegions))) : null;
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

/** The regions within which any of the points lies; those that only share an edge with it are none. */
function regionsTouched(points: readonly Point[], regions: readonly Region[]): Region[] {
  return regions.filter((region) => points.some((point) => covers(region, point, -EDGE)));
}

/** Millimetres per pixel, across and down, where all points are. */
function scaleMm(points: readonly Point[], regions: readonly Region[]): Point {
  const containing = regionsContaining(points, regions);
  const [first] = containing as [Region, ...Region[]];
  if (
    [...containing, ...regionsTouched(points, regions)].some(
      (region) => region.dx_cm !== first.dx_cm || region.dy_cm !== first.dy_cm,
    )
  )
    throw new Uncalibrated(REASONS.overlap);
  if (first.dx_cm === null || first.dy_cm === null) throw new Uncalibrated(whyNot(first));
  return [10 * first.dx_cm, 10 * first.dy_cm];
}

function whyNot(region: Region): string {
  if (region.inside === false) return REASONS.beyond;
  return TRACES.includes(region.type ?? "") ? REASONS.trace : REASONS.noCentimetres;
}

function pointsMm(tool: Tool, points: readonly Point[], regions: readonly Region[]): Point[] {
  const [mx, my] = scaleMm([...points, ...extent(tool, points)], regions);
  return points.map(([x, y]) => [mx * x, my * y]);
}

/** Corners of what a box or an ellipse covers: the points alone may lie in a region that it leaves. */
function extent(tool: Tool, points: readonly Point[]): Point[] {
  if (tool === "box") {
    const [a, b] = [pointAt(points, 0), pointAt(points, 1)];
    return [
      [a[0], b[1]],
      [b[0], a[1]],
    ];
  }
  if (tool !== "ellipse") return [];
  const { centre, u, v } = axes(points);
  const reach = [Math.hypot(u[0], v[0]), Math.hypot(u[1], v[1])] as const;
  return [-1, 1].flatMap((sx) => [-1, 1].map((sy): Point => [centre[0] + sx * reach[0], centre[1] + sy * reach[1]]));
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
  const containing = regionsContaining(points, regions);
  const [region] = containing as [Region, ...Region[]];
  if (containing.length > 1 || regionsTouched(points, regions).some((each) => each !== region))
    throw new Uncalibrated(REASONS.overlap);
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
