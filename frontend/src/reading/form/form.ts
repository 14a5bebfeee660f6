/** The read as a form: it draws the findings and turns clicks into the same actions as keys. */

import { type Child, fill, h, icon, setPressed } from "../../common/dom";
import { capNames, keyCap } from "../../common/keymap";
import { type Drawing, measuredOf, scaleText, shortName, valueText } from "../../viewer/annotation/drawing";
import type { Clip } from "../../viewer/types";
import { type Action, type Form, type Grade, type Keyframe, type Side, worstSide } from "../answer/findings";
import { kindOf, type LabelSchema } from "../answer/schema";
import { type FieldRow, fieldRow } from "./fields";

export type Mode = "room" | "queue";

export interface ReadFormHost {
  act: (action: Action) => void;
  commit: () => void;
  undo: () => void;
  /** Null outside a queue. */
  skip: (() => void) | null;
  keyframe: () => void;
  goTo: (keyframe: Keyframe) => void;
  openClip: (sop: string) => void;
  goToDrawing: (drawing: Drawing) => void;
  /** Open the table of all drawings. */
  drawings: () => void;
  /** Give the keyboard focus back to the pictures after a click. */
  release: () => void;
}

const readCap = (label: string) => keyCap("Read", label);

const SHOWN_DRAWINGS = 4;
const SIDES: readonly [Side, string][] = [
  ["right", "R"],
  ["left", "L"],
];
const SHORT: Record<string, string> = { "non-diagnostic": "Non-diag." };

export class ReadForm {
  readonly element: HTMLFormElement;

  private readonly grades = new Map<string, HTMLButtonElement>();
  private readonly sides = new Map<Side, HTMLElement>();
  private readonly flags = new Map<string, HTMLButtonElement>();
  private readonly qualities = new Map<unknown, HTMLButtonElement>();
  private readonly rows: FieldRow[];
  private readonly noneButton: HTMLButtonElement;
  private readonly worst = h("p", { class: "small dim" });
  private readonly keyframes = h("div", { class: "keyframes" });
  private readonly drawingLinks = h("div", { class: "keyframes", "data-drawn": "" });
  private readonly note = h("textarea", {
    id: "note",
    class: "field",
    rows: 2,
    maxlength: 10000,
    placeholder: "Note  ( N )",
  });
  private readonly warning = h("div", { class: "warning", "data-warning": "" });
  private readonly status = h("p", { class: "small dim", "data-status": "" });
  private readonly undo: HTMLButtonElement;
  private readonly studyNotes = h("div", {});
  private readonly notices = h("div", { class: "stack" });
  private readonly previousText = h("span", { class: "small dim" });

  constructor(
    private readonly mode: Mode,
    private readonly schema: LabelSchema,
    private readonly clips: readonly Clip[],
    notes: readonly string[],
    private readonly host: ReadFormHost,
  ) {
    this.noneButton = this.button("btn", [readCap("0"), "No haemorrhage"], () => host.act({ type: "none" }));
    this.rows = schema.fields.filter(([, rule]) => kindOf(rule) !== "flag").map((field) => fieldRow(field, host));
    this.undo = this.button("btn btn-quiet", ["Undo ", readCap("U")], host.undo);
    this.element = h(
      "form",
      { class: "panel", "aria-label": mode === "queue" ? "Label" : "Your read", autocomplete: "off" },
      this.body(notes),
      this.foot(),
    );
    this.element.addEventListener("submit", (event) => {
      event.preventDefault();
      host.commit();
    });
    this.element.addEventListener("click", (event) => {
      // Enter after a click must commit, not press the same button again.
      if (event.detail > 0 && event.target instanceof Element && event.target.closest("button")) host.release();
    });
    this.note.addEventListener("input", () => host.act({ type: "comment", text: this.note.value }));
  }

  draw({ findings, comment, side }: Form, undoable: boolean): void {
    for (const [name, label] of this.sides) label.classList.toggle("now", side === name);
    for (const [name] of SIDES)
      for (const grade of this.schema.grades) setPressed(this.gradeButton(name, grade), findings[name] === grade);
    setPressed(this.noneButton, findings.right === 0 && findings.left === 0);
    for (const [flag, button] of this.flags) setPressed(button, findings[flag] === true);
    for (const [quality, button] of this.qualities) setPressed(button, findings.quality === quality);
    for (const row of this.rows) row.draw(findings[row.name], this.schema.shows(row.name, findings));
    if (this.note.value !== comment) this.note.value = comment;
    this.drawWorst({ findings, comment, side });
    this.drawKeyframes(findings.keyframes);
    this.drawDrawingLinks(findings.drawings);
    this.undo.setAttribute("aria-disabled", String(!undoable));
  }

  /** Show what hinders the commit: the coverage, or a question in its place. */
  setWarning(...content: Child[]): void {
    fill(this.warning, ...content);
  }

  setStatus(status: string): void {
    if (this.status.textContent !== status) this.status.textContent = status;
  }

  setNotices(...content: Child[]): void {
    fill(this.notices, ...content);
  }

  setPrevious(text: string): void {
    this.previousText.textContent = text;
  }

  focusNote(): void {
    this.note.focus();
  }

  /** Clips that were not seen, as links, with the share that was. */
  unseen(sops: readonly string[], share: (sop: string) => number): Child[] {
    return sops.flatMap((sop, at) => {
      const clip = this.clips.find((each) => each.sop_uid === sop);
      const link = h(
        "button",
        { class: "link small", type: "button", onclick: () => this.host.openClip(sop) },
        `${clip ? `${clip.number} ${clip.label}` : sop}${share(sop) ? ` ${Math.floor(100 * share(sop))} %` : ""}`,
      );
      return [h("span", { class: "nowrap" }, link, at < sops.length - 1 ? "," : null), " "];
    });
  }

  // ----------

  private button(
    kind: string,
    content: Child[],
    run: () => void,
    props: Record<string, string> = {},
  ): HTMLButtonElement {
    return h("button", { class: kind, type: "button", onclick: run, ...props }, ...content);
  }

  private gradeButton(side: Side, grade: number): HTMLButtonElement {
    const button = this.grades.get(`${side}${grade}`);
    if (!button) throw new Error("no such grade");
    return button;
  }

  /** Notes on the study that matter before it is called normal. */
  setNotes(notes: readonly string[]): void {
    fill(this.studyNotes, ...notes.map((text) => h("p", { class: "small dim" }, text)));
  }

  private body(notes: readonly string[]): HTMLElement {
    this.setNotes(notes);
    return h(
      "div",
      { class: "scroll" },
      ...(this.mode === "queue" ? this.question() : this.heading()),
      this.notices,
      h("hr", { class: "rule" }),
      this.gradeGrid(),
      this.worst,
      h("hr", { class: "rule" }),
      this.toggles(),
      ...this.rows.map((row) => row.element),
      this.studyNotes,
      h("hr", { class: "rule" }),
      this.qualityRow(),
      this.keyframeRow(),
      this.drawingsRow(),
      h("label", { class: "vh", for: "note" }, "Note"),
      this.note,
    );
  }

  private heading(): HTMLElement[] {
    this.noneButton.classList.add("btn-wide", "none");
    return [
      h(
        "div",
        { class: "line" },
        h("h2", { class: "h2" }, "Your read"),
        h("span", { class: "small dim" }, this.schema.title),
        h("span", { class: "right" }, this.undo),
      ),
      this.noneButton,
    ];
  }

  private question(): HTMLElement[] {
    const enter = h("button", { type: "submit", class: "btn btn-primary" }, readCap("Enter"), "Commit, next");
    return [
      h(
        "div",
        { class: "line" },
        h("h2", { class: "h2" }, "Is there a haemorrhage?"),
        h("span", { class: "right small dim" }, "any grade counts"),
      ),
      h("div", { class: "twokey" }, this.noneButton, enter),
      this.warning,
    ];
  }

  private gradeGrid(): HTMLElement {
    const { grades } = this.schema;
    const heads = grades.map((grade) => h("span", { class: "hd", "aria-hidden": "true" }, readCap(String(grade))));
    const style = grades.length === 5 ? "grades" : "grades four";
    return h(
      "div",
      { class: style },
      h("span", { class: "label" }, this.mode === "queue" ? "Or grade" : ""),
      ...heads,
      ...SIDES.flatMap((side) => this.gradeRow(...side)),
    );
  }

  private gradeRow(side: Side, key: string): Child[] {
    const name = this.schema.label(side);
    const label = h("span", { class: "label line" }, readCap(key), name);
    this.sides.set(side, label);
    const buttons = this.schema
      .options(side)
      .filter((option) => option.const !== null)
      .map((option) => {
        const act = () => this.host.act({ type: "grade", side, grade: option.const as Grade });
        const button = this.button("g", [option.title], act, {
          "aria-label": `${name}, ${option.title}`,
          title: option.description ?? "",
        });
        this.grades.set(`${side}${String(option.const)}`, button);
        return button;
      });
    return [label, ...buttons];
  }

  private toggles(): HTMLElement {
    const flags = this.schema.fields.filter(([, rule]) => kindOf(rule) === "flag");
    const buttons = flags.map(([flag, { "x-key": key, description = "" }]) => {
      const shown = key ? keyCap("Read", key.length === 1 ? key.toUpperCase() : capNames(key).join(" ")) : null;
      const button = this.button(
        "toggle",
        [this.schema.label(flag), shown],
        () => this.host.act({ type: "toggle", flag }),
        { title: description },
      );
      this.flags.set(flag, button);
      return button;
    });
    const { skip } = this.host;
    if (skip) buttons.push(this.button("toggle", ["Skip", readCap("S")], skip));
    return h("div", { class: "toggles" }, ...buttons);
  }

  private qualityRow(): HTMLElement {
    const buttons = this.schema.options("quality").map(({ const: value, title }) => {
      const short = SHORT[title] ?? title.charAt(0).toUpperCase() + title.slice(1);
      const words = [h("span", { "aria-hidden": "true" }, short), h("span", { class: "vh" }, title)];
      const button = this.button("", words, () => this.host.act({ type: "choice", field: "quality", value }));
      this.qualities.set(value, button);
      return button;
    });
    return h(
      "div",
      { class: "form-row" },
      h("span", { class: "label", id: "quality" }, readCap("Q"), this.schema.label("quality")),
      h("div", { class: "seg tall", role: "group", "aria-labelledby": "quality" }, ...buttons),
    );
  }

  private keyframeRow(): HTMLElement {
    const add = this.button("btn btn-quiet add", [readCap("K"), "Keyframe"], this.host.keyframe);
    return h("div", { class: "form-row" }, add, this.keyframes);
  }

  private drawingsRow(): HTMLElement {
    const open = this.button("btn btn-quiet add", [keyCap("Viewer", "V"), "Measure"], this.host.drawings);
    return h("div", { class: "form-row" }, open, this.drawingLinks);
  }

  private drawDrawingLinks(drawings: readonly Drawing[]): void {
    if (!drawings.length) return fill(this.drawingLinks, h("span", { class: "small dim" }, "nothing drawn"));
    const first = drawings.slice(0, SHOWN_DRAWINGS).map((drawing) => {
      const clip = this.clips.find((each) => each.sop_uid === drawing.sop_uid);
      const text =
        (drawing.tool === "arrow" || drawing.tool === "point") && drawing.label
          ? drawing.label
          : this.numberText(drawing, clip);
      return this.button("link small", [text], () => this.host.goToDrawing(drawing), {
        "aria-label": `${text}, clip ${clip?.number ?? "unknown"}, frame ${drawing.frame}`,
      });
    });
    const more = drawings.length - first.length;
    fill(
      this.drawingLinks,
      ...first,
      more > 0 ? this.button("link small", [`${more} more`], this.host.drawings) : null,
    );
  }

  private numberText(drawing: Drawing, clip: Clip | undefined): string {
    const measured = measuredOf(drawing, clip?.regions ?? []);
    const value = [shortName(drawing), valueText(measured)].filter(Boolean).join(" ");
    return [value, scaleText(measured)].filter(Boolean).join(", ");
  }

  private foot(): HTMLElement {
    if (this.mode === "queue")
      return h(
        "div",
        { class: "foot stack" },
        this.status,
        h("p", { class: "line" }, this.previousText, h("span", { class: "right" }, this.undo)),
      );
    const commit = h(
      "button",
      { class: "btn btn-primary btn-lg btn-wide", type: "submit" },
      "Commit read ",
      readCap("Enter"),
    );
    return h("div", { class: "foot stack" }, this.warning, commit, this.status);
  }

  private drawWorst({ findings }: Form): void {
    const text = worstSide(findings);
    fill(
      this.worst,
      text ? ["Worst side: ", h("span", { class: "strong" }, text), ". "] : "",
      findings.phi || !this.schema.grades.includes(4) ? "" : "Parenchymal makes it IV.",
    );
  }

  private drawKeyframes(keyframes: readonly Keyframe[]): void {
    if (!keyframes.length)
      return fill(this.keyframes, h("span", { class: "small dim" }, "marks the frame on the screen"));
    fill(this.keyframes, ...keyframes.map((keyframe) => this.keyframe(keyframe)));
  }

  private keyframe(keyframe: Keyframe): HTMLElement {
    const clip = this.clips.find((each) => each.sop_uid === keyframe.sop_uid);
    const name = `clip ${clip?.number ?? "?"}, frame ${keyframe.frame}`;
    const remove = this.button(
      "btn btn-quiet mini",
      [icon("bad")],
      () => this.host.act({ type: "keyframe", keyframe }),
      { "aria-label": `Remove keyframe ${name}` },
    );
    return h(
      "span",
      { class: "chip" },
      this.button("link small", [name], () => this.host.goTo(keyframe)),
      remove,
    );
  }
}
