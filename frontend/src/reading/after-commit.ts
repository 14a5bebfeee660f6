/** After the commit: the read beside the model's score, agreement, the next study, and reopening. */

import { assertive, polite } from "../common/announce";
import { api, reason } from "../common/api";
import { h } from "../common/dom";
import { duration, probability } from "../common/format";
import { DiscussionPanel } from "./adjudication/discussion";
import { type Answer, headline } from "./answer/findings";
import { targetOf } from "./read-target";
import { Reveal } from "./reveal";
import type { SessionContext } from "./session-context";
import { doneKeys } from "./shortcuts";
import { traineeFeedback } from "./trainee-feedback";
import type { Committed, Feedback, LabelQueue, Next, Read, Score } from "./types";

const HEAT_MS = 3000;
const HEAT_TRIES = 5;

export interface AfterCommitHost {
  /** Begin the reopened read. */
  begin: (ownRead: Read | null) => Promise<void>;
  /** Stop synchronizing the draft. */
  closeDraft: () => void;
  showTimeline: () => Promise<void>;
  prefetchNext: () => Promise<void>;
}

/** "The model says suspected, 0.97.": the least that the commit reveals. */
function modelWords(score: Score | null): string {
  if (!score?.flag) return "The model has said nothing.";
  const parts = [score.flag.replaceAll("_", " "), probability(score.probability)].filter(Boolean);
  return `The model says ${parts.join(", ")}.`;
}

export class AfterCommit {
  feedback: Feedback | null = null;
  mayDiscuss = false;
  private reveal: Reveal | null = null;
  private next: Next | null = null;
  private queueAfter: LabelQueue | null = null;
  private discussion: DiscussionPanel | null = null;
  private committedRead: { answer: Answer; at: string; agreement: boolean | null } | null = null;

  constructor(
    private readonly session: SessionContext,
    private readonly host: AfterCommitHost,
  ) {}

  close(): void {
    this.discussion?.close();
  }

  committed(answer: Answer, commit: Committed): void {
    this.next = commit.next;
    this.queueAfter = commit.queue ?? null;
    const seconds = (performance.now() - this.session.opened) / 1000;
    if (this.session.mode === "queue") {
      const text = `Before: ${headline(answer.findings)}, ${duration(seconds) ?? ""}`;
      polite(`Committed. ${text}`);
      if (commit.feedback) {
        this.feedback = commit.feedback;
        polite(commit.feedback.right ? "Right" : "Not right");
        return this.show(answer, commit.committed_at ?? new Date().toISOString(), null);
      }
      this.session.phase = "done";
      this.session.host.go(commit.next ? targetOf(commit.next, this.session.context, commit.queue) : null, {
        target: this.session.target,
        text,
      });
      return;
    }
    if (commit.reveal) this.session.score = commit.reveal;
    this.show(answer, commit.committed_at ?? new Date().toISOString(), null);
    if (answer.findings.drawings.length) void this.showServerMeasurements();
    void this.host.prefetchNext();
    this.reveal?.setStatus(`${duration(seconds) ?? ""} on this one.`);
    polite(`Committed. ${modelWords(this.session.score)}`);
  }

  // ---------- after the commit ----------

  show(answer: Answer, at: string, agreement: boolean | null): void {
    this.session.phase = "done";
    this.host.closeDraft();
    this.session.viewer.marks.setKeyframes(answer.findings.keyframes ?? []);
    this.session.viewer.marks.setDrawings(answer.findings.drawings ?? [], false);
    this.committedRead = { answer, at, agreement };
    this.drawReveal();
    if (this.session.mode !== "queue") void this.host.showTimeline();
    this.bindKeys();
    void this.showDiscussion();
    this.session.viewer.focus();
  }

  /** The model's answer has come after the read was shown without it. One that was agreed with is not replaced. */
  scoreArrived(): void {
    if (this.reveal && !this.reveal.canAgree) this.drawReveal();
  }

  private drawReveal(): void {
    if (!this.committedRead) return;
    const { answer, at, agreement } = this.committedRead;
    const revealHost = {
      agree: (agree: boolean) => void this.agree(agree),
      next: () => void this.advance(),
      reopen: () => void this.reopen(),
      goTo: (sop: string, frame: number) => this.session.viewer.goTo(sop, frame),
      goToPeak: (step: 1 | -1) => this.session.viewer.attention.goToPeak(step),
    };
    const queue = this.session.mode === "queue";
    this.reveal = new Reveal(
      answer,
      at,
      queue ? null : this.session.score,
      this.session.study.clips,
      { queue, next: this.next !== null },
      revealHost,
      this.feedbackSection(),
    );
    this.reveal.drawAgreement(agreement);
    this.session.showPanel(this.reveal.element);
    this.session.roomBar?.drawScore(this.session.score);
    this.session.roomBar?.committed(at);
    if (!queue) this.showAttention();
  }

  /** For a trainee: the known answer, above the own one. */
  private feedbackSection(): HTMLElement[] {
    return this.feedback
      ? [traineeFeedback(this.feedback, ({ sop_uid, frame }) => this.session.viewer.goTo(sop_uid, frame))]
      : [];
  }

  /** Add the discussion of the item, for those who take part. */
  private async showDiscussion(): Promise<void> {
    if (!this.mayDiscuss || this.session.target.item === undefined) return;
    this.discussion ??= new DiscussionPanel(`/api/v1/discussions/${this.session.target.item}/`);
    const { discussion } = this;
    if (!(await discussion.load()) || this.session.phase !== "done" || this.session.closed) return;
    this.reveal?.element.querySelector(".scroll")?.append(h("hr", { class: "rule" }), discussion.element);
    this.session.addKey({ key: "/", label: "Discuss", group: "After the commit", run: () => discussion.focus() });
  }

  /** Show the measurements that the server computed at the commit. */
  private async showServerMeasurements(): Promise<void> {
    const { mine: ownRead } = await this.session.fetchReads();
    const last = ownRead?.revisions.at(-1);
    if (this.session.phase === "done" && !this.session.closed && last)
      this.session.viewer.marks.setDrawings(last.findings.drawings ?? [], false);
  }

  showAttention(): void {
    this.session.viewer.attention.setAttention(this.session.score?.attention ?? []);
    this.session.viewer.attention.setHeat(this.session.score?.heat_maps ?? null);
    if (this.session.score?.attention?.length && !this.session.score.heat_maps) this.awaitHeat();
  }

  /** Ask again for heat maps, which are computed after the score and may be missing yet. */
  private awaitHeat(tries = HEAT_TRIES): void {
    window.setTimeout(() => {
      if (this.session.closed || !tries) return;
      void this.session.fetchScore().then((score) => {
        if (this.session.closed) return;
        if (score?.heat_maps) this.session.viewer.attention.setHeat(score.heat_maps);
        else this.awaitHeat(tries - 1);
      });
    }, HEAT_MS);
  }

  private async agree(agree: boolean): Promise<void> {
    if (!this.reveal?.canAgree) return;
    this.reveal.drawAgreement(agree);
    try {
      await api.post(`${this.session.api}reads/agreement/`, { agree });
      this.reveal.setStatus(agree ? "You agree with the flag" : "You disagree with the flag");
      polite(agree ? "Agreed" : "Disagreed");
    } catch (error) {
      this.reveal.drawAgreement(null);
      this.reveal.setStatus(reason(error));
    }
  }

  async advance(): Promise<void> {
    if (this.next) return this.session.host.go(targetOf(this.next, this.session.context, this.queueAfter), null);
    if (this.session.context === "queue") {
      const queue = await api.get<LabelQueue>("/api/v1/label-queue/");
      return this.session.host.go(queue.item ? targetOf(queue.item, "queue", queue) : null, null);
    }
    this.session.host.go(null, null);
  }

  /** Open the read for changes; it stays committed until there is one. */
  async reopen(): Promise<void> {
    try {
      const { mine: ownRead } = await this.session.fetchReads();
      this.session.viewer.attention.setAttention(null);
      this.session.viewer.attention.setHeat(null);
      this.reveal = null;
      await this.host.begin(ownRead);
      polite("Open for changes. It counts as it is until you change something.");
      this.session.viewer.focus();
    } catch (error) {
      this.reveal?.setStatus(reason(error));
      assertive(reason(error));
    }
  }

  private bindKeys(): void {
    const keysHost = {
      reopen: () => void this.reopen(),
      next: () => void this.advance(),
      agree: (agree: boolean) => void this.agree(agree),
      goToPeak: (step: 1 | -1) => this.session.viewer.attention.goToPeak(step),
      toggleHeat: () => this.session.viewer.attention.toggleHeat(),
    };
    this.session.setKeys(doneKeys(this.session.mode, this.next !== null, keysHost));
  }
}
