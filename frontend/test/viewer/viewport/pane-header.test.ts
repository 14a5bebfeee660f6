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
  it("says what the scale rests on where that is no ultrasound region", () => {
    const stated = clipOf({ regions: [regionOf({ source: "Imager Pixel Spacing" })] });
    expect(head(stated)).toContain("scale from Imager Pixel Spacing");
    expect(head(stated)).not.toContain("calibrated");
  });
  it("says that of an M-mode trace depths alone can be measured", () => {
    const trace = regionOf({ dx_cm: null, type: "m_mode", frames: [1, 1] });
    expect(head(clipOf({ regions: [trace] }))).toContain("M-mode: depths only");
  });
  it.each([
    [[1, 2], true],
    [[2, 3], false],
  ])("says of a frame, of %s that show it, whether it shows colour Doppler", (flow_frames, expected) => {
    expect(head(clipOf({ flow_frames })).includes("colour Doppler")).toBe(expected);
  });
  it("says where the sides are known from beside the weight of the frame", () => {
    const text = head(clip("coronal", "COR sweep"), "weight 0.14");
    expect(text).toContain("R and L by convention, not marked in the file");
    expect(text).toContain("frame weight 0.14");
  });
});
