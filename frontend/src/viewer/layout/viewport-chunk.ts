/**
 * Loads the chunk that draws pixels, and fetches the first pictures
 * before it is there.
 */

import { prefetchBitmap } from "../loading/frame-decoder";
import { frameUrl, playable, type Study } from "../types";
import type { ViewportModule } from "../viewport/viewer-services";
import { type Layout, shape } from "./grid";
import { hangClips } from "./hanging-protocol";

export const WIDE_WINDOW = "(min-width: 1180px)";

let loading: Promise<ViewportModule> | null = null;
let loaded: ViewportModule | null = null;

/** Load the chunk, once; begun while the study is still being fetched. */
export function loadViewports(): Promise<ViewportModule> {
  loading ??= import("../viewport/cornerstone-viewport").then((viewports) => (loaded = viewports));
  return loading;
}

export function layoutFor(panes: 1 | 2): Layout {
  return panes === 2 && window.matchMedia(WIDE_WINDOW).matches ? "1x2" : "1x1";
}

/** Fetch the first picture of each clip that hangs first. */
export function prefetchFirstPictures(study: Study, panes: 1 | 2): void {
  const [rows, columns] = shape(layoutFor(panes));
  for (const clip of hangClips(study.clips, rows * columns))
    if (clip && playable(clip) && !loaded?.hasFrame(frameUrl(clip, 1))) prefetchBitmap(frameUrl(clip, 1));
}
