/** The numbers of drawings as they stand on the page: beside the drawing, in the table of drawings, in the read. */

import { beforeEach, describe, expect, it, vi } from "vitest";
import { blankForm } from "../../../src/reading/answer/findings";
import { ReadForm } from "../../../src/reading/form/form";
import { type Drawing, valueText } from "../../../src/viewer/annotation/drawing";
import { DrawingEditor } from "../../../src/viewer/annotation/drawing-editor";
import { DrawingRow } from "../../../src/viewer/annotation/drawing-row";
import type { Measured } from "../../../src/viewer/annotation/measure";
import { SvgLayer } from "../../../src/viewer/annotation/svg-layer";
import type { Region } from "../../../src/viewer/types";
import { PAPILE } from "../../reading/schemas";
import { clipOf, regionOf } from "../clips";

const none = () => undefined;
const PICTURE = regionOf({ y1: 149, dy_cm: 0.03 });
// The zero line is row 150 + 99 + 0.5; a row is half a centimetre per second, in the third frame 25 hertz.
const TRACE = regionOf({
  y0: 150,
  dx_cm: null,
  dy_cm: null,
  units: "s/cm/s",
  type: "spectral",
  axes: ["s", "cm/s"],
  delta: [0.005, -0.5],
  reference: [0, 99],
  reference_value: [0, 0],
});
const HERTZ: Region = { ...TRACE, axes: ["s", "Hz"], delta: [0.005, -25], frames: [3, 3] };
const REGIONS = [PICTURE, TRACE, HERTZ];
const CLIP = clipOf({ sop_uid: "1.2", rows: 300, columns: 400, regions: REGIONS });
const LENGTH: Drawing = {
  uid: "a",
  tool: "length",
  preset: "",
  side: "",
  sop_uid: "1.2",
  frame: 1,
  label: "",
  points: [
    [20, 20],
    [50, 40],
  ],
};
const WAVE: Partial<Drawing> = {
  preset: "ri",
  points: [
    [50, 189.5],
    [90, 229.5],
  ],
};

/** What is drawn, what it is called, the number, what else follows. */
const SHOWN: [string, Partial<Drawing>, name: string, value: string, more: string][] = [
  ["a length", {}, "Length", "8.5 mm", ""],
  [
    "a measure of a side",
    {
      preset: "vi",
      side: "left",
      points: [
        [10, 10],
        [110, 10],
      ],
    },
    "VI left",
    "20.0 mm",
    "",
  ],
  [
    "an angle",
    {
      tool: "angle",
      points: [
        [110, 60],
        [80, 40],
        [50, 40],
      ],
    },
    "Angle",
    "135.0°",
    "",
  ],
  [
    "a box",
    {
      tool: "box",
      points: [
        [10, 20],
        [30, 60],
      ],
    },
    "Box",
    "0.48 cm²",
    "width 4.0 mm, height 12.0 mm",
  ],
  [
    "an ellipse",
    {
      tool: "ellipse",
      points: [
        [80, 90],
        [120, 110],
        [90, 120],
        [110, 80],
      ],
    },
    "Ellipse",
    "0.94 cm²",
    "axis 10.0 mm, axis 12.6 mm",
  ],
  [
    "a freehand line",
    {
      tool: "freehand",
      points: [
        [20, 20],
        [120, 20],
        [120, 60],
        [60, 60],
        [60, 100],
        [20, 100],
      ],
    },
    "Freehand",
    "3.36 cm²",
    "perimeter 88.0 mm",
  ],
  ["a resistive index", WAVE, "RI", "0.67", "PSV 30.0 cm/s, EDV 10.0 cm/s"],
  ["a resistive index in hertz", { ...WAVE, frame: 3 }, "RI", "0.67", "PSV 1\u202f500 Hz, EDV 500 Hz"],
  ["a velocity", { tool: "point", points: [[50, 189.5]] }, "Point", "30.0 cm/s", ""],
  ["a frequency", { tool: "point", points: [[50, 189.5]], frame: 3 }, "Point", "1\u202f500 Hz", ""],
];
const SERVERS: Measured = {
  quantity: "area",
  unit: "cm²",
  value: 7.256,
  reason: "",
  more: { width_mm: 1.26, height_mm: 3.44 },
};

function layer(drawing: Drawing, regions: readonly Region[] = REGIONS): SVGElement {
  const layer = new SvgLayer({ nudge: none, erase: none });
  const { frame, uid } = drawing;
  layer.draw({
    drawings: [drawing],
    selected: uid,
    moving: null,
    activeKind: null,
    editable: true,
    attribution: "",
    regions,
    frame,
    width: 800,
    height: 600,
    occupied: [],
    toScreen: ([x, y]) => [2 * x, 2 * y],
  });
  return layer.element;
}

function row(drawing: Drawing, clip = CLIP): string | null | undefined {
  const drawingEditor = new DrawingEditor({ changed: none, redraw: none, askText: none });
  const row = new DrawingRow(drawing, { drawingEditor, clips: [clip], goTo: none, erase: none });
  row.draw(drawing, false);
  return row.element.querySelector(".says")?.textContent;
}

function inTheRead(drawing: Drawing, clip = CLIP): string | null | undefined {
  const commands = {
    act: none,
    commit: none,
    undo: none,
    skip: null,
    keyframe: none,
    goTo: none,
    openClip: none,
    goToDrawing: none,
    drawings: none,
    release: none,
  };
  const form = new ReadForm("room", PAPILE, [clip], [], commands);
  const { findings, ...rest } = blankForm(false, PAPILE);
  form.draw({ ...rest, findings: { ...findings, drawings: [drawing] } }, false);
  return form.element.querySelector("[data-drawn]")?.textContent;
}

// Nothing here has letters of a width.
beforeEach(() => void vi.spyOn(HTMLCanvasElement.prototype, "getContext").mockReturnValue(null));

describe("the numbers that are shown", () => {
  it.each(SHOWN)("of %s: beside it, in its table and in the read", (_, part, name, value, more) => {
    const drawing = { ...LENGTH, ...part };
    const mark = layer(drawing);
    expect(mark.querySelector(".says")?.textContent).toBe(`${name} ${value}`);
    expect(mark.querySelector("title")?.textContent).toContain(`, ${value}`);
    expect(mark.querySelector(".handle")?.getAttribute("aria-label")).toMatch(new RegExp(`\\. ${value}$`));
    expect([row(drawing), inTheRead(drawing)]).toEqual([more ? `${value} ${more}` : value, `${name} ${value}`]);
  });

  it("are the server's own after a commit, whatever the points say here", () => {
    const drawing: Drawing = { ...LENGTH, tool: "box", measured: SERVERS };
    const mark = layer(drawing);
    expect([mark.querySelector(".says")?.textContent, mark.querySelector("title")?.textContent]).toEqual([
      "Box 7.26 cm²",
      "Box, 7.26 cm²",
    ]);
    expect([row(drawing), inTheRead(drawing)]).toEqual(["7.26 cm² width 1.3 mm, height 3.4 mm", "Box 7.26 cm²"]);
  });

  it("stand unrounded on the mark, with their unit", () => {
    const mark = layer({ ...LENGTH, measured: SERVERS }).querySelector(".mark");
    expect([mark?.getAttribute("data-value"), mark?.getAttribute("data-unit")]).toEqual(["7.256", "cm²"]);
  });

  it("are where a handle stands, in pixels of the picture", () => {
    const names = [
      ...layer({
        ...LENGTH,
        points: [
          [20.25, 30.5],
          [50, 40],
        ],
      }).querySelectorAll(".handle"),
    ].map((each) => each.getAttribute("aria-label"));
    expect(names.map((name) => name?.match(/x .*?, y [\d.]+(?=\.)/)?.[0])).toEqual([
      "x 20.3, y 30.5",
      "x 50.0, y 40.0",
    ]);
  });

  it("are none, with the reason, where the points lie in two regions", () => {
    const drawing: Drawing = {
      ...LENGTH,
      points: [
        [20, 20],
        [20, 200],
      ],
    };
    const why = "uncalibrated: the points lie in two regions";
    expect([row(drawing), inTheRead(drawing), layer(drawing).querySelector("title")?.textContent]).toEqual([
      why,
      "Length uncalibrated",
      `Length, ${why}`,
    ]);
  });

  it("name their scale wherever they stand, if no ultrasound region states it", () => {
    const stated = { ...CLIP, regions: [{ ...PICTURE, source: "Pixel Spacing" as const }] };
    const scale = "scale from Pixel Spacing, not from ultrasound regions";
    const mark = layer(LENGTH, stated.regions);
    const rows = [...mark.querySelectorAll(".says tspan")].map((each) => each.textContent);
    expect(rows.join(" ")).toBe(`Length 8.5 mm ${scale}`);
    expect(mark.querySelector("title")?.textContent).toBe(`Length, 8.5 mm, ${scale}`);
    expect(mark.querySelector(".handle")?.getAttribute("aria-label")).toContain(`8.5 mm, ${scale}`);
    expect([row(LENGTH, stated), inTheRead(LENGTH, stated)]).toEqual([`8.5 mm ${scale}`, `Length 8.5 mm, ${scale}`]);
  });

  it("keep the sign of what flows away", () => {
    expect(valueText({ quantity: "velocity", unit: "cm/s", value: -5, reason: "", more: {} })).toBe("−5.0 cm/s");
  });
});
