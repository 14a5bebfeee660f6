import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { measure, type Shape } from "../../../src/viewer/annotation/measure";
import type { Region } from "../../../src/viewer/types";

type Case = Shape & { name: string; regions: Region[]; value: number | null; unit: string; reason: string };

const CASES = JSON.parse(
  readFileSync(join(import.meta.dirname, "../../../../tests/annotations/measurements/measures.json"), "utf8"),
) as Case[];

describe("known lengths, areas and angles, the same as on the server", () => {
  it.each(CASES)("$name", (known) => {
    const found = measure(known, known.regions);
    expect([found?.unit, found?.reason]).toEqual([known.unit, known.reason]);
    if (known.value === null) expect(found?.value).toBeNull();
    else expect(found?.value).toBeCloseTo(known.value, 6);
  });

  it("a point in a picture measures nothing", () => {
    expect(
      measure({ tool: "point", points: [[5, 5]], preset: "", frame: 1 }, [
        { x0: 0, y0: 0, x1: 99, y1: 99, dx_cm: 0.02, dy_cm: 0.02, type: "2d", inside: true },
      ]),
    ).toBeNull();
  });
});
