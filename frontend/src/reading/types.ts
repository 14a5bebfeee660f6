/** What the server says around a read. */

import type { HeatMaps } from "../viewer/attention/heat-map";
import type { Weight } from "../viewer/types";
import type { Findings, Keyframe } from "./answer/findings";
import type { SchemaVersion } from "./answer/schema";
import type { Commit } from "./draft/draft-store";
import type { ServerDraft } from "./draft/draft-sync";

export interface Score {
  state: "scored" | "pending" | "not_analysed" | "blinded";
  flag: "suspected" | "not_suspected" | "not_analysed" | null;
  flag_reason: string;
  probability: number | null;
  revision: number | null;
  model: { id: number; name: string; version: string; demo_warning: string | null } | null;
  operating_point: {
    name: string;
    threshold: number | null;
    /** What was promised, in words. */
    promise: string | null;
    achieved: {
      sensitivity: number | null;
      interval: [number, number] | null;
      specificity: number | null;
      n_positive?: number;
    } | null;
  } | null;
  scored_at: string | null;
  seconds: number | null;
  last_image_to_flag_seconds: number | null;
  attention: Weight[] | null;
  /** Null until they are computed, and before the commit. */
  heat_maps: HeatMaps | null;
  /** Every answer that this study ever had, the newest first; null before the commit. */
  history: PastScore[] | null;
}

export interface PastScore {
  revision: number;
  model: string | null;
  flag: NonNullable<Score["flag"]>;
  flag_reason: string;
  probability: number | null;
  scored_at: string;
}

export interface Revision {
  number: number;
  findings: Findings;
  comment?: string;
  committed_at: string;
  positive: boolean | null;
  agreement: boolean | null;
}

export interface Read {
  id: number;
  context: Commit["context"];
  status: "draft" | "committed";
  draft: ServerDraft | null;
  revisions: Revision[];
}

/** Another reader's answer; in a queue and in an adjudication the reader is a number. */
export interface OtherRead {
  id: number;
  reader: string;
  revisions: Revision[];
}

export interface Reads {
  mine: Read | null;
  others: OtherRead[];
  feedback: Feedback | null;
  /** One's own answer is committed, and the readers of the item talk about it. */
  discussed: boolean;
  /** The version of the label schema that is in force. */
  schema: SchemaVersion;
}

/** An answer to an older schema in the one in force, and what has no place there. */
export interface Carried {
  findings: Findings;
  left_out: { field: string; title: string; said: string }[];
  schema: SchemaVersion;
}

/** In a trainee queue, after the commit. */
export interface Feedback {
  right: boolean;
  positive: boolean;
  rule: string;
  differences: { field: string; label: string; level: string; yours: string; known: string }[];
  keyframes: Keyframe[];
}

export interface Remark {
  id: number;
  at: string;
  text: string;
  mine: boolean;
  author: string;
}

/** The answers to one item compared, and what was said about them. */
export interface Discussion {
  rows: { field: string; label: string; differs: boolean; level: "high" | "mid" | "low" | ""; values: string[] }[];
  readers: string[];
  rule: string;
  settled: boolean;
  remarks: Remark[];
  unblinded: { at: string; reason: string; readers: string[]; score: Score } | null;
}

export interface Next {
  study_uid: string;
  url: string;
}

export interface Committed {
  number?: number;
  committed_at?: string;
  next: Next | null;
  /** How far the label queue is, with its next item. */
  queue?: LabelQueue | null;
  reveal: Score | null;
  feedback: Feedback | null;
}

export interface QueueItem {
  id: number;
  study_uid: string;
  url: string;
  why: string;
}

export interface LabelQueue {
  name: string | null;
  position: number;
  total: number;
  done: number;
  item: QueueItem | null;
  deadline: string | null;
  pace_per_hour: number | null;
}

export interface Claim {
  claimed_by: { username: string; display: string; you: boolean; since: string } | null;
}
