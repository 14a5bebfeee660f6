/** All studies of the infant on an axis of days of life: grade per side, its read, the next screening. */

import type { ScreeningWindow, TimelinePayload, TimelineRead, TimelineStudy } from "../../api/schema";
import { api, reason } from "../../common/api";
import { type Child, fill, h, s } from "../../common/dom";
import { count, day as dayText, grade as roman } from "../../common/format";
import { measuredOf, PRESETS } from "../../viewer/annotation/drawing";
import type { Prior, Study } from "../../viewer/types";
import type { Viewer } from "../../viewer/viewer";
import {
  type MeasureName,
  measuredValues,
  measuresPresent,
  type OpenDrawings,
  sourcesText,
  trendChart,
  trendTable,
} from "./trend";

type GradedRead = TimelineRead;
type Entry = TimelineStudy;
type Timeline = TimelinePayload;

const WIDTH = 560;
const HEIGHT = 92;
const LEFT = 46;
const ROWS = { right: 18, left: 44 } as const;
const AXIS = 66;

function gradeText(read: GradedRead | null, side: "right" | "left"): string {
  const value = read?.[side];
  return value === null || value === undefined ? "–" : value === 0 ? "0" : (roman(value) ?? "–");
}

/** Days shown: all studies, and the next screening. */
export function daySpan(days: readonly number[], next: ScreeningWindow | null, today: number | null): [number, number] {
  const every = [0, ...days, ...(next ? [next.last] : []), ...(today !== null && today < 200 ? [today] : [])];
  return [0, Math.max(14, ...every) * 1.04];
}

function chart(timeline: Timeline): SVGSVGElement {
  const { studies, screening } = timeline;
  const dated = studies.filter((entry): entry is Entry & { day_of_life: number } => entry.day_of_life !== null);
  const [, end] = daySpan(
    dated.map((entry) => entry.day_of_life),
    screening.next,
    screening.today,
  );
  const x = (value: number) => LEFT + (value / end) * (WIDTH - LEFT - 12);
  const step = end > 120 ? 28 : end > 40 ? 14 : 7;
  const ticks = Array.from({ length: Math.floor(end / step) + 1 }, (_, at) => at * step);
  const windows = screening.windows
    .filter((window) => window.last <= end)
    .map((window) =>
      s(
        "rect",
        {
          class: window.done ? "due done" : "due",
          x: x(window.first),
          y: AXIS - 3,
          width: Math.max(3, x(window.last) - x(window.first)),
          height: 6,
        },
        s("title", {}, `Screening ${window.name}: ${window.done ? "done" : "open"}`),
      ),
    );
  const marks = dated.flatMap((entry) => mark(entry, x(entry.day_of_life)));
  const labels = [
    s("text", { x: 0, y: ROWS.right + 4 }, "Right"),
    s("text", { x: 0, y: ROWS.left + 4 }, "Left"),
    s("text", { x: 0, y: AXIS + 18 }, "Day"),
  ];
  const axis = [
    s("path", { class: "axis", d: `M${LEFT} ${AXIS}H${WIDTH - 6}` }),
    ...ticks.map((value) => s("text", { x: x(value), y: AXIS + 18, "text-anchor": "middle" }, value)),
  ];
  return s(
    "svg",
    {
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
      role: "img",
      "aria-label": "Grade per side over days of life; the same as the table",
    },
    ...labels,
    ...axis,
    ...windows,
    ...marks,
  );
}

function mark(entry: Entry, x: number): SVGElement[] {
  const line = s("path", { class: entry.current ? "now" : "axis", d: `M${x} 4V${AXIS}` });
  const grades = (["right", "left"] as const).map((side) => {
    const text = gradeText(entry.read, side);
    return s(
      "g",
      {},
      s("circle", { class: entry.current ? "stop now" : "stop", cx: x, cy: ROWS[side], r: 9 }),
      s("text", { class: "t", x, y: ROWS[side] + 4, "text-anchor": "middle" }, text),
    );
  });
  return [line, ...grades];
}

function windowStart({ from, first }: ScreeningWindow): string {
  return dayText(from) ?? `day ${first}`;
}

function windowEnd({ to, last }: ScreeningWindow): string {
  return dayText(to) ?? `day ${last}`;
}

function screeningText(timeline: Timeline): Child[] {
  const { next, missed, why, source } = timeline.screening;
  if (why) return [why];
  const late = missed.map((window) => `${window.name}, until ${windowEnd(window)}`);
  return [
    next
      ? h("span", { class: "strong" }, `Next screening ${next.name}: ${windowStart(next)} to ${windowEnd(next)}. `)
      : "Every screening of the schedule is past. ",
    late.length ? `Not found here: ${late.join("; ")}. ` : "",
    h("span", { class: "dim" }, source),
  ];
}

function row(entry: Entry, prior: Prior | undefined, hang: (prior: Prior) => void): HTMLElement {
  const open = prior
    ? h("button", { class: "link small", type: "button", onclick: () => hang(prior) }, "hang beneath")
    : entry.current
      ? h("span", { class: "dim" }, "this study")
      : h("a", { href: entry.url, target: "_blank", rel: "opener" }, "open");
  const who = entry.read ? entry.read.reader : entry.hidden || "not read";
  return h(
    "tr",
    {},
    h("td", { class: "num" }, entry.day_of_life ?? "–"),
    h("td", { class: "nowrap" }, dayText(entry.acquired_at) ?? "no date"),
    h("td", { class: "num" }, gradeText(entry.read, "right")),
    h("td", { class: "num" }, gradeText(entry.read, "left")),
    h("td", { class: "cut" }, `${entry.read?.phi ? "parenchymal · " : ""}${who}`),
    h("td", { class: "num" }, open),
  );
}

function table(timeline: Timeline, study: Study, hang: (prior: Prior) => void): HTMLElement {
  const heads = ["Day", "Date", "Right", "Left", "Read", ""].map((name) =>
    h(
      "th",
      { scope: "col", class: ["Day", "Right", "Left"].includes(name) ? "num" : null },
      name || h("span", { class: "vh" }, "Show"),
    ),
  );
  const prior = (entry: Entry) => study.priors.find((each) => each.study_uid === entry.study_uid);
  return h(
    "table",
    { class: "table" },
    h("caption", { class: "vh" }, "All studies of this infant, the latest first"),
    h("thead", {}, h("tr", {}, ...heads)),
    h("tbody", {}, ...timeline.studies.toReversed().map((entry) => row(entry, prior(entry), hang))),
  );
}

/** The drawings of the open read, measured in the browser. */
function openDrawings(viewer: Viewer, study: Study): OpenDrawings {
  const regions = new Map(study.clips.map((clip) => [clip.sop_uid, clip.regions]));
  return viewer.marks.drawingEditor.drawings.map((drawing) => ({
    ...drawing,
    measured: measuredOf(drawing, regions.get(drawing.sop_uid) ?? []),
  }));
}

/** Grades, or one of the measures: a chart and the table of its numbers. */
class TimelineView {
  readonly element = h("div", { class: "serial" });
  private readonly choice = h("select", { "aria-label": "What the timeline shows" });
  private readonly body = h("div", { class: "serial-body" });
  private readonly screening = h("span", { "data-due": "" });
  private offeredMeasures = "?";

  constructor(
    private readonly viewer: Viewer,
    private readonly study: Study,
    private readonly timeline: Timeline,
    private readonly isCommitted: () => boolean,
    chosen = "",
  ) {
    const title =
      timeline.studies.length > 1
        ? `${count(timeline.studies.length, "study", "studies")} of this infant`
        : "The only study of this infant";
    this.element.append(
      h("p", { class: "line small" }, h("h2", { class: "h3" }, title), this.choice, this.screening),
      this.body,
    );
    this.choice.addEventListener("change", () => this.show());
    this.drawingsChanged(chosen);
    this.show();
  }

  private get drawn(): OpenDrawings {
    return this.isCommitted() ? null : openDrawings(this.viewer, this.study);
  }

  /** Offer the measures that have numbers now, and redraw the one that is shown. */
  drawingsChanged(chosen = this.choice.value): void {
    const measures = measuresPresent(this.timeline.studies, this.drawn);
    if (measures.join() !== this.offeredMeasures) {
      this.offeredMeasures = measures.join();
      fill(
        this.choice,
        h("option", { value: "" }, "Grades"),
        ...measures.map((preset) => h("option", { value: preset }, PRESETS[preset].name)),
      );
      this.choice.value = measures.some((preset) => preset === chosen) ? chosen : "";
      this.choice.hidden = !measures.length;
    }
    if (chosen) this.show();
  }

  private show(): void {
    const { viewer, study, timeline, drawn } = this;
    const preset = this.choice.value as MeasureName | "";
    if (!preset) {
      const hang = (prior: Prior) => void viewer.togglePrior(prior);
      fill(this.screening, ...screeningText(timeline));
      this.screening.title = this.screening.textContent;
      return fill(this.body, chart(timeline), h("div", { class: "scroll-y" }, table(timeline, study, hang)));
    }
    const values = measuredValues(preset, timeline.studies, drawn);
    const gestation = study.patient.gestational_age_days;
    fill(this.screening);
    const from = h("p", { class: "small dim" }, ...sourcesText(preset, timeline.references, gestation, values));
    fill(
      this.body,
      trendChart(preset, values, timeline.references, gestation),
      h(
        "div",
        { class: "scroll-y", tabindex: 0, role: "group", "aria-label": `${PRESETS[preset].name}: numbers and sources` },
        trendTable(preset, values, timeline.references, gestation),
        from,
      ),
    );
  }
}

/** Reserve the space, so that the pictures do not move when the timeline arrives. */
export function showTimelinePlaceholder(box: HTMLElement): void {
  fill(box, h("p", { class: "small dim serial" }, "Looking for this infant's other studies…"));
}

/**
 * Show the timeline below the pictures, with the measure that was chosen before. Reading never waits for it; a failure
 * is stated in its place. Returns the function to call when drawings change.
 */
export async function showTimeline(
  box: HTMLElement,
  viewer: Viewer,
  study: Study,
  done: () => boolean,
): Promise<() => void> {
  try {
    const timeline = await api.get<Timeline>(`/api/v1/studies/${study.study_uid}/timeline/`);
    const view = new TimelineView(viewer, study, timeline, done, box.querySelector("select")?.value);
    fill(box, view.element);
    return () => view.drawingsChanged();
  } catch (error) {
    fill(box, h("p", { class: "small dim serial" }, `The infant's other studies cannot be shown. ${reason(error)}`));
    return () => undefined;
  }
}
