/** The keys of a read: while it is answered, and after its commit. */

import type { Binding } from "../common/keys";
import { PRESETS } from "../viewer/annotation/drawing";
import type { Preset } from "../viewer/annotation/measure";
import type { Action, Grade } from "./answer/findings";
import { type Field, kindOf, type LabelSchema } from "./answer/schema";
import type { Mode } from "./form/form";

const ENTER = "Enter";

const MEASURES: readonly [string, Exclude<Preset, "">][] = [
  ["5", "vi"],
  ["6", "ahw"],
  ["7", "tod"],
  ["8", "third_ventricle"],
  ["9", "ri"],
];

export interface ReadingKeysHost {
  act: (action: Action) => void;
  keyframe: () => void;
  note: () => void;
  undo: (event: KeyboardEvent) => void;
  redo: () => void;
  /** Choose the tool of a measure, on the side that was chosen before. */
  startMeasure: (preset: Exclude<Preset, "">) => void;
  commit: () => void;
  /** Null outside a queue. */
  skip: (() => void) | null;
}

const READ = "Read";

function actionKey(host: ReadingKeysHost, key: string, label: string, action: Action, bar = false): Binding {
  return { key, label, group: READ, bar, run: () => host.act(action) };
}

function gradeKeys(queue: boolean, schema: LabelSchema, host: ReadingKeysHost): Binding[] {
  const side = (side: "right" | "left") => () => host.act({ type: "side", side });
  const digits = schema.grades
    .slice(1)
    .map((grade) =>
      actionKey(host, String(grade), `Grade ${schema.word("right", grade)}`, { type: "digit", grade: grade as Grade }),
    );
  return [
    actionKey(host, "0", queue ? "No haemorrhage" : "None", { type: "digit", grade: 0 }, true),
    { key: "r", caps: ["R", "L"], label: "then grade", group: READ, run: side("right") },
    { key: "l", label: "Left, then a grade", group: READ, bar: false, run: side("left") },
    ...digits,
  ];
}

/** The key of a field, where its schema gives it one. */
function fieldKeys([name, rule]: Field, schema: LabelSchema, host: ReadingKeysHost): Binding[] {
  const key = rule["x-key"];
  if (!key) return [];
  const flag = kindOf(rule) === "flag";
  const label = rule.description && flag ? rule.description : schema.label(name);
  return [
    flag
      ? actionKey(host, key, label, { type: "toggle", flag: name })
      : actionKey(host, key, `${label}, next answer`, { type: "choice", field: name }),
  ];
}

function measureKeys(host: ReadingKeysHost): Binding[] {
  return MEASURES.map(([key, preset]) => ({
    key,
    label: `${PRESETS[preset].name}${PRESETS[preset].perSide ? ", after R or L" : ""}`,
    group: READ,
    bar: false,
    run: () => host.startMeasure(preset),
  }));
}

function commitKeys(queue: boolean, { commit, skip }: ReadingKeysHost): Binding[] {
  const anywhere = { bar: false, inFields: true, overControls: true };
  return [
    { key: ENTER, label: queue ? "Commit, next" : "Commit", group: READ, run: commit },
    { key: "Ctrl+Enter", label: "Commit from anywhere", group: READ, run: commit, ...anywhere },
    ...(skip ? [{ key: "s", label: "Skip", group: READ, run: skip }] : []),
  ];
}

export function readingKeys(mode: Mode, schema: LabelSchema, host: ReadingKeysHost): Binding[] {
  const queue = mode === "queue";
  const fields = schema.fields.filter(([name]) => name !== "uncertain");
  return [
    ...gradeKeys(queue, schema, host),
    ...fields.flatMap((field) => fieldKeys(field, schema, host)),
    actionKey(host, "q", "Quality", { type: "choice", field: "quality" }, queue),
    actionKey(host, "x", "Uncertain", { type: "toggle", flag: "uncertain" }, queue),
    { key: "k", label: "Keyframe", group: READ, run: host.keyframe },
    { key: "n", label: "Note", group: READ, bar: !queue, run: host.note },
    { key: ["u", "Ctrl+z"], label: "Undo", group: READ, run: host.undo },
    { key: ["Ctrl+Shift+z", "Ctrl+y"], label: "Redo", group: READ, bar: false, run: host.redo },
    ...measureKeys(host),
    ...commitKeys(queue, host),
  ];
}

export interface DoneKeysHost {
  reopen: () => void;
  next: () => void;
  agree: (agree: boolean) => void;
  goToPeak: (step: 1 | -1) => void;
  toggleHeat: () => void;
}

export function doneKeys(mode: Mode, ahead: boolean, host: DoneKeysHost): Binding[] {
  const group = "After the commit";
  const keys: Binding[] = [
    { key: "u", label: "Reopen", group, run: host.reopen },
    { key: ENTER, label: mode === "queue" || ahead ? "Next study" : "List", group, run: host.next },
  ];
  if (mode === "queue") return keys;
  return [
    { key: "a", label: "Agree", group, run: () => host.agree(true) },
    { key: "d", label: "Disagree", group, run: () => host.agree(false) },
    ...attentionKeys(host),
    ...keys,
  ];
}

/** After the commit; and before it only where the site opens attention for research. */
export function attentionKeys(host: Pick<DoneKeysHost, "goToPeak" | "toggleHeat">): Binding[] {
  const group = "After the commit";
  return [
    { key: "[", caps: ["[", "]"], label: "Attention peaks", group, run: () => host.goToPeak(-1) },
    { key: "]", label: "Next attention peak", group, bar: false, run: () => host.goToPeak(1) },
    { key: "t", label: "Heat map", group, run: host.toggleHeat },
  ];
}

export interface AdjudicationKeysHost {
  regrade: () => void;
  nextKeyframe: () => void;
  discuss: () => void;
  unblind: () => void;
}

export function adjudicationKeys(host: AdjudicationKeysHost): Binding[] {
  const group = "Adjudicate";
  return [
    { key: "e", label: "Regrade", group, run: host.regrade },
    { key: "f", label: "Flip keyframes", group, run: host.nextKeyframe },
    { key: "/", label: "Discuss", group, run: host.discuss },
    { key: "Alt+b", label: "Unblind", group, bar: false, run: host.unblind },
  ];
}
