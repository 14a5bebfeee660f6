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

export function readingKeys(mode: Mode, schema: LabelSchema, host: ReadingKeysHost): Binding[] {
  const group = "Read";
  const queue = mode === "queue";
  const act = (key: string, label: string, action: Action, bar = false): Binding => ({
    key,
    label,
    group,
    bar,
    run: () => host.act(action),
  });
  const digits = schema.grades
    .slice(1)
    .map((grade) =>
      act(String(grade), `Grade ${schema.word("right", grade)}`, { type: "digit", grade: grade as Grade }),
    );
  const field = ([name, rule]: Field): Binding[] => {
    const key = rule["x-key"];
    const label = rule.description && kindOf(rule) === "flag" ? rule.description : schema.label(name);
    if (!key) return [];
    return [
      kindOf(rule) === "flag"
        ? act(key, label, { type: "toggle", flag: name })
        : act(key, `${label}, next answer`, { type: "choice", field: name }),
    ];
  };
  const keys: Binding[] = [
    act("0", queue ? "No haemorrhage" : "None", { type: "digit", grade: 0 }, true),
    {
      key: "r",
      caps: ["R", "L"],
      label: "then grade",
      group,
      run: () => host.act({ type: "side", side: "right" }),
    },
    {
      key: "l",
      label: "Left, then a grade",
      group,
      bar: false,
      run: () => host.act({ type: "side", side: "left" }),
    },
    ...digits,
    ...schema.fields.filter(([name]) => name !== "uncertain").flatMap(field),
    act("q", "Quality", { type: "choice", field: "quality" }, queue),
    act("x", "Uncertain", { type: "toggle", flag: "uncertain" }, queue),
    { key: "k", label: "Keyframe", group, run: host.keyframe },
    { key: "n", label: "Note", group, bar: !queue, run: host.note },
    { key: ["u", "Ctrl+z"], label: "Undo", group, run: host.undo },
    { key: ["Ctrl+Shift+z", "Ctrl+y"], label: "Redo", group, bar: false, run: host.redo },
    ...MEASURES.map(
      ([key, preset]): Binding => ({
        key,
        label: `${PRESETS[preset].name}${PRESETS[preset].perSide ? ", after R or L" : ""}`,
        group,
        bar: false,
        run: () => host.startMeasure(preset),
      }),
    ),
    { key: ENTER, label: queue ? "Commit, next" : "Commit", group, run: host.commit },
    {
      key: "Ctrl+Enter",
      label: "Commit from anywhere",
      group,
      bar: false,
      inFields: true,
      overControls: true,
      run: host.commit,
    },
  ];
  if (host.skip) keys.push({ key: "s", label: "Skip", group, run: host.skip });
  return keys;
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
