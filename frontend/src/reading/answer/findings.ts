/** The findings of a read, and how each action changes them. Pure: no page, no server. */

import type { Keyframe } from "../../api/schema";
import { count } from "../../common/format";
import type { Drawing } from "../../viewer/annotation/drawing";
import { type LabelSchema, schemaOf } from "./schema";

export type { Keyframe } from "../../api/schema";

export type Side = "right" | "left";
export type Grade = 0 | 1 | 2 | 3 | 4;

/** What every version of the schema has; the rest is a version's own. */
export interface Findings {
  schema: string;
  right: Grade | null;
  left: Grade | null;
  phi: boolean;
  cerebellar: string;
  quality: string;
  keyframes: Keyframe[];
  drawings: Drawing[];
  [field: string]: unknown;
}

export interface Answer {
  findings: Findings;
  comment: string;
}

/** The side that the next digit grades is part of what the reader sees, not of the answer. */
export interface Form extends Answer {
  side: Side | null;
}

export type Action =
  | { type: "side"; side: Side }
  | { type: "digit"; grade: Grade }
  | { type: "grade"; side: Side; grade: Grade }
  | { type: "none" }
  | { type: "toggle"; flag: string }
  /** Without a value the next option. */
  | { type: "choice"; field: string; value?: unknown }
  | { type: "set"; field: string; value: unknown }
  | { type: "keyframe"; keyframe: Keyframe }
  | { type: "take"; findings: Findings }
  /** Steps of one name in a row are undone as one. */
  | { type: "draw"; drawings: Drawing[]; step?: string | undefined }
  | { type: "comment"; text: string };

/** Before the mastoid views of both sides were seen the posterior fossa is not assessed; that is never "none". */
export function blankForm(mastoidSeen: boolean, schema: LabelSchema): Form {
  const findings = { ...schema.empty(), cerebellar: mastoidSeen ? "none" : "not_assessed" } as unknown as Findings;
  return { findings, comment: "", side: null };
}

function oppositeSide(side: Side): Side {
  return side === "right" ? "left" : "right";
}

/** Grading one side sets the other to "none" where it has no grade yet. */
function withGrade(findings: Findings, side: Side, grade: Grade): Findings {
  const opposite = oppositeSide(side);
  if (!schemaOf(findings).grades.includes(grade)) return findings;
  const next = { ...findings, [side]: grade, [opposite]: findings[opposite] ?? 0 };
  return grade === 4 ? withInfarction(next, true, next[opposite] === 4 ? null : side) : next;
}

/** The parenchymal infarction, and its side where one was named or one alone has a grade. */
function withInfarction(findings: Findings, phi: boolean, side: Side | null): Findings {
  if (!("phi_side" in findings)) return { ...findings, phi };
  if (!phi) return { ...findings, phi, phi_side: null, phi_extent: null };
  const { right, left } = findings;
  const sides = [right ? "right" : "", left ? "left" : ""].filter(Boolean);
  const both = right === 4 && left === 4 ? "both" : null;
  return { ...findings, phi, phi_side: side ?? both ?? findings["phi_side"] ?? (sides.length === 1 ? sides[0] : null) };
}

/** The option after the current one; after the last comes the first. */
function nextOption(findings: Findings, field: string): unknown {
  const order = schemaOf(findings)
    .options(field)
    .map((option) => option.const);
  return order[(order.indexOf(findings[field]) + 1) % order.length] ?? null;
}

function sameFrame(a: Keyframe, b: Keyframe): boolean {
  return a.sop_uid === b.sop_uid && a.frame === b.frame;
}

function withKeyframe(keyframes: Keyframe[], keyframe: Keyframe): Keyframe[] {
  const without = keyframes.filter((each) => !sameFrame(each, keyframe));
  return without.length < keyframes.length ? without : [...keyframes, keyframe];
}

function applyToFindings(findings: Findings, action: Action, side: Side | null): Findings {
  switch (action.type) {
    case "none":
      return { ...findings, right: 0, left: 0 };
    case "digit":
      if (side) return withGrade(findings, side, action.grade);
      return action.grade === 0 ? { ...findings, right: 0, left: 0 } : findings;
    case "grade":
      return withGrade(findings, action.side, action.grade);
    case "toggle":
      return action.flag === "phi"
        ? withInfarction(findings, !findings.phi, side)
        : { ...findings, [action.flag]: !findings[action.flag] };
    case "choice":
      return { ...findings, [action.field]: "value" in action ? action.value : nextOption(findings, action.field) };
    case "set":
      return { ...findings, [action.field]: action.value };
    case "take":
      return withoutNumbers(mergedFindings(findings, action.findings));
    case "draw":
      return { ...findings, drawings: action.drawings };
    case "keyframe":
      return { ...findings, keyframes: withKeyframe(findings.keyframes, action.keyframe) };
    default:
      return findings;
  }
}

/** The own findings with those fields of another reader that fit the own schema. */
function mergedFindings(own: Findings, other: Findings): Findings {
  const schema = schemaOf(own);
  return {
    ...own,
    ...Object.fromEntries(Object.entries(other).filter(([field, value]) => schema.fits(field, value))),
  };
}

/** Without the measurements of drawings, which the server computes at each commit. */
export function withoutNumbers(findings: Findings): Findings {
  return { ...findings, drawings: (findings.drawings ?? []).map(({ measured: _measured, ...drawing }) => drawing) };
}

/** The form after a key or a click. The same object where nothing changed. */
export function reduce(form: Form, action: Action): Form {
  if (action.type === "side") return { ...form, side: form.side === action.side ? null : action.side };
  if (action.type === "comment") return form.comment === action.text ? form : { ...form, comment: action.text };
  const findings = applyToFindings(form.findings, action, form.side);
  const usesSide =
    action.type === "digit" ||
    action.type === "none" ||
    action.type === "grade" ||
    (action.type === "toggle" && action.flag === "phi");
  const side = usesSide ? null : form.side;
  return findings === form.findings && side === form.side ? form : { ...form, findings, side };
}

/** Whether there is an answer to commit: both sides graded, or quality non-diagnostic. */
export function isAnswered(findings: Findings): boolean {
  return (findings.right !== null && findings.left !== null) || findings.quality === "non_diagnostic";
}

export function isNegative(findings: Findings): boolean {
  return (
    findings.right === 0 && findings.left === 0 && !findings.phi && !findings["other_ich"] && !hasCerebellar(findings)
  );
}

function hasCerebellar({ cerebellar }: Findings): boolean {
  return cerebellar !== "none" && cerebellar !== "not_assessed";
}

/** Findings that contradict each other, as questions; the commit asks once. */
export function contradictions(findings: Findings): string[] {
  return schemaOf(findings).questions(findings);
}

/** Worst side in words: "III left", "II both sides", "none". */
export function worstSide(findings: Findings): string | null {
  const { right, left, phi } = findings;
  if (right === null && left === null) return null;
  const schema = schemaOf(findings);
  const top = Math.max(right ?? 0, left ?? 0);
  if (top === 0) return phi ? "parenchymal, side not graded" : "none";
  const where = right === left ? "both sides" : (right ?? 0) > (left ?? 0) ? "right" : "left";
  if (phi && !schema.grades.includes(4)) return `${schema.word("right", top)} ${where}, with parenchymal infarction`;
  return `${schema.word("right", phi ? 4 : top)} ${where}`;
}

/** Fields that are listed even with their default value. */
const ALWAYS = new Set(["right", "left", "cerebellar", "quality"]);

/** The answer as pairs of label and value, for the committed read and for comparing two drafts. */
export function summary({ findings, comment }: Answer): [string, string][] {
  const schema = schemaOf(findings);
  const rows = Object.keys(findings).length ? summaryRows(findings, schema) : [];
  if (findings.keyframes?.length) rows.push(["Keyframes", String(findings.keyframes.length)]);
  if (findings.drawings?.length) rows.push(["Drawn", count(findings.drawings.length, "drawing")]);
  if (comment) rows.push(["Note", comment]);
  return rows;
}

function summaryRows(findings: Findings, schema: LabelSchema): [string, string][] {
  const names = ["right", "left", ...schema.fields.map(([name]) => name), "quality"];
  const shown = names.filter(
    (name) => ALWAYS.has(name) || (findings[name] ?? null) !== (schema.rule(name).default ?? null),
  );
  return shown.map((name) => [schema.label(name), schema.word(name, findings[name])]);
}

/**
 * A change of the form in words, for screen readers;
 * drawings and keyframes are described in `change-announcement.ts`.
 */
export function describeFormChange(before: Form, after: Form): string {
  if (after.side !== before.side && after.side)
    return `${after.side}: press a grade, 0 to ${schemaOf(after.findings).grades.length - 1}`;
  const rows = ({ findings }: Form) => summary({ findings: { ...findings, keyframes: [], drawings: [] }, comment: "" });
  const old = new Map(rows(before));
  const current = rows(after);
  const removed = [...old.keys()]
    .filter((name) => !current.some(([each]) => each === name))
    .map((name) => `${name} no`);
  return [
    ...current.filter(([name, value]) => old.get(name) !== value).map(([name, value]) => `${name} ${value}`),
    ...removed,
  ].join(", ");
}

/** One line: "no haemorrhage", "III left". */
export function headline(findings: Findings): string {
  if (isNegative(findings)) return "no haemorrhage";
  return worstSide(findings) ?? schemaOf(findings).word("quality", findings.quality);
}

/** Whether two answers say the same. A server may give fields back in another order than they were sent. */
export function sameAnswer(a: Answer, b: Answer): boolean {
  return a === b || canonical([a.findings, a.comment]) === canonical([b.findings, b.comment]);
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === "object" && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}

/** The name of a step: equal names in a row are undone as one (typing a note, moving a point by keys). */
function stepOf(action: Action): string {
  return action.type === "comment" ? "comment" : action.type === "draw" ? (action.step ?? "") : "";
}

/** Unlimited undo and redo, of what is typed and what is drawn alike. */
export class History {
  private past: Form[] = [];
  private future: Form[] = [];
  private lastStep = "";

  constructor(public form: Form) {}

  apply(action: Action): boolean {
    const form = reduce(this.form, action);
    if (form === this.form) return false;
    const step = stepOf(action);
    const continues = step !== "" && step === this.lastStep;
    if (!continues && action.type !== "side") this.past.push({ ...this.form, side: null });
    if (action.type !== "side") this.future = [];
    this.lastStep = step;
    this.form = form;
    return true;
  }

  /** The posterior fossa was seen on both sides: what nobody answered becomes "none", and no step is to be undone. */
  posteriorFossaSeen(): void {
    const assessed = (form: Form): Form =>
      form.findings.cerebellar === "not_assessed"
        ? { ...form, findings: { ...form.findings, cerebellar: "none" } }
        : form;
    this.form = assessed(this.form);
    this.past = this.past.map(assessed);
  }

  undo(): boolean {
    return this.restore(this.past, this.future);
  }

  redo(): boolean {
    return this.restore(this.future, this.past);
  }

  private restore(from: Form[], to: Form[]): boolean {
    const form = from.pop();
    this.lastStep = "";
    if (!form) return false;
    to.push({ ...this.form, side: null });
    this.form = form;
    return true;
  }

  get undoable(): boolean {
    return this.past.length > 0;
  }
}
