/** A study and its clips as the server answers them. Frames count from 1, as in DICOM. */

import type { ClipDetail as Clip } from "../api/schema";

export type {
  ClipDetail as Clip,
  FrameAttention as Weight,
  PatientSummary as Patient,
  PriorStudy as Prior,
  Region,
  StudyDetail as Study,
  View,
} from "../api/schema";

export function frameUrl(clip: Pick<Clip, "frame_url">, frame: number): string {
  return clip.frame_url.replace(/\{frame\}|%7Bframe%7D/i, String(frame));
}

/** A clip with a decode error may still have frames that can be shown; each says for itself. */
export function playable(clip: Pick<Clip, "frames">): boolean {
  return clip.frames > 0;
}

/**
 * What a keyframe and a drawing are of: the clip, the frame that is wanted, and the one that is on the screen,
 * which may be another or none.
 */
export interface Current {
  clip: Clip | null;
  frame: number;
  shown: number | null;
}
