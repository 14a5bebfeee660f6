import type { Report } from "../metrics/report";

export type RunStatus = "queued" | "running" | "done" | "failed" | "cancelled";

export interface FoldRow {
  fold: number;
  state: "waiting" | "running" | "done";
  fraction: number;
  auroc: number | null;
}

export interface Progress {
  step?: number | string;
  steps?: number;
  fold?: number;
  folds?: number;
  fraction?: number;
  eta_seconds?: number | [number, number] | null;
  message?: string;
  fold_rows?: FoldRow[];
}

export interface Model {
  id: number;
  name: string;
  version?: string;
  state?: "champion" | "challenger" | "retired";
  trained_on_phantoms?: boolean;
  created_at?: string;
  promoted_at?: string | null;
  promoted_by?: string | null;
  promotion_reason?: string;
  report?: Report;
  run?: number | null;
}

export interface Snapshot {
  digest: string;
  studies?: number;
  patients?: number;
  positives?: number;
  definition?: string;
  created_at?: string;
  phantoms_only?: boolean;
}

export interface Run {
  id: number;
  status: RunStatus;
  progress: Progress;
  report: Report | null;
  snapshot: Snapshot | null;
  model: Model | number | null;
  created_by: string | { display?: string; username?: string } | null;
  created_at: string;
  started_at: string | null;
  finished_at: string | null;
  seed?: number;
  error?: string;
  cancel_requested?: boolean;
}

export interface Preflight {
  ok: boolean;
  reasons: string[];
  /** What is worth knowing but stops nothing. */
  notes?: string[];
  patients: number;
  studies: number;
  positives: number;
  missing_positives: number;
  folds: { fold: number; studies: number; positives: number; patients: number }[];
  leaks: string[];
  estimate_seconds: [number, number] | null;
}

/** A list endpoint answers with a plain list or with a page of it. */
export function listOf<T>(answer: T[] | { results: T[] }): T[] {
  return Array.isArray(answer) ? answer : answer.results;
}

export function nameOf(who: Run["created_by"]): string | null {
  if (!who) return null;
  return typeof who === "string" ? who : (who.display ?? who.username ?? null);
}
