/** An adjudication beside the pictures: the answers compared, their comments, and audited unblinding. */

import { polite } from "../../common/announce";
import { api, reason } from "../../common/api";
import { ask } from "../../common/dialog";
import { type Child, fill, h, s } from "../../common/dom";
import { flagSign } from "../../common/flag";
import { probability } from "../../common/format";
import { keyCap } from "../../common/keymap";
import type { Findings, Keyframe } from "../answer/findings";
import { schemaOf } from "../answer/schema";
import type { Discussion, OtherRead } from "../types";
import { DiscussionPanel } from "./discussion";

const LEVELS = { high: "high weight", mid: "middle weight", low: "low weight" } as const;

/** An answer to a field, in the words of its schema. */
export function wordOf(field: string, findings: Findings): string {
  const value = (findings as unknown as Record<string, unknown>)[field];
  return value === null || value === undefined ? "–" : schemaOf(findings).word(field, value);
}

function unequalSign(): SVGElement {
  return s(
    "svg",
    { class: "ne", viewBox: "0 0 12 12", "aria-hidden": "true" },
    s("path", { d: "M1 4.2h10M1 8h10M9 .8 3 11.4" }),
  );
}

export interface AdjudicationPanelHost {
  accept: (at: number) => void;
  goTo: (keyframe: Keyframe) => void;
  unblinded: () => void;
}

export class AdjudicationPanel {
  readonly element = h("div", { class: "stack-4", "data-judge": "" });
  readonly discussion: DiscussionPanel;
  private comparison: Discussion | null = null;
  private readonly decided = new Map<string, HTMLElement>();
  private readonly rows = new Map<string, string[]>();
  private readonly url: string;
  private keyframeIndex = -1;

  constructor(
    item: number,
    private readonly others: readonly OtherRead[],
    private readonly host: AdjudicationPanelHost,
  ) {
    this.url = `/api/v1/discussions/${item}/`;
    this.discussion = new DiscussionPanel(this.url);
  }

  /** The readers' keyframes, one after the other. */
  private get keyframes(): (Keyframe & { reader: string })[] {
    return this.others.flatMap((other) =>
      (other.revisions[0]?.findings.keyframes ?? []).map((keyframe) => ({ ...keyframe, reader: other.reader })),
    );
  }

  async load(): Promise<void> {
    try {
      this.show(await api.get<Discussion>(this.url));
    } catch (error) {
      fill(
        this.element,
        h("p", { class: "message", role: "alert" }, `The answers could not be compared. ${reason(error)}`),
      );
    }
  }

  private show(comparison: Discussion): void {
    this.comparison = comparison;
    this.discussion.show(comparison.remarks);
    this.decided.clear();
    fill(this.element, this.table(comparison), this.comments(), this.blindingNote(comparison));
    if (comparison.unblinded) this.host.unblinded();
  }

  private row(comparison: Discussion, row: Discussion["rows"][number]): HTMLElement {
    const yours = h("td", { class: "dec" }, "–");
    this.decided.set(row.field, yours);
    this.rows.set(row.field, row.values);
    const level = row.differs ? h("span", { class: "small dim level" }, LEVELS[row.level || "low"]) : null;
    return h(
      "tr",
      { class: row.differs ? "d" : "same" },
      h(
        "th",
        { scope: "row" },
        row.differs ? [unequalSign(), h("span", { class: "vh" }, "differs: ")] : null,
        row.label,
        level,
      ),
      ...row.values.slice(0, comparison.readers.length).map((value) => h("td", {}, value)),
      yours,
    );
  }

  private table(comparison: Discussion): HTMLElement {
    const differing = comparison.rows.filter((row) => row.differs);
    const names = comparison.unblinded?.readers ?? comparison.readers;
    const head = (name: string, at: number) =>
      h(
        "th",
        { scope: "col" },
        h(
          "button",
          {
            class: "btn pick",
            type: "button",
            title: `Take the answer of ${name}`,
            onclick: () => this.host.accept(at),
          },
          h("kbd", {}, at + 1),
          name,
        ),
      );
    const part = (text: string) =>
      h("tr", { class: "sep" }, h("th", { scope: "rowgroup", colspan: comparison.readers.length + 2 }, text));
    const same = comparison.rows.filter((row) => !row.differs);
    return h(
      "table",
      { class: "cmp wide" },
      h("caption", { class: "vh" }, "The answers, differences first; a button takes that answer"),
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          h("th", { scope: "col" }, h("span", { class: "vh" }, "Finding")),
          ...names.map(head),
          h("th", { scope: "col" }, "Yours"),
        ),
      ),
      h(
        "tbody",
        {},
        part(`${differing.length} different`),
        ...differing.map((row) => this.row(comparison, row)),
        part(`${same.length} the same`),
        ...same.map((row) => this.row(comparison, row)),
      ),
    );
  }

  private comments(): Child {
    const comments = this.others
      .map((other) => ({ name: other.reader, comment: other.revisions[0]?.comment ?? "" }))
      .filter(({ comment }) => comment.trim());
    const frames = this.keyframes;
    const link = (keyframe: Keyframe & { reader: string }) =>
      h(
        "button",
        { class: "link small", type: "button", onclick: () => this.host.goTo(keyframe) },
        `${keyframe.reader}, frame ${keyframe.frame}`,
      );
    return [
      comments.map(({ name, comment }) =>
        h("p", { class: "small" }, h("span", { class: "strong" }, `${name}: `), comment),
      ),
      frames.length
        ? h(
            "p",
            { class: "small line" },
            keyCap("Adjudicate", "F"),
            h("span", { class: "dim" }, "Keyframes"),
            ...frames.map(link),
          )
        : null,
    ];
  }

  private blindingNote(comparison: Discussion): HTMLElement {
    const shown = comparison.unblinded;
    if (!shown) {
      const button = h(
        "button",
        { class: "btn btn-quiet", type: "button", onclick: () => void this.unblind() },
        h("kbd", { class: "word" }, "Alt"),
        h("kbd", {}, "B"),
        "Show AI and readers' names",
      );
      return h(
        "p",
        { class: "small dim line" },
        "Your answer becomes the reference label.",
        h("span", { class: "right" }, button),
      );
    }
    const score = shown.score;
    return h(
      "p",
      { class: "notice line", "data-unblinded": "" },
      "Unblinded, on record.",
      flagSign({ flag: score.flag, receiving: false }),
      h("span", { class: "num strong" }, probability(score.probability) ?? ""),
      h("span", { class: "small dim" }, score.model?.demo_warning ?? ""),
    );
  }

  async unblind(): Promise<void> {
    if (!this.comparison || this.comparison.unblinded) return;
    const body = [
      h(
        "p",
        {},
        "You see the AI's answer and who the readers are before you decide. " +
          "It is written down, with your reason, in the audit trail and beside your read.",
      ),
    ];
    const { confirmed, reason: why } = await ask({
      title: "Show AI and readers' names?",
      body,
      confirm: "Show them",
      reasonLabel: "Why",
    });
    if (!confirmed) return;
    try {
      this.show(await api.post<Discussion>(`${this.url}unblind/`, { reason: why }));
      polite("Unblinded. It is on record.");
    } catch (error) {
      this.discussion.showProblem(`Nothing was shown. ${reason(error)}`);
    }
  }

  /** Go to the next keyframe of the readers. */
  nextKeyframe(): void {
    const frames = this.keyframes;
    if (!frames.length) return polite("The readers marked no keyframe");
    this.keyframeIndex = (this.keyframeIndex + 1) % frames.length;
    const keyframe = frames[this.keyframeIndex];
    if (keyframe) {
      this.host.goTo(keyframe);
      polite(`${keyframe.reader}, frame ${keyframe.frame}`);
    }
  }

  /** Draw the decision so far beside the answers. */
  draw(findings: Findings): void {
    for (const [field, cell] of this.decided) {
      const word = wordOf(field, findings);
      if (cell.textContent !== word) cell.textContent = word;
    }
  }
}
