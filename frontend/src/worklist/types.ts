export type Flag = "suspected" | "not_suspected" | "not_analysed" | null;
export type Band = "priority" | "near_limit" | "suspected" | "unscored" | "not_suspected" | "read";
export type Filter = "all" | "suspected" | "not_analysed" | "mine" | "read_today";

export interface Row {
  study_uid: string;
  patient_id: string;
  patient_name: string;
  status: "waiting" | "reading" | "read";
  priority: "stat" | "urgent" | "routine";
  flag: Flag;
  flag_reason: string;
  probability: number | null;
  revision: number | null;
  waiting_seconds: number;
  claimed_by: { username: string; display: string; you: boolean; since: string } | null;
  band: Band;
  gestational_age_days: number | null;
  day_of_life: number | null;
  postmenstrual_age_days: number | null;
  birth_weight_g: number | null;
  last_read: { grade: string | number | null; days: number } | null;
  clips: number;
  frames: number;
  acquired_at: string | null;
  last_image_at: string | null;
  last_image_to_flag_seconds: number | null;
  phantom: boolean;
  /** Images still come in. */
  receiving?: boolean;
  model: { id: number; name: string; demo_warning: string | null } | null;
  why: string;
  thumbnails: string[];
}

export interface Counts {
  waiting: number;
  suspected: number;
  not_analysed: number;
  mine: number;
  read_today: number;
}

export interface Worklist {
  results: Row[];
  next: string | null;
  previous: string | null;
  counts: Counts;
  cap_seconds: number;
  longest_waiting_seconds: number | null;
  ai: { state: "ok" | "down"; message: string };
  show_probability: boolean;
}
