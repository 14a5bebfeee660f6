/** What every pane of a study is given: the chunk that draws, the frames, and what is kept for the whole study. */

import type { DrawingEditor } from "../annotation/drawing-editor";
import type { Coverage } from "../coverage/coverage";
import type { Prefetcher } from "../loading/prefetcher";
import type { PresentationStates } from "./presentation-state";

/** The exports of the chunk that draws pixels. */
export type ViewportModule = typeof import("./cornerstone-viewport");

export interface ViewerServices {
  viewports: Promise<ViewportModule>;
  prefetcher: Prefetcher;
  coverage: Coverage;
  /** Whether the page, or its second window, is the one that the reader works in. */
  inFront: () => boolean;
  presentationStates: PresentationStates;
  /** What is drawn on the pictures. */
  drawingEditor: DrawingEditor;
}
