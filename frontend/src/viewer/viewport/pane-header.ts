/** What stands above a picture: which clip it is, where its side is known from, whether lengths can be measured. */

import { type Child, fill, h } from "../../common/dom";
import { regionsOf } from "../annotation/measure";
import type { Clip } from "../types";

/** From this on a circle looks like none. */
const UNEVEN = 0.02;
const CALIBRATION = {
  calibrated: "calibrated",
  uncalibrated: "uncalibrated: no distances",
  mixed: "calibration differs between regions",
} as const;

/**
 * What can be measured on this frame (from 1), by the server's rule for a clip:
 * a scale that other frames have says nothing of it.
 */
export function calibrationOf({ calibration, regions }: Clip, frame: number): Clip["calibration"] {
  if (!regions.some(({ frames }) => frames)) return calibration;
  const pictures = regionsOf(regions, frame).filter(({ type = "2d" }) => type === "2d");
  const scaled = pictures.filter(({ dx_cm }) => dx_cm !== null).length;
  return !scaled ? "uncalibrated" : scaled === pictures.length ? "calibrated" : "mixed";
}

/**
 * Of this frame a pixel is not as high as it is wide: it is drawn so, and shapes look wider or narrower than they are.
 */
function isUneven({ regions }: Clip, frame: number): boolean {
  return regionsOf(regions, frame).some(
    ({ dx_cm, dy_cm }) => dx_cm !== null && dy_cm !== null && Math.abs(dx_cm / dy_cm - 1) > UNEVEN,
  );
}

/**
 * Where the side of the picture is known from, in full and in brief;
 * a file that marks none is shown by convention, and says so.
 */
function sideOf(clip: Clip): readonly [string, string] {
  if (clip.view === "coronal") return ["R and L by convention, not marked in the file", "R/L by convention"];
  const said = /left|right|\bl\b|\br\b/i.test(clip.label) ? "side from label" : "side not stated";
  return [said, said];
}

/**
 * `origin` is set for the pictures of another study; `weight` is what the model made of the frame, after the commit.
 */
export function drawHead(element: HTMLElement, clip: Clip | null, frame: number, origin: string, weight: string): void {
  if (!clip) return fill(element, origin ? h("p", {}, h("b", { class: "origin" }, origin)) : null);
  const [full, brief] = sideOf(clip);
  const calibration = calibrationOf(clip, frame);
  const said = [full, clip.view_source === "person" ? "view set by hand" : ""].filter(Boolean).join(" · ");
  const from: Child = origin ? h("b", { class: "origin" }, `${origin} · `) : null;
  // Why a clip was not scored says more than that its frames have no weight.
  const framed: Child[] = weight ? [h("span", { class: "wide" }, "frame "), weight] : [];
  const beside: Child[] = clip.scorable ? framed : [clip.parked_reason || "not scored"];
  fill(
    element,
    h(
      "p",
      {},
      from,
      h("b", {}, clip.label),
      h("span", { class: "nth" }, ` · clip ${clip.number}`),
      h("span", { class: "note", title: said }, said),
      h("span", { class: "brief", title: said }, ` · ${brief}`),
    ),
    h(
      "p",
      { class: "right" },
      h("span", { class: `calibration ${calibration}` }, CALIBRATION[calibration]),
      isUneven(clip, frame)
        ? h(
            "span",
            { class: "note uneven", title: "Shapes are stretched as the file stores them; numbers are not." },
            "pixels not square",
          )
        : null,
      beside.length ? h("span", { class: "note weight" }, ...beside) : null,
    ),
  );
}
