/**
 * The part that draws pixels is a chunk of its own:
 * when it is loaded, and the first pictures that need not wait for it.
 */

import { prefetchBitmap } from "../loading/frame-decoder";
import { frameUrl, playable, type Study } from "../types";
import type { ViewportModule } from "../viewport/viewer-services";
import { type Layout, shape } from "./grid";
import { hangClips } from "./hanging-protocol";

export const WIDE_WINDOW = "(min-width: 1180px)";

let loading: Promise<ViewportModule> | null = null;
let loaded: ViewportModule | null = null;

/** Begin loading the part that draws, while the study is still being asked for. */
export function loadViewports(): Promise<ViewportModule> {
  loading ??= import("../viewport/cornerstone-viewport").then((viewports) => (loaded = viewports));
  return loading;
}

export function layoutFor(panes: 1 | 2): Layout {
  return panes === 2 && window.matchMedia(WIDE_WINDOW).matches ? "1x2" : "1x1";
}

/** Ask for what hangs first, before there is anything to hang it in. */
export function prefetchFirstPictures(study: Study, panes: 1 | 2): void {
  const [rows, columns] = shape(layoutFor(panes));
  for (const clip of hangClips(study.clips, rows * columns))
    if (clip && playable(clip) && !loaded?.hasFrame(frameUrl(clip, 1))) prefetchBitmap(frameUrl(clip, 1));
}
