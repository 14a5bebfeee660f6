/** What a reader answers, and how each key changes it. Pure: the form only draws what this says. */

import { count, grade as roman } from "../common/format";
import type { Drawing } from "../viewer/drawing";

export const SCHEMA = "papile-1";

export type Side = "right" | "left";
export type Grade = 0 | 1 | 2 | 3 | 4;
export type Cerebellar = "none" | "left" | "right" | "both" | "not_assessed";
export type Quality = "good" | "limited" | "non_diagnostic";

export interface Keyframe {
  sop_uid: string;
  frame: number;
}

export interface Findings {
  schema: string;
  right: Grade | null;
  left: Grade | null;
  phi: boolean;
  cerebellar: Cerebellar;
  other_ich: boolean;
  pvl: boolean;
  phvd: boolean;
  quality: Quality;
  uncertain: boolean;
  keyframes: Keyframe[];
  drawings: Drawing[];
}

export interface Answer {
  findings: Findings;
  comment: string;
}

/** The side that the next digit grades is part of what the reader sees, not of the answer. */
export interface Form extends Answer {
  side: Side | null;
}

export type Flag = "phi" | "other_ich" | "pvl" | "phvd" | "uncertain";

export type Action =
  | { type: "side"; side: Side }
  | { type: "digit"; grade: Grade }
  | { type: "grade"; side: Side; grade: Grade }
  | { type: "none" }
  | { type: "toggle"; flag: Flag }
  | { type: "cerebellar"; value?: Cerebellar }
  | { type: "quality"; value?: Quality }
  | { type: "keyframe"; keyframe: Keyframe }
  | { type: "take"; findings: Findings }
  /** Steps of one name in a row are undone as one. */
  | { type: "draw"; drawings: Drawing[]; step?: string | undefined }
  | { type: "comment"; text: string };

export const QUALITIES: readonly Quality[] = ["good", "limited", "non_diagnostic"];

/** Without a mastoid view the posterior fossa was not assessed; that is never the same as "none". */
export function blank(mastoid: boolean): Form {
  const findings: Findings = {
    schema: SCHEMA,
    right: null,
    left: null,
    phi: false,
    cerebellar: mastoid ? "none" : "not_assessed",
    other_ich: false,
    pvl: false,
    phvd: false,
    quality: "good",
    uncertain: false,
    keyframes: [],
    drawings: [],
  };
  return { findings, comment: "", side: null };
}

function other(side: Side): Side {
  return side === "right" ? "left" : "right";
}

/** Grading one side says that the other was looked at: it becomes "none", to be seen and changed, where it was open. */
function graded(findings: Findings, side: Side, grade: Grade): Findings {
  const opposite = other(side);
  return { ...findings, [side]: grade, [opposite]: findings[opposite] ?? 0, phi: findings.phi || grade === 4 };
}

const CEREBELLAR: readonly Cerebellar[] = ["not_assessed", "none", "left", "right", "both"];

function next<T>(order: readonly T[], current: T): T {
  return order[(order.indexOf(current) + 1) % order.length] ?? current;
}

function sameFrame(a: Keyframe, b: Keyframe): boolean {
  return a.sop_uid === b.sop_uid && a.frame === b.frame;
}

function withKeyframe(keyframes: Keyframe[], keyframe: Keyframe): Keyframe[] {
  const without = keyframes.filter((each) => !sameFrame(each, keyframe));
  return without.length < keyframes.length ? without : [...keyframes, keyframe];
}

function find(findings: Findings, action: Action, side: Side | null): Findings {
  switch (action.type) {
    case "none":
      return { ...findings, right: 0, left: 0 };
    case "digit":
      if (side) return graded(findings, side, action.grade);
      return action.grade === 0 ? { ...findings, right: 0, left: 0 } : findings;
    case "grade":
      return graded(findings, action.side, action.grade);
    case "toggle":
      return { ...findings, [action.flag]: !findings[action.flag] };
    case "cerebellar":
      return { ...findings, cerebellar: action.value ?? next(CEREBELLAR, findings.cerebellar) };
    case "quality":
      return { ...findings, quality: action.value ?? next(QUALITIES, findings.quality) };
    case "take":
      return withoutNumbers({ ...findings, ...action.findings });
    case "draw":
      return { ...findings, drawings: action.drawings };
    case "keyframe":
      return { ...findings, keyframes: withKeyframe(findings.keyframes, action.keyframe) };
    default:
      return findings;
  }
}

/** As a draft keeps it: the numbers beside drawings are the server's, made anew at each commit. */
export function withoutNumbers(findings: Findings): Findings {
  return { ...findings, drawings: (findings.drawings ?? []).map(({ measured: _measured, ...drawing }) => drawing) };
}

/** The form after a key or a click. The same object where nothing changed. */
export function reduce(form: Form, action: Action): Form {
  if (action.type === "side") return { ...form, side: form.side === action.side ? null : action.side };
  if (action.type === "comment") return form.comment === action.text ? form : { ...form, comment: action.text };
  const findings = find(form.findings, action, form.side);
  const side = action.type === "digit" || action.type === "none" || action.type === "grade" ? null : form.side;
  return findings === form.findings && side === form.side ? form : { ...form, findings, side };
}

/** Whether there is an answer to commit: both sides graded, or pictures that nobody could grade. */
export function answered(findings: Findings): boolean {
  return (findings.right !== null && findings.left !== null) || findings.quality === "non_diagnostic";
}

export function negative(findings: Findings): boolean {
  return findings.right === 0 && findings.left === 0 && !findings.phi && !findings.other_ich && !hasCerebellar(findings);
}

function hasCerebellar({ cerebellar }: Findings): boolean {
  return cerebellar !== "none" && cerebellar !== "not_assessed";
}

/** What does not go together. The reader may mean it; the commit asks once. */
export function contradictions(findings: Findings): string[] {
  const found: string[] = [];
  const { right, left, phi, quality } = findings;
  if (phi && (right ?? 0) === 0 && (left ?? 0) === 0) found.push("A parenchymal haemorrhage is marked, yet no side has a grade.");
  if (!phi && (right === 4 || left === 4)) found.push("Grade IV is given, yet no parenchymal haemorrhage is marked.");
  if (quality === "non_diagnostic" && negative(findings)) found.push("The pictures are called non-diagnostic, yet no haemorrhage is stated.");
  return found;
}

/** Worst side in words: "III left", "II both sides", "none". */
export function worst({ right, left, phi }: Findings): string | null {
  if (right === null && left === null) return null;
  const top = Math.max(right ?? 0, left ?? 0);
  const grade = phi && top > 0 ? 4 : top;
  if (top === 0) return phi ? "parenchymal, side not graded" : "none";
  const where = right === left ? "both sides" : (right ?? 0) > (left ?? 0) ? "right" : "left";
  return `${roman(grade) ?? ""} ${where}`;
}

const CEREBELLAR_WORDS: Record<Cerebellar, string> = { none: "none", left: "left", right: "right", both: "both sides", not_assessed: "not assessed" };
const QUALITY_WORDS: Record<Quality, string> = { good: "good", limited: "limited", non_diagnostic: "non-diagnostic" };

export function cerebellarWord(value: Cerebellar): string {
  return CEREBELLAR_WORDS[value];
}

export function qualityWord(value: Quality): string {
  return QUALITY_WORDS[value];
}

/** The answer as pairs of words, for the committed read and for comparing two drafts. */
export function summary({ findings, comment }: Answer): [string, string][] {
  const rows: [string, string][] = [
    ["Right", roman(findings.right) ?? "not graded"],
    ["Left", roman(findings.left) ?? "not graded"],
  ];
  const flags: [boolean, string][] = [
    [findings.phi, "Parenchymal"],
    [findings.other_ich, "Other haemorrhage"],
    [findings.pvl, "Cystic PVL"],
    [findings.phvd, "PHVD"],
    [findings.uncertain, "Uncertain"],
  ];
  for (const [on, name] of flags) if (on) rows.push([name, "yes"]);
  rows.push(["Cerebellar", cerebellarWord(findings.cerebellar)], ["Quality", qualityWord(findings.quality)]);
  if (findings.keyframes.length) rows.push(["Keyframes", String(findings.keyframes.length)]);
  if (findings.drawings?.length) rows.push(["Drawn", count(findings.drawings.length, "drawing")]);
  if (comment) rows.push(["Note", comment]);
  return rows;
}

/** What a change was, for those who hear it. */
export function spoken(before: Form, after: Form): string {
  if (after.side !== before.side && after.side) return `${after.side}: press a grade, 0 to 4`;
  const old = new Map(summary({ ...before, comment: "" }));
  const now = summary({ ...after, comment: "" });
  const gone = [...old.keys()].filter((name) => !now.some(([each]) => each === name)).map((name) => `${name} no`);
  return [...now.filter(([name, value]) => old.get(name) !== value).map(([name, value]) => `${name} ${value}`), ...gone].join(", ");
}

/** One line: "no haemorrhage", "III left". */
export function headline(findings: Findings): string {
  if (negative(findings)) return "no haemorrhage";
  return worst(findings) ?? qualityWord(findings.quality);
}

/** Whether two answers say the same. A server may give fields back in another order than they were sent. */
export function same(a: Answer, b: Answer): boolean {
  return a === b || canonical([a.findings, a.comment]) === canonical([b.findings, b.comment]);
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === "object" && part !== null && !Array.isArray(part) ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1))) : part);
}

/** What continues the step before it: letters typed into the note, a point that moves key by key. */
function stepOf(action: Action): string {
  return action.type === "comment" ? "comment" : action.type === "draw" ? (action.step ?? "") : "";
}

/** Unlimited undo and redo, of what is typed and what is drawn alike. */
export class History {
  private past: Form[] = [];
  private future: Form[] = [];
  private step = "";

  constructor(public form: Form) {}

  apply(action: Action): boolean {
    const form = reduce(this.form, action);
    if (form === this.form) return false;
    const step = stepOf(action);
    const continues = step !== "" && step === this.step;
    if (!continues && action.type !== "side") this.past.push({ ...this.form, side: null });
    if (action.type !== "side") this.future = [];
    this.step = step;
    this.form = form;
    return true;
  }

  undo(): boolean {
    return this.go(this.past, this.future);
  }

  redo(): boolean {
    return this.go(this.future, this.past);
  }

  private go(from: Form[], to: Form[]): boolean {
    const other = from.pop();
    this.step = "";
    if (!other) return false;
    to.push({ ...this.form, side: null });
    this.form = other;
    return true;
  }

  get undoable(): boolean {
    return this.past.length > 0;
  }
}
