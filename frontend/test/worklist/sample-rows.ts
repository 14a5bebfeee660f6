/** Rows of the list as tests make them up. */

import type { Row } from "../../src/worklist/types";

export function row(uid: string, more: Partial<Row> = {}): Row {
  return {
    study_uid: uid,
    patient_id: `P-${uid}`,
    patient_name: "",
    identity: null,
    status: "waiting",
    priority: "routine",
    flag: "not_suspected",
    flag_reason: "",
    probability: 0.02,
    revision: 1,
    waiting_seconds: 60,
    claimed_by: null,
    read_by: null,
    band: "not_suspected",
    gestational_age_days: null,
    day_of_life: null,
    postmenstrual_age_days: null,
    birth_weight_g: null,
    last_read: null,
    clips: 3,
    frames: 90,
    acquired_at: null,
    last_image_at: "2026-11-30T08:00:00Z",
    last_image_to_flag_seconds: null,
    phantom: true,
    receiving: false,
    model: null,
    why: "",
    thumbnails: [],
    ...more,
  };
}

export const suspected = (uid: string) => row(uid, { flag: "suspected", probability: 0.88, band: "suspected" });
export const options = { cap: 14_400, showProbability: true, aiDown: false };
