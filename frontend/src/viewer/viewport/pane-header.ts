/** What stands above a picture: which clip it is, where its side is known from, whether lengths can be measured. */

import { type Child, fill, h } from "../../common/dom";
import { regionsOf } from "../annotation/measure";
import type { Clip } from "../types";

/** From this relative difference on a circle visibly looks like an ellipse. */
const UNEVEN = 0.02;
const CALIBRATION = {
  calibrated: "calibrated",
  uncalibrated: "uncalibrated: no distances",
  depth: "M-mode: depths only",
  mixed: "calibration differs between regions",
} as const;

/**
 * What can be measured on this frame (from 1), by the server's rule for a clip:
 * a scale that other frames have says nothing of it.
 */
export function calibrationOf({ calibration, regions }: Clip, frame: number): Clip["calibration"] {
  if (!regions.some(({ frames }) => frames)) return calibration;
  const here = regionsOf(regions, frame);
  const pictures = here.filter(({ type = "2d" }) => type === "2d");
  const scaled = pictures.filter(({ dx_cm }) => dx_cm !== null).length;
  if (!scaled && here.some(({ type, dy_cm }) => type === "m_mode" && dy_cm !== null)) return "depth";
  return !scaled ? "uncalibrated" : scaled === pictures.length ? "calibrated" : "mixed";
}

/** What the scale of this frame rests on where that is no ultrasound region; empty otherwise. */
function statedBy({ regions }: Clip, frame: number): string {
  return regionsOf(regions, frame).find(({ source }) => source)?.source ?? "";
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
function sideSource(clip: Clip): readonly [string, string] {
  if (clip.view === "coronal") return ["R and L by convention, not marked in the file", "R/L by convention"];
  const source = /left|right|\bl\b|\br\b/i.test(clip.label) ? "side from label" : "side not stated";
  return [source, source];
}

/**
 * `origin` is set for the pictures of another study; `weight` is what the model made of the frame, after the commit.
 */
export function drawPaneHeader(
  element: HTMLElement,
  clip: Clip | null,
  frame: number,
  origin: string,
  weight: string,
): void {
  if (!clip) return fill(element, origin ? h("p", {}, h("b", { class: "origin" }, origin)) : null);
  const [full, brief] = sideSource(clip);
  const calibration = calibrationOf(clip, frame);
  const source = statedBy(clip, frame);
  const note = [full, clip.view_source === "person" ? "view set by hand" : ""].filter(Boolean).join(" · ");
  const originLabel: Child = origin ? h("b", { class: "origin" }, `${origin} · `) : null;
  // Why a clip was not scored says more than that its frames have no weight.
  const weightLabel: Child[] = weight ? [h("span", { class: "wide" }, "frame "), weight] : [];
  const flow = clip.flow_frames.includes(frame) ? "colour Doppler" : "";
  const scoreNote: Child[] = clip.scorable ? [flow, ...weightLabel] : [clip.parked_reason || "not scored"];
  fill(
    element,
    h(
      "p",
      {},
      originLabel,
      h("b", {}, clip.label),
      h("span", { class: "nth" }, ` · clip ${clip.number}`),
      h("span", { class: "note", title: note }, note),
      h("span", { class: "brief", title: note }, ` · ${brief}`),
    ),
    h(
      "p",
      { class: "right" },
      source
        ? h("span", { class: "calibration stated", title: "not from ultrasound regions" }, `scale from ${source}`)
        : h("span", { class: `calibration ${calibration}` }, CALIBRATION[calibration]),
      isUneven(clip, frame)
        ? h(
            "span",
            { class: "note uneven", title: "Shapes are stretched as the file stores them; numbers are not." },
            "pixels not square",
          )
        : null,
      scoreNote.some(Boolean) ? h("span", { class: "note weight" }, ...scoreNote) : null,
    ),
  );
}
