// @vitest-environment jsdom
import { describe, expect, it } from "vitest";
import { drawHead } from "../../src/viewer/head";
import type { Clip, View } from "../../src/viewer/types";

const clip = (view: View, label: string): Clip => ({
  sop_uid: "1", number: 2, view, plane: "", view_source: "tags", label, acquired_at: null, rows: 1, columns: 1, frames: 1, frame_time_ms: null, fps: 24, fps_source: "default", display_rate: null,
  frame_times: null, photometric: "MONOCHROME2", regions: [], calibration: "calibrated", decode_error: "", scorable: true, parked_reason: "", thumbnail_url: "", frame_url: "",
});

function head(shown: Clip, note = ""): string {
  const element = document.createElement("div");
  drawHead(element, shown, "", note);
  return element.textContent ?? "";
}

describe("what stands above a picture", () => {
  it.each(["sagittal", "mastoid", "other"] as const)("says of a %s view that nobody stated its side", (view) => {
    expect(head(clip(view, "sweep"))).toContain("side not stated");
  });
  it.each(["sagittal", "mastoid", "other"] as const)("says of a %s view that its label names the side", (view) => {
    expect(head(clip(view, "MAST left"))).toContain("side from label");
  });
});
