import { describe, expect, it } from "vitest";
import {
  type Drawing,
  type DrawingKind,
  isTooSmall,
  outline,
  pointsOfDrag,
  simplifiedTrace,
  valueText,
  withPointMoved,
} from "../../../src/viewer/annotation/drawing";
import { DrawingEditor, type FrameView } from "../../../src/viewer/annotation/drawing-editor";
import { parsed } from "../../../src/viewer/annotation/drawing-row";
import { axes, type Point } from "../../../src/viewer/annotation/measure";

const FRAME_VIEW: FrameView = {
  sop: "1.2",
  frame: 3,
  toImage: ([x, y]) => [x / 2, y / 2],
  toScreen: ([x, y]) => [2 * x, 2 * y],
};
const MOUSE = { pointerType: "mouse" };
const LENGTH: DrawingKind = { tool: "length", preset: "", side: "" };

function editorWith(drawings: Drawing[] = []): {
  editor: DrawingEditor;
  drawings: () => readonly Drawing[];
  askedTexts: string[];
} {
  const askedTexts: string[] = [];
  const editor: DrawingEditor = new DrawingEditor({
    changed: (next) => editor.set(next, true),
    redraw: () => undefined,
    askText: ({ uid }) => askedTexts.push(uid),
  });
  editor.set(drawings, true);
  return { editor, drawings: () => editor.drawings, askedTexts };
}

function drag(editor: DrawingEditor, from: Point, to: Point): void {
  const pointerDrag = editor.startDrag(FRAME_VIEW, from, MOUSE);
  pointerDrag?.move(to);
  pointerDrag?.up(to);
}

describe("shapes", () => {
  it("an ellipse stays one when an end of its axis moves", () => {
    const moved = withPointMoved("ellipse", pointsOfDrag("ellipse", [10, 10], [50, 30]), 1, [60, 40]);
    const { centre, u, v } = axes(moved);
    expect(centre).toEqual([30, 20]);
    expect(u[0] * v[0] + u[1] * v[1]).toBeCloseTo(0, 0);
    expect(Math.hypot(...v)).toBeCloseTo(10, 1);
    expect(moved[1]).toEqual([60, 40]);
  });

  it("a box is drawn by its two corners and an ellipse through the middles of its sides", () => {
    expect(
      outline("box", [
        [1, 2],
        [5, 9],
      ]).line,
    ).toEqual([
      [1, 2],
      [5, 2],
      [5, 9],
      [1, 9],
    ]);
    expect(outline("ellipse", pointsOfDrag("ellipse", [0, 0], [10, 4])).line[0]).toEqual([10, 2]);
  });

  it("a traced line keeps its corners and at most 256 points", () => {
    const corner = Array.from({ length: 100 }, (_, at): Point => (at < 50 ? [at, 0] : [49, at - 49]));
    expect(simplifiedTrace(corner)).toEqual([
      [0, 0],
      [49, 0],
      [49, 50],
    ]);
    expect(
      simplifiedTrace(Array.from({ length: 3000 }, (_, at): Point => [at, 40 * Math.sin(at)])).length,
    ).toBeLessThanOrEqual(256);
  });

  it("a slip of the hand is no drawing, a point is", () => {
    expect([
      isTooSmall("length", [
        [3, 3],
        [3.2, 3],
      ]),
      isTooSmall("length", [
        [3, 3],
        [9, 3],
      ]),
      isTooSmall("point", [[3, 3]]),
    ]).toEqual([true, false, false]);
  });

  it("points typed as text are read, and nonsense is not", () => {
    expect([parsed("1 2; 3.5,4 ;5 6"), parsed("1; 2 3"), parsed("a b"), parsed("1e9 2")]).toEqual([
      [
        [1, 2],
        [3.5, 4],
        [5, 6],
      ],
      null,
      null,
      null,
    ]);
  });

  it("the unit is always named, and a missing number says so", () => {
    const measured = { quantity: "area", unit: "cm²", value: 2.716, reason: "", more: {} } as const;
    expect([
      valueText(measured),
      valueText({ ...measured, value: null, reason: "uncalibrated: x" }),
      valueText(null),
    ]).toEqual(["2.72 cm²", "uncalibrated", ""]);
  });
});

describe("drawing by hand", () => {
  it("a drag makes a length on that frame, once, and selects it", () => {
    const { editor, drawings } = editorWith();
    editor.chooseKind(LENGTH);
    drag(editor, [20, 20], [60, 20]);
    expect(drawings()).toMatchObject([
      {
        tool: "length",
        sop_uid: "1.2",
        frame: 3,
        points: [
          [10, 10],
          [30, 10],
        ],
      },
    ]);
    expect([editor.selected, editor.activeKind]).toEqual([drawings()[0]?.uid, null]);
  });

  it("two clicks make the same", () => {
    const { editor, drawings } = editorWith();
    editor.chooseKind(LENGTH);
    drag(editor, [20, 20], [20, 20]);
    expect(drawings()).toEqual([]);
    editor.hover(FRAME_VIEW, [40, 20]);
    drag(editor, [60, 20], [60, 20]);
    expect(drawings()[0]?.points).toEqual([
      [10, 10],
      [30, 10],
    ]);
  });

  it("an angle is a drag and a click", () => {
    const { editor, drawings } = editorWith();
    editor.chooseKind({ ...LENGTH, tool: "angle" });
    drag(editor, [20, 20], [60, 20]);
    drag(editor, [60, 80], [60, 80]);
    expect(drawings()[0]?.points).toEqual([
      [10, 10],
      [30, 10],
      [30, 40],
    ]);
  });

  it("a handle moves one point, the line moves all, and elsewhere lets go", () => {
    const drawing: Drawing = {
      ...LENGTH,
      uid: "a",
      sop_uid: "1.2",
      frame: 3,
      label: "",
      points: [
        [10, 10],
        [30, 10],
      ],
    };
    const { editor, drawings } = editorWith([drawing]);
    drag(editor, [61, 20], [80, 40]);
    expect(drawings()[0]?.points).toEqual([
      [10, 10],
      [40, 20],
    ]);
    drag(editor, [50, 30], [50, 40]);
    expect(drawings()[0]?.points).toEqual([
      [10, 15],
      [40, 25],
    ]);
    expect([editor.startDrag(FRAME_VIEW, [5, 90], MOUSE), editor.selected]).toEqual([null, null]);
  });

  it("what is committed can be looked at and not moved", () => {
    const drawing: Drawing = {
      ...LENGTH,
      uid: "a",
      sop_uid: "1.2",
      frame: 3,
      label: "",
      points: [
        [10, 10],
        [30, 10],
      ],
    };
    const { editor, drawings } = editorWith([drawing]);
    editor.set([drawing], false);
    editor.chooseKind(LENGTH);
    drag(editor, [61, 20], [80, 40]);
    expect([drawings(), editor.activeKind, editor.selected]).toEqual([[drawing], null, "a"]);
  });

  it("a second finger, or Escape, drops what was begun", () => {
    const { editor, drawings } = editorWith();
    editor.chooseKind(LENGTH);
    const grip = editor.startDrag(FRAME_VIEW, [20, 20], MOUSE);
    grip?.move([60, 20]);
    grip?.cancel();
    expect([drawings(), editor.inProgress]).toEqual([[], null]);
  });

  it("an arrow asks for its text", () => {
    const { editor, drawings, askedTexts } = editorWith();
    editor.chooseKind({ ...LENGTH, tool: "arrow" });
    drag(editor, [20, 20], [60, 20]);
    expect(askedTexts).toEqual([drawings()[0]?.uid]);
  });
});
