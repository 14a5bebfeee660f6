import type { Clip, Region } from "../../src/viewer/types";

/** A clip of ten frames at 40 fps of which nothing special is known. */
export function clipOf(part: Partial<Clip> = {}): Clip {
  return {
    sop_uid: "1",
    number: 1,
    kind: "clip",
    view: "coronal",
    plane: "",
    view_source: "tags",
    label: "COR sweep",
    modality: "US",
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
    flow_frames: [],
    looked_frames: 0,
    decode_error: "",
    scorable: true,
    parked_reason: "",
    warnings: [],
    thumbnail_url: "",
    frame_url: "",
    ...part,
  };
}

/** A picture of 400 by 300 pixels, each a fifth of a millimetre high and wide. */
export function regionOf(part: Partial<Region> = {}): Region {
  const picture = { type: "2d", units: "cm", inside: true } as const;
  return { x0: 0, y0: 0, x1: 399, y1: 299, dx_cm: 0.02, dy_cm: 0.02, ...picture, ...part };
}
