/** One study being read, from opening to the commit and what follows it. */

import { polite } from "../common/announce";
import { api } from "../common/api";
import { h } from "../common/dom";
import { count } from "../common/format";
import { bind, isField } from "../common/keys";
import { prefetchFirstPictures } from "../viewer/layout/viewport-chunk";
import { playable, type Study } from "../viewer/types";
import { Viewer } from "../viewer/viewer";
import { Judge } from "./adjudication/panel";
import { Afterwards } from "./after-commit";
import type { Keyframe } from "./answer/findings";
import { meet, remember } from "./answer/schema";
import { ClaimKeeper } from "./claim";
import type { Place } from "./draft/draft-store";
import { Answering } from "./editor";
import { watch } from "./live-updates";
import { HOME, type House, type Target } from "./read-target";
import { Desk } from "./session-context";
import { attentionKeys } from "./shortcuts";
import { QueueBar, RoomBar } from "./study-bar";
import { awaitTimeline, showTimeline } from "./timeline/timeline";
import { TimelinePlace } from "./timeline/timeline-panel";
import type { LabelQueue, Read, Reads, Score } from "./types";

const BLINDING = {
  queue: "Blinded: no AI output, no other reads",
  adjudication: "No AI output; readers are anonymous",
} as const;

/** Which study it is, for those who hear it: nothing else tells them that another one has come. */
export function opened({ patient, day_of_life, clips, priors }: Study): string {
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

/** A key pressed again within this was meant for what the first press did. */
const SECOND_PRESS_MS = 600;

/** What the tab says: which study of the queue, or whose study. */
function titleOf({ patient }: Study, queue: LabelQueue | null): string {
  return queue ? `${queue.name ?? "Label queue"}, ${queue.position} of ${queue.total}` : patient.patient_id;
}

export class Session {
  private readonly desk: Desk;
  private readonly answering: Answering;
  private readonly afterwards: Afterwards;
  private readonly undo: (() => void)[] = [];
  private readonly claim: ClaimKeeper;
  private early = false;
  /** The timeline looks again at what is drawn. */
  private serial: () => void = () => undefined;
  /** Where the timeline is, in the reading room. */
  private below: TimelinePlace | null = null;

  constructor(
    readonly target: Target,
    private readonly house: House,
  ) {
    const desk = new Desk(target, house);
    this.desk = desk;
    this.claim = new ClaimKeeper(
      `${desk.api}claim/`,
      (by) => desk.roomBar?.drawClaim(by),
      () => desk.phase === "reading" && !desk.closed,
    );
    this.afterwards = new Afterwards(desk, {
      begin: (mine) => this.answering.begin(mine),
      settled: () => this.answering.settled(),
      timeline: () => this.timeline(),
      lookAhead: () => this.lookAhead(),
    });
    this.answering = new Answering(desk, {
      committed: (answer, said) => this.afterwards.committed(answer, said),
      advance: () => this.afterwards.advance(),
      reopen: () => this.afterwards.reopen(),
      drawn: () => this.serial(),
    });
  }

  get place(): Place {
    return this.desk.place;
  }

  async open(): Promise<void> {
    const { desk } = this;
    const room = desk.mode === "room";
    // Reading never waits for scoring: a score that cannot be had is a score that is not there.
    const scoring = room ? desk.fetchScore() : Promise.resolve(null);
    const [study, reads, queue] = await Promise.all([this.fetchStudy(), desk.fetchReads(), this.fetchQueue()]);
    if (desk.closed) return;
    desk.study = study;
    desk.schema = remember(reads.schema);
    await meet(
      [...(reads.mine?.revisions ?? []), ...reads.others.flatMap((other) => other.revisions)].map(
        (revision) => revision.findings.schema,
      ),
    );
    this.hang(study, reads);
    desk.bar = queue
      ? new QueueBar(
          study,
          queue,
          HOME[desk.context],
          BLINDING[desk.context === "adjudication" ? "adjudication" : "queue"],
        )
      : new RoomBar(study);
    await desk.judge?.load();
    document.title = `${titleOf(study, queue)} · Fontanelle`;
    if (room) this.makePlace();
    desk.furnish();
    this.watch();
    desk.score = await Promise.race([scoring, Promise.resolve(null)]);
    await this.start(reads.mine);
    this.bindGeneral();
    polite(queue ? `Study ${queue.position} of ${queue.total}, ${count(study.clips.length, "clip")}` : opened(study));
    this.house.main.removeAttribute("aria-busy");
    if (!study.clips.some(playable)) this.stateEmpty();
    void scoring.then((score) => this.scored(score));
    const opening = desk.viewer.open();
    if (room && desk.phase === "reading") void this.claim.take();
    await opening;
    await desk.viewer.firstPicturesShown();
    if (room && !desk.closed) void this.timeline();
    void this.lookAhead();
  }

  close(): void {
    const { desk } = this;
    if (desk.closed) return;
    desk.closed = true;
    for (const undo of this.undo) undo();
    desk.rebind([]);
    this.answering.keepSeen();
    this.answering.flush();
    this.answering.close();
    desk.viewer?.close();
    desk.bar?.close();
    this.release();
    this.claim.close();
    desk.judge?.thread.close();
    this.afterwards.close();
  }

  /** The page is about to go. */
  leave(): void {
    if (this.desk.phase === "reading") this.answering.keepSeen();
    this.answering.flush();
    this.release();
  }

  // ---------- opening ----------

  private get panes(): 1 | 2 {
    return this.desk.mode === "room" ? 2 : 1;
  }

  /** The first pictures are asked for as soon as it is known which they are. */
  private async fetchStudy(): Promise<Study> {
    const study = await api.get<Study>(this.desk.api);
    if (!this.desk.closed) prefetchFirstPictures(study, this.panes);
    return study;
  }

  private async fetchQueue(): Promise<LabelQueue | null> {
    if (this.desk.mode === "room") return null;
    if (this.target.queue) return this.target.queue;
    const queue = await api.get<LabelQueue>("/api/v1/label-queue/");
    // An item that was opened again is not the next one: what is said of that one is not said here.
    return queue.item?.id === this.target.item ? queue : { ...queue, item: null };
  }

  private hang(study: Study, reads: Reads): void {
    const { desk, answering } = this;
    const viewer = new Viewer(study, {
      panes: this.panes,
      showPriorDrawings: desk.mode === "room",
      coverageChanged: () => answering.seen(),
      notesChanged: (notes) => answering.noted(notes),
      drawingsChanged: (drawings, step) => answering.act({ type: "draw", drawings, step }),
    });
    desk.viewer = viewer;
    desk.others = desk.context === "adjudication" ? reads.others : [];
    this.afterwards.feedback = reads.feedback;
    this.afterwards.discussed = reads.discussed;
    if (desk.context === "adjudication" && this.target.item !== undefined) {
      const goTo = ({ sop_uid, frame }: Keyframe) => viewer.goTo(sop_uid, frame);
      desk.judge = new Judge(this.target.item, desk.others, {
        accept: (at) => answering.accept(at),
        goTo,
        unblinded: () => desk.bar instanceof QueueBar && desk.bar.say("Unblinded, on record"),
      });
    }
  }

  private async start(mine: Read | null): Promise<void> {
    const last = mine?.revisions.at(-1);
    if (mine?.status === "committed" && last) {
      if (this.target.reopen) return this.afterwards.reopen();
      this.afterwards.showDone(
        { findings: last.findings, comment: last.comment ?? "" },
        last.committed_at,
        last.agreement,
      );
      return;
    }
    await this.answering.begin(mine);
  }

  private stateEmpty(): void {
    const text = "This study has no pictures. It can be read as non-diagnostic (Q), or left.";
    this.desk.viewer.stage.prepend(h("p", { class: "no-pictures", role: "note" }, text));
    document.documentElement.dataset["viewerReady"] = "true";
  }

  private makePlace(): void {
    const below = new TimelinePlace(this.desk.viewer);
    this.below = below;
    awaitTimeline(below.box);
    this.undo.push(...below.keys().map(bind), () => below.close());
  }

  private async timeline(): Promise<void> {
    if (this.below)
      this.serial = await showTimeline(
        this.below.box,
        this.desk.viewer,
        this.desk.study,
        () => this.desk.phase === "done",
      );
    this.serial();
  }

  /** Load the first pictures of what comes next; a page that does not know goes on without. */
  private async lookAhead(): Promise<void> {
    const { desk } = this;
    if (desk.context === "adjudication" || desk.closed) return;
    try {
      const { study_uid } = await api.get<{ study_uid: string | null }>(
        `${desk.api}ahead/?context=${desk.context}${desk.itemQuery}`,
      );
      const next = study_uid ? await api.get<Study>(`/api/v1/studies/${study_uid}/?ahead=1`) : null;
      if (!desk.closed) desk.viewer.prefetch.loadNext(next);
    } catch {
      // It is opened all the same, only later.
    }
  }

  // ---------- what comes meanwhile ----------

  private watch(): void {
    const { desk } = this;
    const score = desk.mode === "room" ? () => void desk.fetchScore().then((found) => this.scored(found)) : null;
    const again = () => this.house.go(this.target, this.house.previous);
    this.undo.push(watch({ study: desk.study, url: desk.api, score, flush: () => this.answering.flush(), again }));
  }

  private scored(score: Score | null): void {
    const { desk } = this;
    if (desk.closed || desk.phase === "done") return;
    desk.score = score;
    desk.roomBar?.drawScore(score);
    if (desk.mode === "room") this.answering.notices();
    if (score?.attention && desk.roomBar) this.showEarly(desk.roomBar);
  }

  /** The site opens attention before the commit, for research: the page says so. */
  private showEarly(bar: RoomBar): void {
    const { attention } = this.desk.viewer;
    bar.say("Attention shown before the commit: research setting of this site");
    if (!this.early)
      this.undo.push(
        ...attentionKeys({ peak: (step) => attention.goToPeak(step), heat: () => attention.toggleHeat() }).map(bind),
      );
    this.early = true;
    this.afterwards.showAttention();
  }

  /** A study that was only looked at goes back to the others. */
  private release(): void {
    if (this.desk.phase === "reading" && !this.answering.begun) this.claim.release();
  }

  private bindGeneral(): void {
    const { desk } = this;
    const leave = (event: KeyboardEvent) => {
      if (isField(event.target)) return desk.viewer.focus();
      // One press too many, or a key that is held, leaves the tool and not the study.
      if (event.repeat || performance.now() - desk.viewer.marks.drawingEditor.leftAt < SECOND_PRESS_MS) return;
      location.assign(HOME[desk.context]);
    };
    this.undo.push(
      bind({
        key: "Escape",
        label: desk.mode === "queue" ? "Leave the queue" : "Back to the list",
        group: "Everywhere",
        bar: false,
        run: leave,
      }),
    );
  }
}
