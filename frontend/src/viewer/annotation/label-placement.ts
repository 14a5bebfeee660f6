/**
 * Places the labels of drawings inside the picture, on no other label and on no handle. Pure and deterministic: pixels
 * of the screen in, pixels out. A label without room beside its drawing stands apart, with a leader line to it.
 */

import type { Point } from "./measure";

export interface Box {
  x: number;
  y: number;
  w: number;
  h: number;
}

export interface LabelRequest {
  uid: string;
  /** The drawing's line on the screen. */
  line: readonly Point[];
  closed: boolean;
  handles: readonly Point[];
  /** Size of the label in pixels; 0 for a drawing without one, which is only avoided. */
  w: number;
  h: number;
}

export interface LabelPlacement extends Box {
  /** Index among the candidates of the drawing. */
  at: number;
  /** The leader line from the drawing to a label that is apart or could belong to another drawing. */
  leader: [Point, Point] | null;
}

export interface PictureArea {
  w: number;
  h: number;
  /** Boxes that are occupied already. */
  occupied: readonly Box[];
}

/**
 * The drawing that is being moved, and the candidates of all labels before: they stay where they are meanwhile.
 */
export interface HeldLabel {
  uid: string;
  before: ReadonlyMap<string, number>;
}

interface Candidate extends Box {
  at: number;
  cost: number;
  /** The point of the drawing that it belongs to, and whether it is apart from it. */
  anchor: Point;
  apart: boolean;
}

const GAP = 9;
const HANDLE = 7;
/** With a handle of another drawing this near, in pixels, a label is ambiguous. */
const AMBIGUOUS = 16;
/** Between two labels. */
const LABEL_GAP = 2;
const RINGS = [22, 40, 62, 90, 124, 164];
const DIRECTIONS = 16;
const PER_LINE = 15;
const APART = 20;
const ANYWHERE = 80;
const COLUMNS = 4;

export function placeLabels(
  requests: readonly LabelRequest[],
  area: PictureArea,
  held: HeldLabel | null = null,
): Map<string, LabelPlacement> {
  const shown = requests.filter((request) => isInView(request, area));
  const [moving, others] = [shown.filter(({ uid }) => uid === held?.uid), shown.filter(({ uid }) => uid !== held?.uid)];
  const table = new Placements(shown, area);
  // While one drawing is moved, the labels of the others stay.
  table.avoid(others);
  if (held) for (const request of others) table.keepAt(request, held.before.get(request.uid));
  for (const request of others) table.placeBeside(request);
  for (const request of others) table.placeAnywhere(request);
  table.avoid(shown);
  for (const request of moving) {
    if (table.isStillFree(request, held?.before.get(request.uid))) table.keepAt(request, held?.before.get(request.uid));
    else table.placeAnywhere(request);
  }
  return table.places;
}

/** The labels placed so far, and the lines and handles to avoid. */
class Placements {
  readonly places = new Map<string, LabelPlacement>();
  private readonly boxes: Box[];
  private readonly leaders: [Point, Point][] = [];
  private handles: readonly Point[] = [];
  private lines: readonly (readonly [Point, Point])[] = [];
  private readonly candidates: ReadonlyMap<string, readonly Candidate[]>;

  private avoided: readonly LabelRequest[] = [];

  constructor(requests: readonly LabelRequest[], area: PictureArea) {
    this.boxes = [...area.occupied];
    this.candidates = new Map(requests.filter(({ w }) => w).map((request) => [request.uid, candidates(request, area)]));
  }

  /** Set the drawings whose lines and handles are avoided. */
  avoid(requests: readonly LabelRequest[]): void {
    this.avoided = requests;
    this.handles = requests.flatMap(({ handles }) => handles);
    this.lines = requests.flatMap(strokes);
  }

  keepAt(request: LabelRequest, at: number | undefined): void {
    const before = this.candidatesOf(request).find((each) => each.at === at);
    if (before) this.put(request, before);
  }

  isStillFree(request: LabelRequest, at: number | undefined): boolean {
    const before = this.candidatesOf(request).find((each) => each.at === at);
    return before !== undefined && this.isFree(before);
  }

  /** Labels with room beside their drawing are placed first. */
  placeBeside(request: LabelRequest): void {
    const candidate = this.cheapest(this.candidatesOf(request).filter(({ apart }) => !apart));
    if (candidate) this.put(request, candidate);
  }

  placeAnywhere(request: LabelRequest): void {
    const every = this.candidatesOf(request);
    if (!every.length) return;
    this.put(
      request,
      this.cheapest(every) ??
        this.leastCrossed(every.filter((each) => this.isLegible(each))) ??
        this.leastCovered(every),
    );
  }

  private candidatesOf({ uid }: LabelRequest): readonly Candidate[] {
    return this.places.has(uid) ? [] : (this.candidates.get(uid) ?? []);
  }

  private cheapest(every: readonly Candidate[]): Candidate | null {
    let best: Candidate | null = null;
    let cost = Number.POSITIVE_INFINITY;
    for (const each of every) {
      // Candidates are sorted by cost: later ones cannot be better.
      if (each.cost >= cost) break;
      if (!this.isFree(each)) continue;
      const crossed = each.cost + PER_LINE * this.lines.filter(([a, b]) => crossesBox(a, b, each)).length;
      if (crossed < cost) [best, cost] = [each, crossed];
    }
    return best;
  }

  private isLegible(each: Candidate): boolean {
    return (
      !this.boxes.some((box) => overlap(each, box, LABEL_GAP)) &&
      !this.handles.some((handle) => isNear(handle, each, HANDLE))
    );
  }

  private isFree(each: Candidate): boolean {
    return this.isLegible(each) && !this.crossed(each);
  }

  /** How many labels would have a leader line behind them. */
  private crossed(each: Candidate): number {
    const over = this.leaders.filter(([a, b]) => crossesBox(a, b, each)).length;
    return (
      over +
      (each.apart ? this.boxes.filter((box) => crossesBox(each.anchor, nearest(each.anchor, each), box)).length : 0)
    );
  }

  private leastCrossed(every: readonly Candidate[]): Candidate | null {
    const crossed = every.map((each) => this.crossed(each));
    return every[crossed.indexOf(Math.min(...crossed))] ?? null;
  }

  private leastCovered(every: readonly Candidate[]): Candidate {
    const covered = every.map((each) => this.boxes.reduce((sum, box) => sum + sharedArea(each, box), 0));
    return every[covered.indexOf(Math.min(...covered))] as Candidate;
  }

  private put(request: LabelRequest, candidate: Candidate): void {
    const { at, x, y, w, h, anchor, apart } = candidate;
    const doubtful = this.avoided.some(
      (other) => other !== request && other.handles.some((handle) => isNear(handle, candidate, AMBIGUOUS)),
    );
    const place: LabelPlacement = {
      at,
      x,
      y,
      w,
      h,
      leader: apart || doubtful ? [anchor, nearest(anchor, candidate)] : null,
    };
    this.places.set(request.uid, place);
    this.boxes.push(place);
    if (place.leader) this.leaders.push(place.leader);
  }
}

/** Every place around a drawing in a fixed order, the cheapest first, all of them inside the picture. */
function candidates(request: LabelRequest, area: PictureArea): Candidate[] {
  const { w, h } = request;
  const places: Candidate[] = [];
  const add = (anchor: Point, x: number, y: number, cost: number, apart = false) =>
    places.push({ x: clamp(x, area.w - w), y: clamp(y, area.h - h), w, h, at: places.length, cost, anchor, apart });
  const inside = request.line.filter(([x, y]) => x >= 0 && y >= 0 && x <= area.w && y <= area.h);
  const points = inside.length ? inside : request.line.map(([x, y]): Point => [clamp(x, area.w), clamp(y, area.h)]);
  const [right, left, top, bottom] = [
    extreme(points, 0, 1),
    extreme(points, 0, -1),
    extreme(points, 1, -1),
    extreme(points, 1, 1),
  ];
  add(right, right[0] + GAP, right[1] - h / 2, 0);
  add(left, left[0] - GAP - w, left[1] - h / 2, 1);
  add(right, right[0] + 4, right[1] - GAP - h, 2);
  add(right, right[0] + 4, right[1] + GAP, 3);
  add(left, left[0] - 4 - w, left[1] - GAP - h, 4);
  add(left, left[0] - 4 - w, left[1] + GAP, 5);
  add(top, top[0] - w / 2, top[1] - GAP - h, 6);
  add(bottom, bottom[0] - w / 2, bottom[1] + GAP, 7);
  RINGS.forEach((ring, out) => {
    for (let step = 0; step < DIRECTIONS; step += 1) {
      // From the end outwards, up and down by turns; the right end first.
      const angle = (Math.ceil(step / 2) * (step % 2 ? -1 : 1) * 2 * Math.PI) / DIRECTIONS;
      const [dx, dy] = [Math.cos(angle), Math.sin(angle)];
      for (const [from, sign] of [
        [right, 1],
        [left, -1],
      ] as const)
        add(
          from,
          from[0] + sign * dx * (ring + w / 2) - w / 2,
          from[1] + dy * (ring + h / 2) - h / 2,
          APART + out * 8 + step * 0.1,
          true,
        );
    }
  });
  return [...places, ...gridCandidates(request, area, right, places.length)];
}

/** A grid of places over the whole picture, the nearest first. */
function gridCandidates({ w, h }: LabelRequest, area: PictureArea, from: Point, first: number): Candidate[] {
  const places: Candidate[] = [];
  for (let y = 0; y <= area.h - h; y += h + LABEL_GAP + 1)
    for (let column = 0; column < COLUMNS; column += 1) {
      const x = clamp(((area.w - w) * column) / (COLUMNS - 1), area.w - w);
      const away = Math.hypot(x + w / 2 - from[0], y + h / 2 - from[1]);
      places.push({ x, y, w, h, at: first + places.length, cost: ANYWHERE + away / 10, anchor: from, apart: true });
    }
  return places.toSorted((a, b) => a.cost - b.cost || a.at - b.at);
}

/** A drawing outside the picture gets no label. */
function isInView({ line }: LabelRequest, area: PictureArea): boolean {
  const [xs, ys] = [line.map(([x]) => x), line.map(([, y]) => y)];
  return (
    line.length > 0 &&
    Math.max(...xs) >= 0 &&
    Math.min(...xs) <= area.w &&
    Math.max(...ys) >= 0 &&
    Math.min(...ys) <= area.h
  );
}

function strokes({ line, closed }: LabelRequest): (readonly [Point, Point])[] {
  const ends = closed && line[0] ? [...line, line[0]] : line;
  return ends.slice(1).map((point, at) => [ends[at] ?? point, point] as const);
}

function extreme(points: readonly Point[], axis: 0 | 1, sign: 1 | -1): Point {
  return points.reduce((best, point) => (sign * (point[axis] - best[axis]) > 0 ? point : best), points[0] ?? [0, 0]);
}

function clamp(value: number, most: number): number {
  return Math.max(0, Math.min(value, Math.max(0, most)));
}

export function overlap(a: Box, b: Box, air = 0): boolean {
  return a.x < b.x + b.w + air && b.x < a.x + a.w + air && a.y < b.y + b.h + air && b.y < a.y + a.h + air;
}

function sharedArea(a: Box, b: Box): number {
  const across = Math.min(a.x + a.w, b.x + b.w) - Math.max(a.x, b.x);
  const down = Math.min(a.y + a.h, b.y + b.h) - Math.max(a.y, b.y);
  return across > 0 && down > 0 ? across * down : 0;
}

function nearest([x, y]: Point, box: Box): Point {
  return [Math.max(box.x, Math.min(x, box.x + box.w)), Math.max(box.y, Math.min(y, box.y + box.h))];
}

function isNear(handle: Point, box: Box, reach: number): boolean {
  const [x, y] = nearest(handle, box);
  return Math.hypot(handle[0] - x, handle[1] - y) < reach;
}

/** Whether a piece of a line passes through a box (Liang and Barsky). */
export function crossesBox(a: Point, b: Point, box: Box): boolean {
  const [dx, dy] = [b[0] - a[0], b[1] - a[1]];
  let [from, to] = [0, 1];
  for (const [step, off] of [
    [-dx, a[0] - box.x],
    [dx, box.x + box.w - a[0]],
    [-dy, a[1] - box.y],
    [dy, box.y + box.h - a[1]],
  ] as const) {
    if (step === 0) {
      if (off < 0) return false;
      continue;
    }
    if (step < 0) from = Math.max(from, off / step);
    else to = Math.min(to, off / step);
    if (from > to) return false;
  }
  return true;
}

/** The text in rows that are no wider than there is room for; what does not fit in as many rows ends with dots. */
export function wrapText(text: string, width: (text: string) => number, widest: number, most: number): string[] {
  const lines: string[] = [];
  let row = "";
  for (const word of text.split(/\s+/).filter(Boolean)) {
    const longer = row ? `${row} ${word}` : word;
    if (!row || width(longer) <= widest) row = longer;
    else [row] = [word, lines.push(row)];
  }
  if (row) lines.push(row);
  const shown = lines.slice(0, most).map((each) => truncate(each, width, widest));
  if (lines.length > most) shown[most - 1] = truncate(`${shown[most - 1]}…`, width, widest);
  return shown;
}

function truncate(text: string, width: (text: string) => number, widest: number): string {
  let shortened = text;
  while (shortened.length > 1 && width(shortened) > widest) shortened = `${shortened.replace(/…$/, "").slice(0, -1)}…`;
  return shortened;
}
