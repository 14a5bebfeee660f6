/** Infant facts that DICOM lacks, as a form and back; pure. */

import type { PatientDetail } from "../api/schema";
import { wholeNumber } from "../common/format";

export type Facts = Pick<PatientDetail, "gestational_age_days" | "birth_weight_g" | "sex" | "twin_group">;

/** The texts of the form's fields. */
export interface Fields {
  weeks: string;
  days: string;
  weight: string;
  sex: string;
  twins: string;
}

export const WEEKS = { min: 20, max: 45 };
export const GRAMS = { min: 200, max: 7000 };

export function toFields(facts: Facts): Fields {
  const age = facts.gestational_age_days;
  return {
    weeks: age === null ? "" : String(Math.floor(age / 7)),
    days: age === null ? "" : String(age % 7),
    weight: facts.birth_weight_g === null ? "" : String(facts.birth_weight_g),
    sex: facts.sex,
    twins: facts.twin_group,
  };
}

function ageProblem({ weeks, days }: Fields): string | null {
  if (!weeks.trim() && !days.trim()) return null;
  const w = wholeNumber(weeks);
  const d = days.trim() ? wholeNumber(days) : 0;
  if (w === null || w < WEEKS.min || w > WEEKS.max)
    return `Weeks are between ${WEEKS.min} and ${WEEKS.max}, or empty if unknown.`;
  if (d === null || d > 6) return "Days are between 0 and 6.";
  return w === WEEKS.max && d > 0 ? `At most ${WEEKS.max} weeks and 0 days.` : null;
}

function weightProblem({ weight }: Fields): string | null {
  if (!weight.trim()) return null;
  const grams = wholeNumber(weight);
  return grams === null || grams < GRAMS.min || grams > GRAMS.max
    ? `Grams are between ${GRAMS.min} and ${GRAMS.max}, or empty if unknown.`
    : null;
}

/** What is wrong, per field; empty where all is well. */
export function fieldProblems(fields: Fields): { age?: string; weight?: string } {
  const age = ageProblem(fields);
  const weight = weightProblem(fields);
  return { ...(age ? { age } : {}), ...(weight ? { weight } : {}) };
}

/** Facts from the texts; an empty text is null, never zero. */
export function toFacts(fields: Fields): Facts {
  const w = wholeNumber(fields.weeks);
  return {
    gestational_age_days: w === null ? null : w * 7 + (wholeNumber(fields.days) ?? 0),
    birth_weight_g: wholeNumber(fields.weight),
    sex: fields.sex as Facts["sex"],
    twin_group: fields.twins.trim(),
  };
}

/** Only what differs, so that two people who change different facts do not overwrite each other. */
export function changedFacts(before: Facts, after: Facts): Partial<Facts> {
  return Object.fromEntries(Object.entries(after).filter(([name, value]) => before[name as keyof Facts] !== value));
}
