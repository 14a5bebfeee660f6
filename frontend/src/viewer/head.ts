/** What stands above a picture: which clip it is, where its side is known from, whether lengths can be measured. */

import { type Child, fill, h } from "../common/dom";
import type { Clip } from "./types";

const CALIBRATION = { calibrated: "calibrated", uncalibrated: "uncalibrated: no distances", mixed: "calibration differs between regions" } as const;

/** Where the side of the picture is known from; a file that marks none is shown by convention, and says so. */
function sideNote(clip: Clip): string {
  const set = clip.view_source === "person" ? "view set by hand" : "";
  return [set, sideOf(clip)].filter(Boolean).join(" · ");
}

function sideOf(clip: Clip): string {
  if (clip.view === "coronal") return "R and L by convention, not marked in the file";
  return /left|right|\bl\b|\br\b/i.test(clip.label) ? "side from label" : "side not stated";
}

/** `origin` is set for the pictures of another study; `note` takes the place of what is said of the side. */
export function drawHead(element: HTMLElement, clip: Clip | null, origin: string, note: string): void {
  if (!clip) return fill(element, origin ? h("p", {}, h("b", { class: "origin" }, origin)) : null);
  const said = note || sideNote(clip);
  const from: Child = origin ? h("b", { class: "origin" }, `${origin} · `) : null;
  fill(
    element,
    h("p", {}, from, h("b", {}, clip.label), ` · clip ${clip.number}`, said ? h("span", { class: "note" }, said) : null),
    h("p", { class: "right" }, h("span", { class: `calibration ${clip.calibration}` }, CALIBRATION[clip.calibration]), clip.scorable ? null : h("span", { class: "note" }, clip.parked_reason || "not scored")),
  );
}
