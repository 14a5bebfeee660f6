/**
 * The part that draws pixels is a chunk of its own:
 * when it is loaded, and the first pictures that need not wait for it.
 */

import { early } from "../loading/frame-decoder";
import { frameUrl, playable, type Study } from "../types";
import type { ViewportModule } from "../viewport/viewer-services";
import { type Layout, shape } from "./grid";
import { hang } from "./hanging-protocol";

export const WIDE = "(min-width: 1180px)";

let loading: Promise<ViewportModule> | null = null;
let loaded: ViewportModule | null = null;

/** Begin loading the part that draws, while the study is still being asked for. */
export function loadScreens(): Promise<ViewportModule> {
  loading ??= import("../viewport/cornerstone-viewport").then((code) => (loaded = code));
  return loading;
}

export function layoutFor(panes: 1 | 2): Layout {
  return panes === 2 && window.matchMedia(WIDE).matches ? "1x2" : "1x1";
}

/** Ask for what hangs first, before there is anything to hang it in. */
export function beginPictures(study: Study, panes: 1 | 2): void {
  const [rows, columns] = shape(layoutFor(panes));
  for (const clip of hang(study.clips, rows * columns))
    if (clip && playable(clip) && !loaded?.hasFrame(frameUrl(clip, 1))) early(frameUrl(clip, 1));
}
