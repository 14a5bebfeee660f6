/** After the commit: what was said beside what the model said, agreeing, the next study, and going back. */

import { assertive, polite } from "../common/announce";
import { api, reason } from "../common/api";
import { h } from "../common/dom";
import { duration, probability } from "../common/format";
import { Thread } from "./adjudication/discussion";
import { type Answer, headline } from "./answer/findings";
import { targetOf } from "./read-target";
import { Reveal } from "./reveal";
import type { Desk } from "./session-context";
import { doneKeys } from "./shortcuts";
import { lesson } from "./trainee-feedback";
import type { Committed, Feedback, LabelQueue, Next, Read, Score } from "./types";

const HEAT_MS = 3000;
const HEAT_TRIES = 5;

export interface Back {
  /** The read is open again. */
  begin: (mine: Read | null) => Promise<void>;
  /** Nothing is kept of a draft any more. */
  settled: () => void;
  timeline: () => Promise<void>;
  lookAhead: () => Promise<void>;
}

/** "The model says suspected, 0.97.": the least that the commit reveals. */
function modelWords(score: Score | null): string {
  if (!score?.flag) return "The model has said nothing.";
  const said = [score.flag.replaceAll("_", " "), probability(score.probability)].filter(Boolean);
  return `The model says ${said.join(", ")}.`;
}

export class Afterwards {
  feedback: Feedback | null = null;
  discussed = false;
  private reveal: Reveal | null = null;
  private next: Next | null = null;
  private queueAfter: LabelQueue | null = null;
  private thread: Thread | null = null;

  constructor(
    private readonly desk: Desk,
    private readonly back: Back,
  ) {}

  close(): void {
    this.thread?.close();
  }

  committed(answer: Answer, said: Committed): void {
    this.next = said.next;
    this.queueAfter = said.queue ?? null;
    const seconds = (performance.now() - this.desk.opened) / 1000;
    if (this.desk.mode === "queue") {
      const text = `Before: ${headline(answer.findings)}, ${duration(seconds) ?? ""}`;
      polite(`Committed. ${text}`);
      if (said.feedback) {
        this.feedback = said.feedback;
        polite(said.feedback.right ? "Right" : "Not right");
        return this.showDone(answer, said.committed_at ?? new Date().toISOString(), null);
      }
      this.desk.phase = "done";
      this.desk.house.go(said.next ? targetOf(said.next, this.desk.context, said.queue) : null, {
        target: this.desk.target,
        text,
      });
      return;
    }
    if (said.reveal) this.desk.score = said.reveal;
    this.showDone(answer, said.committed_at ?? new Date().toISOString(), null);
    if (answer.findings.drawings.length) void this.showServersNumbers();
    void this.back.lookAhead();
    this.reveal?.say(`${duration(seconds) ?? ""} on this one.`);
    polite(`Committed. ${modelWords(this.desk.score)}`);
  }

  // ---------- after the commit ----------

  showDone(answer: Answer, at: string, agreement: boolean | null): void {
    this.desk.phase = "done";
    this.back.settled();
    this.desk.viewer.marks.setKeyframes(answer.findings.keyframes ?? []);
    this.desk.viewer.marks.setDrawings(answer.findings.drawings ?? [], false);
    const commands = {
      agree: (agree: boolean) => void this.agree(agree),
      next: () => void this.advance(),
      reopen: () => void this.reopen(),
      goTo: (sop: string, frame: number) => this.desk.viewer.goTo(sop, frame),
      peak: (step: 1 | -1) => this.desk.viewer.attention.goToPeak(step),
    };
    const queue = this.desk.mode === "queue";
    this.reveal = new Reveal(
      answer,
      at,
      queue ? null : this.desk.score,
      this.desk.study.clips,
      { queue, next: this.next !== null },
      commands,
      this.taught(),
    );
    this.reveal.drawAgreement(agreement);
    this.desk.mount(this.reveal.element);
    this.desk.roomBar?.drawScore(this.desk.score);
    this.desk.roomBar?.committed(at);
    if (!queue) {
      this.showAttention();
      void this.back.timeline();
    }
    this.bindDone();
    void this.talk();
    this.desk.viewer.focus();
  }

  /** Before one's own answer in a queue: the known one, for a trainee. */
  private taught(): HTMLElement[] {
    return this.feedback ? [lesson(this.feedback, ({ sop_uid, frame }) => this.desk.viewer.goTo(sop_uid, frame))] : [];
  }

  /** Beneath it: what is said about the item, by those who may talk about it. */
  private async talk(): Promise<void> {
    if (!this.discussed || this.desk.target.item === undefined) return;
    this.thread ??= new Thread(`/api/v1/discussions/${this.desk.target.item}/`);
    const { thread } = this;
    if (!(await thread.load()) || this.desk.phase !== "done" || this.desk.closed) return;
    this.reveal?.element.querySelector(".scroll")?.append(h("hr", { class: "rule" }), thread.element);
    this.desk.addKey({ key: "/", label: "Discuss", group: "After the commit", run: () => thread.focus() });
  }

  /** What was committed, with the numbers that the server put beside the drawings. */
  private async showServersNumbers(): Promise<void> {
    const { mine } = await this.desk.fetchReads();
    const last = mine?.revisions.at(-1);
    if (this.desk.phase === "done" && !this.desk.closed && last)
      this.desk.viewer.marks.setDrawings(last.findings.drawings ?? [], false);
  }

  showAttention(): void {
    this.desk.viewer.attention.setAttention(this.desk.score?.attention ?? []);
    this.desk.viewer.attention.setHeat(this.desk.score?.heat_maps ?? null);
    if (this.desk.score?.attention?.length && !this.desk.score.heat_maps) this.awaitHeat();
  }

  /** The maps are computed after the score; somebody who is very fast is there before them. */
  private awaitHeat(tries = HEAT_TRIES): void {
    window.setTimeout(() => {
      if (this.desk.closed || !tries) return;
      void this.desk.fetchScore().then((score) => {
        if (this.desk.closed) return;
        if (score?.heat_maps) this.desk.viewer.attention.setHeat(score.heat_maps);
        else this.awaitHeat(tries - 1);
      });
    }, HEAT_MS);
  }

  private async agree(agree: boolean): Promise<void> {
    if (!this.reveal?.canAgree) return;
    this.reveal.drawAgreement(agree);
    try {
      await api.post(`${this.desk.api}reads/agreement/`, { agree });
      this.reveal.say(agree ? "You agree with the flag" : "You disagree with the flag");
      polite(agree ? "Agreed" : "Disagreed");
    } catch (error) {
      this.reveal.drawAgreement(null);
      this.reveal.say(reason(error));
    }
  }

  async advance(): Promise<void> {
    if (this.next) return this.desk.house.go(targetOf(this.next, this.desk.context, this.queueAfter), null);
    if (this.desk.context === "queue") {
      const queue = await api.get<LabelQueue>("/api/v1/label-queue/");
      return this.desk.house.go(queue.item ? targetOf(queue.item, "queue", queue) : null, null);
    }
    this.desk.house.go(null, null);
  }

  async reopen(): Promise<void> {
    try {
      await api.post(`${this.desk.api}reads/reopen/`, { context: this.desk.context, ...this.desk.item });
      const { mine } = await this.desk.fetchReads();
      this.desk.viewer.attention.setAttention(null);
      this.desk.viewer.attention.setHeat(null);
      this.reveal = null;
      await this.back.begin(mine);
      polite("Reopened. What was committed is kept.");
      this.desk.viewer.focus();
    } catch (error) {
      this.reveal?.say(reason(error));
      assertive(reason(error));
    }
  }

  private bindDone(): void {
    const commands = {
      reopen: () => void this.reopen(),
      next: () => void this.advance(),
      agree: (agree: boolean) => void this.agree(agree),
      peak: (step: 1 | -1) => this.desk.viewer.attention.goToPeak(step),
      heat: () => this.desk.viewer.attention.toggleHeat(),
    };
    this.desk.rebind(doneKeys(this.desk.mode, this.next !== null, commands));
  }
}
