/**
 * Checks before a commit: clips that were not seen and findings that contradict each other.
 * It asks once; the second commit passes.
 */

import { assertive } from "../../common/announce";
import { h, icon } from "../../common/dom";
import { count } from "../../common/format";
import type { Coverage } from "../../viewer/coverage/coverage";
import { SIDES, sidesSeen } from "../../viewer/coverage/sides-seen";
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
    const unseen = this.coverage.unseen();
    const signature = this.shares(unseen);
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
    const allSeen = this.clips.some((clip) => clip.decode_error || !clip.frames)
      ? "Every clip that can be shown was seen"
      : `All ${count(this.clips.length, "clip")} seen`;
    if (unseen.length)
      this.form.setWarning(
        h(
          "p",
          { class: "warn small" },
          icon("warn"),
          h("span", {}, `${this.unseenText(unseen)}: `, ...this.links(unseen)),
        ),
      );
    else
      this.form.setWarning(
        h("p", { class: "small dim ok" }, icon("ok"), h("span", {}, `${allSeen}, so Enter will not ask again.`)),
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
    const unseen = this.coverage.unseen();
    const doubts = contradictions(findings);
    const missing = this.mastoidMissing();
    if (findings.cerebellar === "none" && missing) doubts.push(`${missing}, yet the posterior fossa is called clear.`);
    if (!this.clips.some(playable) && findings.quality !== "non_diagnostic")
      doubts.push("This study has no pictures, yet it is graded.");
    if (unseen.length) doubts.push(`${this.unseenText(unseen)}.`);
    if (!doubts.length || this.confirmAsked) return true;
    this.confirmAsked = true;
    this.warn(doubts, "Enter again commits.");
    return false;
  }

  warn(sentences: string[], then = ""): void {
    const text = [...sentences, then].filter(Boolean).join(" ");
    const unseen = this.coverage.unseen();
    this.form.setWarning(
      h(
        "p",
        { class: "warn question", "data-question": "" },
        icon("warn"),
        h("span", {}, text, then && unseen.length ? h("span", { class: "small links" }, ...this.links(unseen)) : null),
      ),
    );
    assertive(text);
  }

  /** What was not seen of the posterior fossa; empty where both sides were. */
  private mastoidMissing(): string {
    if (!this.clips.some((clip) => clip.view === "mastoid" && clip.frames > 0)) return "No clip is a mastoid view";
    const seen = sidesSeen(this.clips, "mastoid", (sop) => this.coverage.seen(sop));
    const missing = SIDES.filter((side) => !seen.includes(side));
    return missing.length ? `No mastoid view of the ${missing.join(" and the ")} side was seen` : "";
  }

  /** "2 of 8 clips not opened", or that some of them were seen in part. */
  private unseenText(unseen: readonly string[]): string {
    const partly = unseen.some((sop) => this.coverage.fraction(sop) > 0);
    return `${unseen.length} of ${count(this.clips.length, "clip")} not opened${partly ? " or seen only in part" : ""}`;
  }

  private links(unseen: readonly string[]) {
    return this.form.unseen(unseen, (sop) => this.coverage.fraction(sop));
  }

  /** In steps of ten, so that the line is not drawn anew at every frame. */
  private shares(unseen: readonly string[]): string {
    return unseen.map((sop) => `${sop} ${Math.floor(10 * this.coverage.fraction(sop))}`).join();
  }

  private refuseWith(why: string): false {
    this.warn([why]);
    return false;
  }
}
