// @vitest-environment jsdom
import { describe, expect, it } from "vitest";
import type { Clip, View } from "../../../src/viewer/types";
import { drawPaneHeader } from "../../../src/viewer/viewport/pane-header";
import { clipOf, regionOf } from "../clips";

const clip = (view: View, label: string): Clip => clipOf({ view, label });

function head(shown: Clip, note = ""): string {
  const element = document.createElement("div");
  drawPaneHeader(element, shown, 1, "", note);
  return element.textContent ?? "";
}

describe("what stands above a picture", () => {
  it.each(["sagittal", "mastoid", "other"] as const)("says of a %s view that nobody stated its side", (view) => {
    expect(head(clip(view, "sweep"))).toContain("side not stated");
  });
  it.each(["sagittal", "mastoid", "other"] as const)("says of a %s view that its label names the side", (view) => {
    expect(head(clip(view, "MAST left"))).toContain("side from label");
  });
  it.each([
    [0.01, 0.02, true],
    [0.01, 0.0101, false],
  ])("says of steps of %s by %s cm whether shapes are stretched", (dx_cm, dy_cm, expected) => {
    const uneven = clipOf({ regions: [regionOf({ dx_cm, dy_cm })] });
    expect(head(uneven).includes("pixels not square")).toBe(expected);
  });
  it("says where the sides are known from beside the weight of the frame", () => {
    const text = head(clip("coronal", "COR sweep"), "weight 0.14");
    expect(text).toContain("R and L by convention, not marked in the file");
    expect(text).toContain("frame weight 0.14");
  });
});
