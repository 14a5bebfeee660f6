/** One study being read, from opening to the commit and what follows it. */

import type { NextStudyUid } from "../api/schema";
import { polite } from "../common/announce";
import { api } from "../common/api";
import { h } from "../common/dom";
import { count } from "../common/format";
import { bind, isField } from "../common/keys";
import { prefetchFirstPictures } from "../viewer/layout/viewport-chunk";
import { playable, type Study } from "../viewer/types";
import { Viewer } from "../viewer/viewer";
import { AdjudicationPanel } from "./adjudication/panel";
import { AfterCommit } from "./after-commit";
import type { Keyframe } from "./answer/findings";
import { loadSchemas, registerSchema } from "./answer/schema";
import { StudyClaim } from "./claim";
import { hasUnsent, type Place } from "./draft/draft-store";
import { ReadEditor } from "./editor";
import { followLiveUpdates } from "./live-updates";
import { draftStore, HOME, type Target } from "./read-target";
import { SessionContext, type SessionHost } from "./session-context";
import { attentionKeys } from "./shortcuts";
import { QueueBar, RoomBar } from "./study-bar";
import { showTimeline, showTimelinePlaceholder } from "./timeline/timeline";
import { TimelinePanel } from "./timeline/timeline-panel";
import type { LabelQueue, Read, Reads, Score } from "./types";

const BLINDING = {
  queue: "Blinded: no AI output, no other reads",
  adjudication: "No AI output; readers are anonymous",
} as const;

/** The announcement of a study that was opened: screen readers get no other sign of it. */
export function studySummary({ patient, day_of_life, clips, priors }: Study): string {
  const day = day_of_life === null ? "" : `day ${day_of_life}`;
  return [
    patient.patient_id || "no ID",
    day,
    count(clips.length, "clip"),
    priors.length ? count(priors.length, "prior") : "no prior",
  ]
    .filter(Boolean)
    .join(", ");
}

/** A second press of Escape within this time repeats the first and does not leave the study. */
const SECOND_PRESS_MS = 600;

/** The title of the tab: the place in the queue, or the patient. */
function tabTitle({ patient }: Study, queue: LabelQueue | null): string {
  return queue ? `${queue.name ?? "Label queue"}, ${queue.position} of ${queue.total}` : patient.patient_id;
}

export class Session {
  private readonly shared: SessionContext;
  private readonly editor: ReadEditor;
  private readonly afterCommit: AfterCommit;
  private readonly cleanups: (() => void)[] = [];
  private readonly claim: StudyClaim;
  private attentionShownEarly = false;
  /** Tells the timeline that the drawings have changed. */
  private timelineDrawingsChanged: () => void = () => undefined;
  /** The panel of the timeline, in the reading room only. */
  private timelinePanel: TimelinePanel | null = null;

  constructor(
    readonly target: Target,
    private readonly host: SessionHost,
  ) {
    const shared = new SessionContext(target, host);
    this.shared = shared;
    this.claim = new StudyClaim(
      `${shared.api}claim/`,
      (by) => shared.roomBar?.drawClaim(by),
      () => shared.phase === "reading" && !shared.closed,
    );
    this.afterCommit = new AfterCommit(shared, {
      begin: (ownRead) => this.editor.begin(ownRead),
      closeDraft: () => this.editor.closeDraft(),
      showTimeline: () => this.showTimeline(),
      prefetchNext: () => this.prefetchNext(),
    });
    this.editor = new ReadEditor(shared, {
      committed: (answer, commit) => this.afterCommit.committed(answer, commit),
      advance: () => this.afterCommit.advance(),
      reopen: () => this.afterCommit.reopen(),
      drawingsChanged: () => this.timelineDrawingsChanged(),
    });
  }

  get place(): Place {
    return this.shared.place;
  }

  async open(): Promise<void> {
    const { shared } = this;
    const room = shared.mode === "room";
    // Reading never waits for scoring: a score that cannot be fetched counts as none.
    const scoring = room ? shared.fetchScore() : Promise.resolve(null);
    const [study, reads, queue] = await Promise.all([this.fetchStudy(), shared.fetchReads(), this.fetchQueue()]);
    if (shared.closed) return;
    shared.study = study;
    shared.schema = registerSchema(reads.schema);
    await loadSchemas(
      [...(reads.mine?.revisions ?? []), ...reads.others.flatMap((other) => other.revisions)].map(
        (revision) => revision.findings.schema,
      ),
    );
    this.createViewer(study, reads);
    shared.bar = queue
      ? new QueueBar(
          study,
          queue,
          HOME[shared.context],
          BLINDING[shared.context === "adjudication" ? "adjudication" : "queue"],
        )
      : new RoomBar(study);
    await shared.adjudication?.load();
    document.title = `${tabTitle(study, queue)} · Fontanelle`;
    if (room) this.addTimelinePanel();
    shared.fillPage();
    this.followLiveUpdates();
    shared.score = await Promise.race([scoring, Promise.resolve(null)]);
    await this.start(reads.mine);
    this.bindGeneral();
    polite(
      queue ? `Study ${queue.position} of ${queue.total}, ${count(study.clips.length, "clip")}` : studySummary(study),
    );
    this.host.main.removeAttribute("aria-busy");
    if (!study.clips.some(playable)) this.showNoPictures();
    void scoring.then((score) => this.scoreArrived(score));
    const opening = shared.viewer.open();
    if (room && shared.phase === "reading" && !this.editor.reopened) void this.claim.take();
    await opening;
    await shared.viewer.firstPicturesShown();
    if (room && !shared.closed) void this.showTimeline();
    void this.prefetchNext();
  }

  close(): void {
    const { shared } = this;
    if (shared.closed) return;
    shared.closed = true;
    for (const undo of this.cleanups) undo();
    shared.setKeys([]);
    this.editor.storeCoverage();
    void this.editor.leave();
    this.editor.close();
    shared.viewer?.close();
    shared.bar?.close();
    this.releaseClaim();
    this.claim.close();
    shared.adjudication?.discussion.close();
    this.afterCommit.close();
  }

  /** The page is about to be unloaded. */
  leave(): void {
    if (this.shared.phase === "reading") this.editor.storeCoverage();
    void this.editor.leave();
    this.releaseClaim();
  }

  // ---------- opening ----------

  private get panes(): 1 | 2 {
    return this.shared.mode === "room" ? 2 : 1;
  }

  /** Requests the first pictures as soon as the study is known. */
  private async fetchStudy(): Promise<Study> {
    const study = await api.get<Study>(this.shared.api);
    if (!this.shared.closed) prefetchFirstPictures(study, this.panes);
    return study;
  }

  private async fetchQueue(): Promise<LabelQueue | null> {
    if (this.shared.mode === "room") return null;
    if (this.target.queue) return this.target.queue;
    const queue = await api.get<LabelQueue>("/api/v1/label-queue/");
    // A reopened item is not the next item, so the details of the next one are left out.
    return queue.item?.id === this.target.item ? queue : { ...queue, item: null };
  }

  private createViewer(study: Study, reads: Reads): void {
    const { shared, editor } = this;
    const viewer = new Viewer(study, {
      panes: this.panes,
      showPriorDrawings: shared.mode === "room",
      coverageChanged: () => editor.coverageChanged(),
      notesChanged: (notes) => editor.notesChanged(notes),
      drawingsChanged: (drawings, step) => editor.act({ type: "draw", drawings, step }),
    });
    shared.viewer = viewer;
    shared.others = shared.context === "adjudication" ? reads.others : [];
    this.afterCommit.feedback = reads.feedback;
    this.afterCommit.mayDiscuss = reads.discussed;
    if (shared.context === "adjudication" && this.target.item !== undefined) {
      const goTo = ({ sop_uid, frame }: Keyframe) => viewer.goTo(sop_uid, frame);
      shared.adjudication = new AdjudicationPanel(this.target.item, shared.others, {
        accept: (at) => editor.takeAnswer(at),
        goTo,
        unblinded: () => shared.bar instanceof QueueBar && shared.bar.say("Unblinded, on record"),
      });
    }
  }

  private async start(ownRead: Read | null): Promise<void> {
    const last = ownRead?.revisions.at(-1);
    if (ownRead?.status === "committed" && last) {
      const stored = draftStore.read(this.place);
      // What was changed after the commit and has not arrived is not hidden behind it.
      if (this.target.reopen || (stored && hasUnsent(stored))) return this.afterCommit.reopen();
      this.afterCommit.show(
        { findings: last.findings, comment: last.comment ?? "" },
        last.committed_at,
        last.agreement,
      );
      return;
    }
    await this.editor.begin(ownRead);
  }

  private showNoPictures(): void {
    const text = "This study has no pictures. It can be read as non-diagnostic (Q), or left.";
    this.shared.viewer.stage.prepend(h("p", { class: "no-pictures", role: "note" }, text));
    document.documentElement.dataset["viewerReady"] = "true";
  }

  private addTimelinePanel(): void {
    const below = new TimelinePanel(this.shared.viewer);
    this.timelinePanel = below;
    showTimelinePlaceholder(below.box);
    this.cleanups.push(...below.keys().map(bind), () => below.close());
  }

  private async showTimeline(): Promise<void> {
    if (this.timelinePanel)
      this.timelineDrawingsChanged = await showTimeline(
        this.timelinePanel.box,
        this.shared.viewer,
        this.shared.study,
        () => this.shared.phase === "done",
      );
    this.timelineDrawingsChanged();
  }

  /** Load the first pictures of the next study; failures are ignored. */
  private async prefetchNext(): Promise<void> {
    const { shared } = this;
    if (shared.context === "adjudication" || shared.closed) return;
    try {
      const { study_uid } = await api.get<NextStudyUid>(
        `${shared.api}ahead/?context=${shared.context}${shared.itemQuery}`,
      );
      const next = study_uid ? await api.get<Study>(`/api/v1/studies/${study_uid}/?ahead=1`) : null;
      if (!shared.closed) shared.viewer.prefetch.loadNext(next);
    } catch {
      // The next study opens without prefetched pictures.
    }
  }

  // ---------- live updates ----------

  private followLiveUpdates(): void {
    const { shared } = this;
    const scoreChanged =
      shared.mode === "room" ? () => void shared.fetchScore().then((newScore) => this.scoreArrived(newScore)) : null;
    const reopen = () => this.host.go(this.target, this.host.previous);
    this.cleanups.push(
      followLiveUpdates({
        study: shared.study,
        url: shared.api,
        scoreChanged,
        sendUnsent: () => this.editor.sendDraft(),
        reopen,
      }),
    );
  }

  private scoreArrived(score: Score | null): void {
    const { shared } = this;
    if (shared.closed) return;
    if (shared.phase === "done" && shared.score?.state === "scored") return;
    shared.score = score;
    if (shared.phase === "done") return this.afterCommit.scoreArrived();
    shared.roomBar?.drawScore(score);
    if (shared.mode === "room") this.editor.drawNotices();
    // What the first commit revealed is hidden again, whatever the site shows before it.
    if (score?.attention && shared.roomBar && !this.editor.reopened) this.showAttentionEarly(shared.roomBar);
  }

  /** The site shows attention before the commit, for research, and the page states that. */
  private showAttentionEarly(bar: RoomBar): void {
    const { attention } = this.shared.viewer;
    bar.say("Attention shown before the commit: research setting of this site");
    if (!this.attentionShownEarly)
      this.cleanups.push(
        ...attentionKeys({
          goToPeak: (step) => attention.goToPeak(step),
          toggleHeat: () => attention.toggleHeat(),
        }).map(bind),
      );
    this.attentionShownEarly = true;
    this.afterCommit.showAttention();
  }

  /** Release the claim on a study whose read was not changed. */
  private releaseClaim(): void {
    if (this.shared.phase === "reading" && !this.editor.hasChanges) this.claim.release();
  }

  private bindGeneral(): void {
    const { shared } = this;
    const leave = (event: KeyboardEvent) => {
      if (isField(event.target)) return shared.viewer.focus();
      // A repeated Escape has left a drawing tool and does not leave the study.
      if (event.repeat || performance.now() - shared.viewer.marks.drawingEditor.leftAt < SECOND_PRESS_MS) return;
      location.assign(HOME[shared.context]);
    };
    this.cleanups.push(
      bind({
        key: "Escape",
        label: shared.mode === "queue" ? "Leave the queue" : "Back to the list",
        group: "Everywhere",
        bar: false,
        run: leave,
      }),
    );
  }
}
