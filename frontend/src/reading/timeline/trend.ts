/**
 * One measure of the infant over days of life, per side, with reference lines and centiles, each with its source; and
 * its numbers beside it. Reference lines are drawn to compare with; they advise no treatment.
 */

import type { References, TimelineMeasure, TimelineStudy } from "../../api/schema";
import { type Child, h, s } from "../../common/dom";
import { day as dayText, number } from "../../common/format";
import { type Drawing, PRESETS, type Side, scaleText, valueText } from "../../viewer/annotation/drawing";
import type { Measured, Preset } from "../../viewer/annotation/measure";

export type MeasureName = Exclude<Preset, "">;

export type ReadMeasure = Pick<TimelineMeasure, "preset" | "side" | "measured">;
export type { References } from "../../api/schema";

export type StudyMeasures = Pick<TimelineStudy, "day_of_life" | "acquired_at" | "current" | "hidden"> & {
  read: { measures?: ReadMeasure[]; reader: string } | null;
};

export interface MeasuredValue {
  day: number;
  when: string | null;
  /** Which of the studies, in their order. */
  study: number;
  side: Side;
  value: number;
  measured: Measured;
  /** Of the read that is open: not committed yet. */
  open: boolean;
  reader: string;
}

const WIDTH = 560;
const HEIGHT = 104;
const LEFT = 46;
const RIGHT = 86;
const TOP = 8;
const AXIS = 84;
const BESIDE = { right: -5, left: 5, none: 0 };
/** Height of a line of small text. */
const ROW = 12;
/** The server's numbers have four decimals. */
const SAME = 5e-5;
/** Width of the numbers of reference lines. */
const BORDER = 34;

/** What is drawn in the read that is open; null after the commit, when the server's numbers count. */
export type OpenDrawings = readonly (Drawing & { measured: Measured | null })[] | null;

/**
 * Every value of a measure, the earliest first; of the open study those of its drawings in place of committed ones.
 */
export function measuredValues(
  preset: MeasureName,
  studies: readonly StudyMeasures[],
  drawn: OpenDrawings,
): MeasuredValue[] {
  const values = studies.flatMap((study, index) => {
    const day = study.day_of_life;
    if (day === null) return [];
    const openDrawings = study.current && drawn?.length ? drawn : null;
    const open = openDrawings !== null;
    const every: ReadMeasure[] = openDrawings
      ? openDrawings.flatMap(({ preset: name, side, measured }) => (name ? [{ preset: name, side, measured }] : []))
      : (study.read?.measures ?? []);
    return every
      .filter((each) => each.preset === preset && each.measured !== null && each.measured.value !== null)
      .map(({ side, measured }) => {
        const counted = measured as Measured & { value: number };
        return {
          day,
          when: study.acquired_at,
          study: index,
          side,
          value: counted.value,
          measured: counted,
          open,
          reader: open ? "this read" : (study.read?.reader ?? ""),
        };
      });
  });
  return values.sort((a, b) => a.day - b.day);
}

/** The measures that have a number anywhere. */
export function measuresPresent(studies: readonly StudyMeasures[], drawn: OpenDrawings): MeasureName[] {
  return (Object.keys(PRESETS) as MeasureName[]).filter((preset) => measuredValues(preset, studies, drawn).length > 0);
}

/**
 * Centile curves against days of life: an age in weeks after the last period is one only where the gestation is known.
 */
export function centileCurves(
  preset: MeasureName,
  { tables }: References,
  gestation: number | null,
): { centile: number; source: string; points: [number, number][] }[] {
  return tables
    .filter(({ measure, by }) => measure === preset && (by === "day_of_life" || gestation !== null))
    .flatMap(({ by, centiles, rows, source }) =>
      centiles.map((centile, at) => ({
        centile,
        source,
        points: rows.map((row): [number, number] => [
          by === "day_of_life" ? (row[0] ?? 0) : 7 * (row[0] ?? 0) - (gestation ?? 0),
          row[at + 1] ?? 0,
        ]),
      })),
    );
}

/**
 * The part of a line through points of rising days that lies between two days;
 * cut ends are interpolated, and the line is never extended.
 */
export function clipLine(points: readonly [number, number][], first: number, last: number): [number, number][] {
  const at = (day: number, [d, v]: [number, number], [e, w]: [number, number]): [number, number] => [
    day,
    v + ((w - v) * (day - d)) / (e - d),
  ];
  return points.flatMap((point, index) => {
    const next = points[index + 1];
    const ends = next
      ? [first, last].filter((day) => point[0] < day && day < next[0]).map((day) => at(day, point, next))
      : [];
    return point[0] >= first && point[0] <= last ? [point, ...ends] : ends;
  });
}

/** The same heights in the same order, moved down where two are nearer than `apart`. */
export function spreadApart(heights: readonly number[], apart: number): number[] {
  let free = Number.NEGATIVE_INFINITY;
  const places = new Map<number, number>();
  for (const height of [...new Set(heights)].sort((a, b) => a - b)) {
    places.set(height, Math.max(height, free));
    free = Math.max(height, free) + apart;
  }
  return heights.map((height) => places.get(height) ?? height);
}

/**
 * Where a number lies among the centiles of each table that holds its age; only of numbers that the server computed.
 */
export function centileText(
  preset: MeasureName,
  { day, value, open }: MeasuredValue,
  references: References,
  gestation: number | null,
): string[] {
  if (open) return [];
  const tables = references.tables.filter(({ measure }) => measure === preset);
  return tables.flatMap((table) => {
    const levels = centileCurves(preset, { ...references, tables: [table] }, gestation).flatMap(({ centile, points }) =>
      clipLine(points, day, day)
        .slice(0, 1)
        .map((point) => ({ centile, level: point[1] })),
    );
    const position = centilePosition(
      value,
      levels.sort((a, b) => a.centile - b.centile),
    );
    return position ? [tables.length > 1 ? `${position} (${table.source})` : position] : [];
  });
}

function centilePosition(value: number, levels: readonly { centile: number; level: number }[]): string {
  const on = levels.find(({ level }) => Math.abs(level - value) < SAME);
  const over = levels.findLast(({ level }) => level < value);
  const under = levels.find(({ level }) => level > value);
  if (on) return `at p${on.centile}`;
  if (over && under) return `between p${over.centile} and p${under.centile}`;
  return over ? `above p${over.centile}` : under ? `below p${under.centile}` : "";
}

/**
 * The change of the same measure on the same side since the study before;
 * null unless the server computed both values.
 */
export function changeSince(
  each: MeasuredValue,
  values: readonly MeasuredValue[],
): { by: number; since: number } | null {
  const earlier = values.filter(({ open, side, study }) => !open && side === each.side && study < each.study);
  const last = Math.max(...earlier.map(({ study }) => study));
  const [before, ...others] = earlier.filter(({ study }) => study === last);
  // With two values of one side there is no single value to compare with.
  return before && !others.length && !each.open ? { by: each.value - before.value, since: before.day } : null;
}

function changeCell(each: MeasuredValue, values: readonly MeasuredValue[]): HTMLElement {
  const changed = changeSince(each, values);
  if (!changed) return h("td", { class: "num" }, "–");
  const { unit } = each.measured;
  const size = number(Math.abs(changed.by), unit === "" ? 2 : 1);
  const sideSign = Number(size) === 0 ? "±" : changed.by > 0 ? "+" : "−";
  const since = ` since day ${changed.since}`;
  return h(
    "td",
    { class: "num", title: since.trim() },
    `${sideSign}${[size, unit].filter(Boolean).join(" ")}`,
    h("span", { class: "vh" }, since),
  );
}

/** Where the chart ends. */
function lastDay(values: readonly MeasuredValue[]): number {
  return Math.max(14, ...values.map(({ day }) => day)) * 1.08;
}

/** Days and values as pixels; `end` is the last day of the chart, `top` its highest value. */
interface Axes {
  x: (day: number) => number;
  y: (value: number) => number;
  end: number;
  top: number;
}

/** A value of a reference line; the ends of a range are faint. */
interface Level {
  value: number;
  faint: boolean;
}

interface Centile {
  centile: number;
  points: [number, number][];
}

function axesOf(end: number, highest: number): Axes {
  const top = highest * 1.12;
  return {
    x: (day) => LEFT + (day / end) * (WIDTH - LEFT - RIGHT),
    y: (value) => AXIS - (value / top) * (AXIS - TOP),
    end,
    top,
  };
}

function levelsOf(preset: MeasureName, { lines }: References): Level[] {
  return lines
    .filter(({ measure }) => measure === preset)
    .flatMap(({ from, range }): Level[] =>
      from === undefined ? (range ?? []).map((value) => ({ value, faint: true })) : [{ value: from, faint: false }],
    );
}

function referenceLines(levels: readonly Level[], { y }: Axes): SVGElement[] {
  const heights = spreadApart(
    levels.map(({ value }) => y(value) + 4),
    ROW,
  );
  return levels.flatMap(({ value, faint }, at) => [
    s("path", { class: faint ? "ref faint" : "ref", d: `M${LEFT} ${y(value)}H${WIDTH - RIGHT}` }),
    s("text", { x: WIDTH - RIGHT + 4, y: heights[at] ?? 0 }, number(value, 1)),
  ]);
}

/** `besideNumbers`: reference lines have their numbers at the right border. */
function centileLines(centiles: readonly Centile[], { x, y, end }: Axes, besideNumbers: boolean): SVGElement[] {
  const heights = spreadApart(
    centiles.map(({ points }) => y(points.at(-1)?.[1] ?? 0) + 4),
    ROW,
  );
  return centiles.flatMap(({ centile, points }, index) => {
    const last = points.at(-1)?.[0] ?? 0;
    const gap = last > 0.9 * end && besideNumbers ? BORDER : 3;
    return [
      s("path", { class: "ref faint curve", d: `M${points.map(([day, value]) => `${x(day)} ${y(value)}`).join("L")}` }),
      s("text", { x: x(last) + gap, y: heights[index] ?? 0 }, `p${centile}`),
    ];
  });
}

function axisLines(preset: MeasureName, { x, end, top }: Axes): SVGElement[] {
  return [
    s("path", { class: "axis", d: `M${LEFT} ${AXIS}H${WIDTH - RIGHT}M${LEFT} ${AXIS}V${TOP}` }),
    s("text", { x: 0, y: AXIS + 17 }, "Day"),
    ...[0, 0.5, 1].map((share) =>
      s("text", { x: x((end / 1.08) * share), y: AXIS + 17, "text-anchor": "middle" }, number((end / 1.08) * share)),
    ),
    s(
      "text",
      { x: LEFT - 4, y: TOP + 8, "text-anchor": "end" },
      preset === "ri" ? number(top, 1) : `${number(top)} mm`,
    ),
  ];
}

export function trendChart(
  preset: MeasureName,
  values: readonly MeasuredValue[],
  references: References,
  gestation: number | null,
): SVGSVGElement {
  const end = lastDay(values);
  const levels = levelsOf(preset, references);
  const centiles = centileCurves(preset, references, gestation).map(({ centile, points }) => ({
    centile,
    points: clipLine(points, 0, end),
  }));
  const heights = [...values, ...levels].map(({ value }) => value);
  const centileHeights = centiles.flatMap(({ points }) => points.map(([, value]) => value));
  const axes = axesOf(end, Math.max(1e-9, ...heights, ...centileHeights));
  const lines = levels.filter(({ value, faint }) => !faint || value > 0);
  const curves = centiles.filter(({ points }) => points.length > 1);
  return s(
    "svg",
    {
      class: "trend",
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
      role: "img",
      "aria-label": `${PRESETS[preset].name} over days of life; the same as the table`,
    },
    ...referenceLines(lines, axes),
    ...centileLines(curves, axes, lines.length > 0),
    ...axisLines(preset, axes),
    // Both sides of one day are drawn side by side, as they are in the picture.
    ...values.map((each) => dot(each, axes.x(each.day) + BESIDE[each.side || "none"], axes.y(each.value))),
  );
}

/** Right is a circle, left a square, no side a diamond; values that are not committed are hollow. */
function dot({ side, open, day, measured }: MeasuredValue, x: number, y: number): SVGElement {
  const title = s(
    "title",
    {},
    [`${side || "no side"}, day ${day}: ${valueText(measured)}`, scaleText(measured), open ? "not committed" : ""]
      .filter(Boolean)
      .join(", "),
  );
  const style = open ? "dot open" : "dot";
  if (side === "left") return s("rect", { class: style, x: x - 4, y: y - 4, width: 8, height: 8 }, title);
  if (side === "right") return s("circle", { class: style, cx: x, cy: y, r: 4.5 }, title);
  return s("path", { class: style, d: `M${x} ${y - 5}L${x + 5} ${y}L${x} ${y + 5}L${x - 5} ${y}Z` }, title);
}

export function trendTable(
  preset: MeasureName,
  values: readonly MeasuredValue[],
  references: References,
  gestation: number | null,
): HTMLElement {
  const centiles = references.tables.some(({ measure }) => measure === preset);
  const place = (each: MeasuredValue) => centileText(preset, each, references, gestation).join("; ") || "–";
  // The centiles take the room of the date, which is in the title of the day.
  const date = (each: MeasuredValue) => dayText(each.when) ?? "no date";
  const row = (each: MeasuredValue) =>
    h(
      "tr",
      {},
      h("td", { class: "num", title: date(each) }, each.day),
      centiles ? null : h("td", { class: "nowrap" }, date(each)),
      h("td", {}, sideSign(each.side), each.side || "–"),
      h("td", { class: "num strong" }, valueText(each.measured), scaleNote(each.measured)),
      changeCell(each, values),
      centiles ? h("td", { class: "wrap" }, place(each)) : null,
      each.open
        ? h("td", { class: "nowrap" }, "not committed")
        : h("td", { class: "cut", title: each.reader }, each.reader),
    );
  const heads = [
    ["Day", true],
    ...(centiles ? [] : [["Date", false] as const]),
    ["Side", false],
    [PRESETS[preset].short, true],
    ["Change", true],
    ...(centiles ? [["Centiles", false] as const] : []),
    ["Read", false],
  ] as const;
  return h(
    "table",
    { class: "table" },
    h("caption", { class: "vh" }, `${PRESETS[preset].name}, the latest first`),
    h(
      "thead",
      {},
      h("tr", {}, ...heads.map(([name, right]) => h("th", { scope: "col", class: right ? "num" : null }, name))),
    ),
    h("tbody", {}, ...values.toReversed().map(row)),
  );
}

function scaleNote(measured: Measured): Child {
  const scale = scaleText(measured);
  return scale ? h("span", { class: "small dim stated", title: scale }, scale.split(",")[0]) : null;
}

function sideSign(side: Side): Child {
  return h("span", { "aria-hidden": "true" }, side === "left" ? "■ " : side === "right" ? "● " : "◆ ");
}

/** What the lines are, and what could not be drawn. */
export function sourcesText(
  preset: MeasureName,
  references: References,
  gestation: number | null,
  values: readonly MeasuredValue[] = [],
): Child[] {
  const lines = references.lines
    .filter(({ measure }) => measure === preset)
    .map(({ text, source }) => `${text} (${source})`);
  const tables = references.tables.filter(({ measure }) => measure === preset);
  const dated = tables.filter(({ by }) => by === "day_of_life" || gestation !== null);
  const drawnTables = dated.filter((table) =>
    centileCurves(preset, { ...references, tables: [table] }, gestation).some(
      ({ points }) => clipLine(points, 0, lastDay(values)).length > 1,
    ),
  );
  const notDrawn = [
    tables.length > dated.length ? "A centile table is not drawn: the gestational age is unknown." : "",
    dated.length > drawnTables.length ? "A centile table is not drawn: it holds no age of these days." : "",
  ].filter(Boolean);
  const problems = references.problems.map(({ file, reason }) => `The table ${file} is not used: ${reason}`);
  const texts = [...lines, ...drawnTables.map(({ source }) => `centiles: ${source}`)];
  return [
    texts.length
      ? `Reference lines, not advice: ${texts.join("; ")}. `
      : tables.length
        ? ""
        : "No reference is loaded for this measure. ",
    [...notDrawn, ...problems].join(" "),
  ];
}
