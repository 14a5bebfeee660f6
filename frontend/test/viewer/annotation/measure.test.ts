import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Measured, measure, type Point, type Shape, straightened } from "../../../src/viewer/annotation/measure";
import type { Region } from "../../../src/viewer/types";
import { regionOf } from "../clips";

type Case = Shape & Measured & { name: string; regions: Region[] };

const CASES = JSON.parse(
  readFileSync(join(import.meta.dirname, "../../../../tests/annotations/measurements/measures.json"), "utf8"),
) as Case[];

describe("known lengths, areas and angles, the same as on the server", () => {
  it.each(CASES)("$name", (known) => {
    const { quantity, unit, reason, value, more, scale } = known;
    const close = Object.fromEntries(Object.entries(more).map(([name, each]) => [name, expect.closeTo(each, 6)]));
    expect(measure(known, known.regions)).toStrictEqual({
      quantity,
      unit,
      reason,
      value: value === null ? null : expect.closeTo(value, 6),
      more: close,
      ...(scale ? { scale } : {}),
    });
  });

  it.each<[string, Point[], number, Point[]]>([
    [
      "its end",
      [
        [50, 20],
        [55, 80],
      ],
      1,
      [
        [50, 20],
        [50, 80],
      ],
    ],
    [
      "its start",
      [
        [50, 20],
        [55, 80],
      ],
      0,
      [
        [55, 20],
        [55, 80],
      ],
    ],
    [
      "nothing that leans more",
      [
        [50, 20],
        [80, 80],
      ],
      1,
      [
        [50, 20],
        [80, 80],
      ],
    ],
    [
      "nothing outside the trace",
      [
        [450, 20],
        [455, 80],
      ],
      1,
      [
        [450, 20],
        [455, 80],
      ],
    ],
  ])("a line that is nearly straight down an M-mode trace is straightened at %s", (_, points, moved, expected) => {
    const trace = regionOf({ dx_cm: null, dy_cm: 0.05, type: "m_mode" });
    expect(straightened({ tool: "length", points, frame: 1 }, moved, [trace])).toEqual(expected);
  });

  it("a line in a picture is left as it is drawn", () => {
    const points: Point[] = [
      [50, 20],
      [55, 80],
    ];
    expect(straightened({ tool: "length", points, frame: 1 }, 1, [regionOf()])).toBe(points);
  });

  it("a point in a picture measures nothing", () => {
    expect(
      measure({ tool: "point", points: [[5, 5]], preset: "", frame: 1 }, [regionOf({ x1: 99, y1: 99 })]),
    ).toBeNull();
  });
});
