/** What the server says about a study and its clips. Frames count from 1, as in DICOM. */

export type View = "coronal" | "sagittal" | "mastoid" | "other";

export interface Region {
  x0: number;
  y0: number;
  x1: number;
  y1: number;
  dx_cm: number | null;
  dy_cm: number | null;
  type?: string;
  inside?: boolean;
  /** Of these frames alone, both ends in; those of the whole clip say none. */
  frames?: [number, number];
  /**
   * Of a trace over time: units, signed steps per pixel, and the pixel (from the region's corner) whose value is known.
   */
  axes?: [string, string];
  delta?: [number, number];
  reference?: [number, number] | null;
  reference_value?: [number, number];
}

export interface Clip {
  sop_uid: string;
  number: number;
  view: View;
  /** One of its view's planes; empty for a sweep, or where nobody said. */
  plane: string;
  view_source: "tags" | "person";
  label: string;
  acquired_at: string | null;
  rows: number;
  columns: number;
  frames: number;
  frame_time_ms: number | null;
  fps: number;
  fps_source: "frame_time" | "vector" | "recommended" | "default";
  /** What the file says of its frame times that cannot be true; empty otherwise. */
  fps_flaw: string;
  /** Frames per second that the device recommends; null where it says nothing. */
  display_rate: number | null;
  /** When each frame begins, in ms from the first. */
  frame_times: number[] | null;
  photometric: string;
  regions: Region[];
  calibration: "calibrated" | "uncalibrated" | "mixed";
  decode_error: string;
  scorable: boolean;
  parked_reason: string;
  thumbnail_url: string;
  frame_url: string;
}

export interface Prior {
  study_uid: string;
  url: string;
  acquired_at: string | null;
  days_before: number | null;
  summary: string;
}

export interface Patient {
  patient_id: string;
  name: string;
  sex: string;
  gestational_age_days: number | null;
  birth_weight_g: number | null;
  url?: string;
}

export interface Study {
  study_uid: string;
  patient: Patient;
  day_of_life: number | null;
  postmenstrual_age_days: number | null;
  priority: "stat" | "urgent" | "routine";
  status: string;
  revision: number | null;
  revision_closed: boolean;
  description: string;
  acquired_at: string | null;
  phantom: boolean;
  notes: string[];
  priors: Prior[];
  siblings: { study_uid: string; patient_id: string; acquired_at: string | null }[];
  clips: Clip[];
}

export interface Weight {
  sop_uid: string;
  frame: number;
  weight: number;
}

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
