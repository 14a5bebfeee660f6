/** How many keys a label costs: real key presses through the page's own registry. */

import { beforeEach, describe, expect, it } from "vitest";
import { bind, startKeys } from "../../src/common/keys";
import { blankForm, contradictions, type Findings, History, isAnswered } from "../../src/reading/answer/findings";
import { readingKeys } from "../../src/reading/shortcuts";
import { PAPILE, VOLPE } from "./schemas";

let history: History;
let committed: Findings | null;
let done: string[];
let unbind: (() => void)[] = [];

function bindReadingKeys(schema = PAPILE): void {
  for (const undo of unbind) undo();
  history = new History(blankForm(true, schema));
  committed = null;
  done = [];
  const host = {
    act: (action: Parameters<History["apply"]>[0]) => void history.apply(action),
    keyframe: () => void history.apply({ type: "keyframe", keyframe: { sop_uid: "1.2", frame: 23 } }),
    note: () => undefined,
    undo: () => void (history.undo() || done.push("earlier")),
    redo: () => void history.redo(),
    startMeasure: () => undefined,
    commit: () => {
      const { findings } = history.form;
      if (isAnswered(findings) && !contradictions(findings).length) committed = findings;
    },
    skip: () => void done.push("skip"),
  };
  unbind = readingKeys("queue", schema, host).map(bind);
}

function press(...keys: string[]): number {
  for (const key of keys)
    document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
  return keys.length;
}

beforeEach(() => {
  document.body.innerHTML = '<div id="keys"></div>';
  startKeys();
  bindReadingKeys();
});

describe("keys per label", () => {
  it.each([
    ["a negative", ["0", "Enter"], 2, { right: 0, left: 0 }],
    ["grade III right", ["R", "3", "Enter"], 3, { right: 3, left: 0 }],
    ["unequal on both sides", ["R", "3", "L", "1", "Enter"], 5, { right: 3, left: 1 }],
    ["grade IV left, its infarction with it", ["L", "4", "Enter"], 3, { left: 4, phi: true, phi_side: "left" }],
    ["III right with infarction", ["R", "3", "I", "Enter"], 4, { right: 3, phi: true, phi_side: "right" }],
    ["a negative with a keyframe", ["0", "K", "Enter"], 3, { keyframes: [{ sop_uid: "1.2", frame: 23 }] }],
    ["a negative, limited", ["0", "Q", "Enter"], 3, { quality: "limited" }],
    ["a negative, uncertain", ["0", "X", "Enter"], 3, { uncertain: true }],
    ["non-diagnostic", ["Q", "Q", "Enter"], 3, { quality: "non_diagnostic", right: null }],
    ["cerebellar left", ["0", "C", "Enter"], 3, { cerebellar: "left" }],
  ] as const)("%s", (_, keys, most, expected) => {
    expect(press(...keys)).toBe(most);
    expect(committed).toMatchObject(expected);
  });

  it("Volpe costs the same", () => {
    bindReadingKeys(VOLPE);
    expect(press("R", "3", "Enter")).toBe(3);
    expect(committed).toMatchObject({ schema: "volpe-1", right: 3 });
  });

  it("S skips and U goes back, one key each", () => {
    press("S", "0", "U", "U");
    expect(done).toEqual(["skip", "earlier"]);
    expect(history.form.findings.right).toBeNull();
  });
});
