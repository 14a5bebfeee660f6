import { describe, expect, it } from "vitest";
import {
  type Action,
  blankForm,
  contradictions,
  type Form,
  History,
  headline,
  isAnswered,
  isNegative,
  reduce,
  summary,
  worstSide,
} from "../../../src/reading/answer/findings";
import { FIRST, PAPILE, VOLPE } from "../schemas";

const digit = (grade: 0 | 1 | 2 | 3 | 4): Action => ({ type: "digit", grade });
const KEYS: Record<string, Action> = {
  "0": digit(0),
  "1": digit(1),
  "2": digit(2),
  "3": digit(3),
  "4": digit(4),
  r: { type: "side", side: "right" },
  l: { type: "side", side: "left" },
  i: { type: "toggle", flag: "phi" },
  y: { type: "choice", field: "pvl" },
  h: { type: "toggle", flag: "phvd" },
  x: { type: "toggle", flag: "uncertain" },
  c: { type: "choice", field: "cerebellar" },
  q: { type: "choice", field: "quality" },
  k: { type: "keyframe", keyframe: { sop_uid: "1.2", frame: 23 } },
};

/** The form after these keys; Enter is not among them, so a committed answer costs one more. */
function press(keys: string, form: Form = blankForm(false, PAPILE)): Form {
  return [...keys].reduce((state, key) => reduce(state, KEYS[key] as Action), form);
}

describe("keys", () => {
  it("a negative is 0 and Enter: one key makes a complete answer", () => {
    const { findings } = press("0");
    expect([
      findings.right,
      findings.left,
      isAnswered(findings),
      isNegative(findings),
      contradictions(findings),
    ]).toEqual([0, 0, true, true, []]);
  });

  it("one side graded says none for the other: R 3 Enter", () => {
    const { findings } = press("r3");
    expect([findings.right, findings.left, isAnswered(findings)]).toEqual([3, 0, true]);
  });

  it("both sides unequal: R 3 L 1 Enter", () => {
    const { findings } = press("r3l1");
    expect([findings.right, findings.left]).toEqual([3, 1]);
  });

  it("a digit without a side changes nothing, except 0", () => {
    const form = blankForm(false, PAPILE);
    expect(reduce(form, digit(3))).toBe(form);
  });

  it("a side waits for one digit only", () => {
    expect(press("r").side).toBe("right");
    expect(press("rr").side).toBeNull();
    expect(press("r2").side).toBeNull();
  });

  it("0 after a side is none for that side", () => {
    expect(press("r3l2r0").findings).toMatchObject({ right: 0, left: 2 });
  });

  it("grade IV records a parenchymal haemorrhage", () => {
    expect(press("l4").findings).toMatchObject({ right: 0, left: 4, phi: true });
  });

  it("C, Q go round, I Y H X switch", () => {
    expect(press("c").findings.cerebellar).toBe("none");
    expect(press("ccccc").findings.cerebellar).toBe("not_assessed");
    expect(press("qq").findings.quality).toBe("non_diagnostic");
    expect(press("iyhxi").findings).toMatchObject({ phi: false, pvl: 1, phvd: true, uncertain: true });
  });

  it("K marks a frame and takes the mark away", () => {
    expect(press("k").findings.keyframes).toEqual([{ sop_uid: "1.2", frame: 23 }]);
    expect(press("kk").findings.keyframes).toEqual([]);
  });
});

describe("findings", () => {
  it("without a mastoid view the posterior fossa is not assessed, never negative", () => {
    expect(blankForm(false, PAPILE).findings.cerebellar).toBe("not_assessed");
    expect(blankForm(true, PAPILE).findings.cerebellar).toBe("none");
  });

  it("are no answer before anything is said, but non-diagnostic is one", () => {
    expect(isAnswered(blankForm(true, PAPILE).findings)).toBe(false);
    expect(isAnswered(press("qq").findings)).toBe(true);
  });

  it.each([
    ["0i", 1],
    ["r4i", 1],
    ["qq0", 1],
    ["r3i", 0],
    ["0", 0],
  ])("after %s there are %i contradictions", (keys, count) => {
    expect(contradictions(press(keys).findings)).toHaveLength(count);
  });

  it("say the worst side in words", () => {
    expect([press("r1l3"), press("r2l2"), press("0"), press("r3i")].map((form) => worstSide(form.findings))).toEqual([
      "III left",
      "II both sides",
      "none",
      "IV right",
    ]);
  });

  it("with another haemorrhage are not negative", () => {
    expect(headline(press("0").findings)).toBe("no haemorrhage");
    expect(isNegative(press("0cc").findings)).toBe(false);
  });

  it("are summed up with what was marked only", () => {
    const names = summary(press("r1h")).map(([name]) => name);
    expect(names).toContain("PHVD");
    expect(names).not.toContain("PVL");
  });
});

describe("History", () => {
  it("undoes every change back to the beginning", () => {
    const history = new History(blankForm(false, PAPILE));
    for (const key of "r3iyl1") history.apply(KEYS[key] as Action);
    while (history.undo());
    expect(history.form).toEqual(blankForm(false, PAPILE));
  });

  it("undoes a note as one change", () => {
    const history = new History(blankForm(false, PAPILE));
    for (const text of ["s", "st", "sta"]) history.apply({ type: "comment", text });
    history.undo();
    expect(history.form.comment).toBe("");
  });

  it("a key that changes nothing is not a change", () => {
    const history = new History(blankForm(false, PAPILE));
    expect([history.apply(digit(2)), history.undoable]).toEqual([false, false]);
  });
});

describe("undo and redo of what is drawn", () => {
  const drawing = (x: number) => ({
    uid: "a",
    tool: "point" as const,
    sop_uid: "1.2",
    frame: 1,
    points: [[x, 1]] as const,
    label: "",
    preset: "" as const,
    side: "" as const,
  });
  const draw = (x: number, step?: string): Action => ({ type: "draw", drawings: [drawing(x)], step });

  it("goes back and forth over drawn and typed alike", () => {
    const history = new History(blankForm(false, PAPILE));
    history.apply(draw(1));
    history.apply(digit(0));
    expect([history.undo(), history.undo(), history.undo()]).toEqual([true, true, false]);
    expect([history.form.findings.drawings, history.redo(), history.redo(), history.redo()]).toEqual([
      [],
      true,
      true,
      false,
    ]);
    expect([history.form.findings.right, history.form.findings.drawings]).toEqual([0, [drawing(1)]]);
  });

  it("steps of one name in a row are one, and a new change ends what could be done again", () => {
    const history = new History(blankForm(false, PAPILE));
    for (const x of [1, 2, 3]) history.apply(draw(x, "nudge a 0"));
    history.undo();
    expect(history.form.findings.drawings).toEqual([]);
    history.apply(draw(9));
    expect(history.redo()).toBe(false);
  });

  it("the server's numbers never come back in a draft", () => {
    const merged = reduce(blankForm(false, PAPILE), {
      type: "take",
      findings: { ...blankForm(false, PAPILE).findings, drawings: [{ ...drawing(1), measured: null }] },
    });
    expect(merged.findings.drawings).toEqual([drawing(1)]);
  });
});

describe("versions of the schema", () => {
  it("Volpe has no grade IV, and says so by changing nothing", () => {
    const form = press("r", blankForm(false, VOLPE));
    expect([reduce(form, digit(4)).findings.right, reduce(form, digit(3)).findings.right]).toEqual([null, 3]);
  });

  it("a parenchymal infarction takes the side in hand, or the one with a grade", () => {
    expect(press("r3i").findings).toMatchObject({ phi: true, phi_side: "right" });
    expect(press("l2ri").findings).toMatchObject({ phi: true, phi_side: "right" });
    expect(press("l4r4").findings).toMatchObject({ phi: true, phi_side: "both" });
    expect(press("r3ii").findings).toMatchObject({ phi: false, phi_side: null });
  });

  it("an older answer is told in its own words", () => {
    const old = {
      ...blankForm(true, FIRST),
      findings: { ...blankForm(true, FIRST).findings, right: 2 as const, left: 0 as const, pvl: true },
    };
    expect(summary(old)).toContainEqual(["Cystic PVL", "yes"]);
    expect(summary(press("y", blankForm(true, PAPILE)))).toContainEqual(["PVL", "I"]);
  });

  it("another reader's answer is taken as far as it fits, in one's own version", () => {
    const other = { ...blankForm(true, PAPILE).findings, right: 4 as const, left: 1 as const };
    const merged = reduce(blankForm(true, VOLPE), { type: "take", findings: other }).findings;
    expect([merged.schema, merged.right, merged.left]).toEqual(["volpe-1", null, 1]);
  });
});

describe("the posterior fossa, seen on both sides during the read", () => {
  it("is clear where nobody has said anything of it, and stays so when another answer is undone", () => {
    const history = new History(blankForm(false, PAPILE));
    history.apply({ type: "none" });
    history.posteriorFossaSeen();
    expect([history.form.findings.cerebellar, history.form.findings.right]).toEqual(["none", 0]);
    history.undo();
    expect([history.form.findings.cerebellar, history.form.findings.right]).toEqual(["none", null]);
    expect(history.undoable).toBe(false);
  });
  it("keeps the bleed that was seen in it", () => {
    const history = new History(blankForm(false, PAPILE));
    history.apply({ type: "set", field: "cerebellar", value: "left" });
    history.posteriorFossaSeen();
    expect(history.form.findings.cerebellar).toBe("left");
  });
});
