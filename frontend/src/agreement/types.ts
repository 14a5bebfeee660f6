/** The agreement dashboard's JSON, and its figures as text. */

import type {
  AgreementDetail,
  EstimatePayload,
  EverybodysAgreement,
  OwnAgreementFigures,
  OwnQuestionFigures,
  PairReport,
  PanelReport,
  QuestionFigures,
  ReaderFigures,
} from "../api/schema";
import { interval, ratio } from "../common/format";

export type Estimate = EstimatePayload;

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

export type Panel = PanelReport & Measures;
export type Pair = PairReport & Measures;
export type Question = QuestionFigures;
export type Detail = AgreementDetail;
export type Reader = ReaderFigures;
export type OwnQuestion = OwnQuestionFigures;
export type Everybody = EverybodysAgreement;
export type Own = OwnAgreementFigures;

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
