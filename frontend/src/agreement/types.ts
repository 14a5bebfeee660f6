/** The agreement dashboard's JSON, and its figures as text. */

import { interval, ratio } from "../common/format";

export interface Estimate {
  value: number | null;
  interval: [number, number] | null;
  n: number;
  /** Why there is no value, or no interval. */
  why: string;
}

export type MeasureName =
  | "observed"
  | "fleiss"
  | "alpha"
  | "ac1"
  | "kappa"
  | "weighted"
  | "sensitivity"
  | "specificity";
export type Measures = Partial<Record<MeasureName, Estimate>>;

export interface Panel extends Measures {
  n: number;
  categories: { name: string; share: number | null; kappa: Estimate }[];
}

export interface Pair extends Measures {
  n: number;
  matrix?: number[][];
}

export interface Question {
  name: string;
  label: string;
  scale: "nominal" | "ordinal" | "interval";
  words: string[];
  panel?: Panel;
}

export interface Detail extends Question {
  studies: number;
  pairs?: (Pair & { a: string; b: string })[];
  by_quality?: (Measures & { stratum: string; n: number })[];
  adjudicated?: (Pair & { reader: string })[];
  repeats?: (Pair & { reader: string })[];
}

export interface Reader {
  reader: string;
  reads: number;
  /** Seconds from opening to commit: the median with its interval. */
  pace: Estimate & { quartiles: [number, number] | null };
  /** Trainees have neither: their answers are held against known ones alone. */
  with_adjudicated?: Estimate;
  with_self?: Estimate;
  gold: Estimate;
}

export interface OwnQuestion extends Question {
  others: Pair;
  adjudicated: Pair;
  repeats: Pair;
}

interface Common {
  queues: { id: number; name: string }[];
  studies: number;
}

export interface Everybody extends Common {
  scope: "all";
  patients: number;
  reads: number;
  twice: number;
  adjudicated: number;
  repeated: number;
  unblinded: number;
  questions: Question[];
  readers: Reader[];
  trainees: Reader[];
}

export interface Own extends Common {
  scope: "own";
  questions: OwnQuestion[];
  reader: Reader | null;
  trainee: Reader | null;
}

export const NAMES: Record<MeasureName, string> = {
  observed: "Observed",
  fleiss: "Fleiss κ",
  alpha: "Krippendorff α",
  ac1: "Gwet AC1",
  kappa: "Cohen κ",
  weighted: "Weighted κ",
  sensitivity: "Sensitivity",
  specificity: "Specificity",
};

/** "0.84 (0.71 to 0.93)", or why there is none. */
export function estimateText(estimate: Estimate | null | undefined): string {
  if (!estimate) return "–";
  const value = ratio(estimate.value);
  if (value === null) return short(estimate.why);
  const range = interval(estimate.interval);
  return range ? `${value} (${range})` : value;
}

/** A reason in a cell: the part before the colon. */
export function short(why: string): string {
  return why.split(":")[0] || "–";
}

/** A row of a sheet: value, low, high. */
export function numbers(estimate: Estimate | null | undefined): (number | null)[] {
  return [estimate?.value ?? null, estimate?.interval?.[0] ?? null, estimate?.interval?.[1] ?? null];
}
