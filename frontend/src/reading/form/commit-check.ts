/**
 * Checks before a commit: clips that were not opened and findings that contradict each other.
 * It asks once; the second commit passes.
 */

import { assertive } from "../../common/announce";
import { h, icon } from "../../common/dom";
import { count } from "../../common/format";
import type { Coverage } from "../../viewer/coverage/coverage";
import { type Clip, playable } from "../../viewer/types";
import { contradictions, type Findings, isAnswered } from "../answer/findings";
import type { ReadForm } from "./form";

export class CommitCheck {
  private confirmAsked = false;
  private drawn = "?";

  constructor(
    private readonly form: ReadForm,
    private readonly coverage: Coverage,
    private readonly clips: readonly Clip[],
  ) {}

  /** The answer has changed: a question about the one before is void. */
  answerChanged(): void {
    this.confirmAsked = false;
    this.draw(true);
  }

  /** Draw the coverage; a question on the screen stays unless forced. */
  draw(force = false): void {
    if (this.confirmAsked && !force) return;
    const unopened = this.coverage.unopened();
    const signature = unopened.join();
    if (signature === this.drawn && !force) return;
    this.drawn = signature;
    if (!this.clips.some(playable))
      return this.form.setWarning(
        h(
          "p",
          { class: "warn small" },
          icon("warn"),
          h("span", {}, "There is no picture to look at: the study can be read as non-diagnostic, or left."),
        ),
      );
    const allOpened = this.clips.some((clip) => clip.decode_error || !clip.frames)
      ? "Every clip that can be shown was opened"
      : `All ${count(this.clips.length, "clip")} opened`;
    if (unopened.length)
      this.form.setWarning(
        h(
          "p",
          { class: "warn small" },
          icon("warn"),
          h(
            "span",
            {},
            `${unopened.length} of ${this.clips.length} clips not opened: `,
            ...this.form.unopened(unopened),
          ),
        ),
      );
    else
      this.form.setWarning(
        h("p", { class: "small dim ok" }, icon("ok"), h("span", {}, `${allOpened}, so Enter will not ask again.`)),
      );
  }

  /** Whether the answer may be committed now. */
  passes(findings: Findings, conflict: boolean): boolean {
    if (conflict) return this.refuseWith("Choose first which of the two drafts counts.");
    const { right, left } = findings;
    if (!isAnswered(findings) && (right === null) !== (left === null))
      return this.refuseWith(
        `The ${right === null ? "right" : "left"} side has no grade yet: ${right === null ? "R" : "L"} and a grade.`,
      );
    if (!isAnswered(findings))
      return this.refuseWith(
        "Nothing is answered yet: 0 for no haemorrhage, or R or L and a grade. " +
          "Q until Non-diag. if the pictures allow neither.",
      );
    const unopened = this.coverage.unopened();
    const doubts = contradictions(findings);
    const mastoid = this.clips.some((clip) => clip.view === "mastoid" && clip.frames > 0);
    if (findings.cerebellar === "none" && !mastoid)
      doubts.push("No clip is a mastoid view, yet the posterior fossa is called clear.");
    if (!this.clips.some(playable) && findings.quality !== "non_diagnostic")
      doubts.push("This study has no pictures, yet it is graded.");
    if (unopened.length) doubts.push(`${unopened.length} of ${count(this.clips.length, "clip")} not opened.`);
    if (!doubts.length || this.confirmAsked) return true;
    this.confirmAsked = true;
    this.warn(doubts, "Enter again commits.");
    return false;
  }

  warn(sentences: string[], then = ""): void {
    const text = [...sentences, then].filter(Boolean).join(" ");
    const unopened = this.coverage.unopened();
    this.form.setWarning(
      h(
        "p",
        { class: "warn question", "data-question": "" },
        icon("warn"),
        h(
          "span",
          {},
          text,
          then && unopened.length ? h("span", { class: "small links" }, ...this.form.unopened(unopened)) : null,
        ),
      ),
    );
    assertive(text);
  }

  private refuseWith(why: string): false {
    this.warn([why]);
    return false;
  }
}
