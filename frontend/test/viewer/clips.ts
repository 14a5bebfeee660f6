import type { Clip } from "../../src/viewer/types";

/** A clip of ten frames at 40 fps of which nothing special is known. */
export function clipOf(part: Partial<Clip> = {}): Clip {
  return {
    sop_uid: "1",
    number: 1,
    view: "coronal",
    plane: "",
    view_source: "tags",
    label: "COR sweep",
    acquired_at: null,
    rows: 4,
    columns: 4,
    frames: 10,
    frame_time_ms: 25,
    fps: 40,
    fps_source: "frame_time",
    fps_flaw: "",
    display_rate: null,
    frame_times: null,
    photometric: "MONOCHROME2",
    regions: [],
    calibration: "calibrated",
    decode_error: "",
    scorable: true,
    parked_reason: "",
    thumbnail_url: "",
    frame_url: "",
    ...part,
  };
}
