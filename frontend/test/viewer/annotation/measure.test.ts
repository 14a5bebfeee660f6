import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Measured, measure, type Shape } from "../../../src/viewer/annotation/measure";
import type { Region } from "../../../src/viewer/types";
import { regionOf } from "../clips";

type Case = Shape & Measured & { name: string; regions: Region[] };

const CASES = JSON.parse(
  readFileSync(join(import.meta.dirname, "../../../../tests/annotations/measurements/measures.json"), "utf8"),
) as Case[];

describe("known lengths, areas and angles, the same as on the server", () => {
  it.each(CASES)("$name", (known) => {
    const { quantity, unit, reason, value, more } = known;
    const close = Object.fromEntries(Object.entries(more).map(([name, each]) => [name, expect.closeTo(each, 6)]));
    expect(measure(known, known.regions)).toStrictEqual({
      quantity,
      unit,
      reason,
      value: value === null ? null : expect.closeTo(value, 6),
      more: close,
    });
  });

  it("a point in a picture measures nothing", () => {
    expect(
      measure({ tool: "point", points: [[5, 5]], preset: "", frame: 1 }, [regionOf({ x1: 99, y1: 99 })]),
    ).toBeNull();
  });
});
