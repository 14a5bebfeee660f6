/** One study being read, from opening to the commit and what follows it. */

import { ApiError, api, reason } from "../common/api";
import { assertive, polite } from "../common/announce";
import { ask } from "../common/dialog";
import { fill, h } from "../common/dom";
import { duration } from "../common/format";
import { type Binding, bind, isField } from "../common/keys";
import type { Drawing } from "../viewer/drawing";
import { beginPictures } from "../viewer/screens";
import { Viewer } from "../viewer/viewer";
import type { Preset } from "../viewer/measure";
import type { Study } from "../viewer/types";
import { QueueBar, RoomBar } from "./bar";
import { ClaimKeeper } from "./claim";
import { DraftKeeper, type State } from "./drafts";
import type { Commit, Place } from "./shelf";
import { type Action, type Answer, type Form, History, type Keyframe, blank, contradictions, headline, same, spoken, withoutNumbers } from "./findings";
import { type Mode, ReadForm } from "./form";
import { CommitGate } from "./gate";
import { Judge } from "./judge";
import { lesson } from "./lesson";
import { HOME, type House, type Target, itemOf, server, shelf, targetOf } from "./places";
import { Reveal, demoNotice } from "./reveal";
import { changedNotice, device, leftOutNotice } from "./notices";
import { type LabelSchema, meet, remember } from "./schema";
import { attentionKeys, doneKeys, judgeKeys, readingKeys } from "./shortcuts";
import { hideConflict, showConflict, stateText } from "./state";
import { Thread } from "./thread";
import type { Carried, Committed, Feedback, LabelQueue, Next, OtherRead, Read, Reads, Score } from "./types";
import { awaitTimeline, showTimeline } from "./timeline";
import { watch } from "./watch";

const SEEN_MS = 1000;
const HEAT_MS = 3000;
const HEAT_TRIES = 5;
const BLINDING = { queue: "Blinded: no AI output, no other reads", adjudication: "No AI output; readers are anonymous" } as const;

/** `crypto.randomUUID` exists on secure origins only; a hospital's intranet may have none. */
function fresh(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export class Session {
  private readonly context: Place["context"];
  private readonly mode: Mode;
  private readonly api: string;
  private readonly opened = performance.now();
  private readonly undo: (() => void)[] = [];
  private keys: (() => void)[] = [];
  private study!: Study;
  private viewer!: Viewer;
  private bar!: RoomBar | QueueBar;
  private form: ReadForm | null = null;
  private schema!: LabelSchema;
  private history!: History;
  private keeper: DraftKeeper | null = null;
  private score: Score | null = null;
  private reveal: Reveal | null = null;
  private next: Next | null = null;
  private queueAfter: LabelQueue | null = null;
  private panel: HTMLElement = h("div", { class: "panel" });
  private phase: "reading" | "committing" | "done" = "reading";
  private gate: CommitGate | null = null;
  private seenTimer: number | null = null;
  private readonly claim: ClaimKeeper;
  private others: readonly OtherRead[] = [];
  private judge: Judge | null = null;
  private thread: Thread | null = null;
  private feedback: Feedback | null = null;
  private discussed = false;
  private closed = false;
  private early = false;
  /** The timeline looks again at what is drawn. */
  private serial: () => void = () => undefined;

  constructor(
    readonly target: Target,
    private readonly house: House,
  ) {
    this.context = target.context;
    this.mode = target.context === "triage" ? "room" : "queue";
    this.api = `/api/v1/studies/${target.study}/`;
    this.claim = new ClaimKeeper(`${this.api}claim/`, (by) => this.bar instanceof RoomBar && this.bar.drawClaim(by), () => this.phase === "reading" && !this.closed);
  }

  get place(): Place {
    return { user: this.house.user, study: this.target.study, context: this.context, ...itemOf(this.target) };
  }

  async open(): Promise<void> {
    const room = this.mode === "room";
    // Reading never waits for scoring: a score that cannot be had is a score that is not there.
    const scoring = room ? this.fetchScore() : Promise.resolve(null);
    const [study, reads, queue] = await Promise.all([this.fetchStudy(), this.fetchReads(), this.fetchQueue()]);
    if (this.closed) return;
    this.study = study;
    this.schema = remember(reads.schema);
    await meet([...(reads.mine?.revisions ?? []), ...reads.others.flatMap((other) => other.revisions)].map((revision) => revision.findings.schema));
    this.viewer = new Viewer(study, { panes: this.panes, others: room, seen: () => this.seen(), notes: (notes) => this.noted(notes), draw: (drawings, step) => this.act({ type: "draw", drawings, step }) });
    this.others = this.context === "adjudication" ? reads.others : [];
    this.feedback = reads.feedback;
    this.discussed = reads.discussed;
    if (this.context === "adjudication" && this.target.item !== undefined) {
      const goTo = ({ sop_uid, frame }: Keyframe) => this.viewer.goTo(sop_uid, frame);
      this.judge = new Judge(this.target.item, this.others, { accept: (at) => this.accept(at), goTo, unblinded: () => this.bar instanceof QueueBar && this.bar.say("Unblinded, on record") });
    }
    this.bar = queue ? new QueueBar(study, queue, HOME[this.context], BLINDING[this.context === "adjudication" ? "adjudication" : "queue"]) : new RoomBar(study);
    await this.judge?.load();
    document.title = `${queue ? `${queue.name ?? "Label queue"}, ${queue.position} of ${queue.total}` : study.patient.patient_id} · Fontanelle`;
    if (room) awaitTimeline(this.viewer);
    fill(this.house.main, this.bar.element, this.viewer.side, this.viewer.stage, this.panel);
    this.watch();
    this.score = await Promise.race([scoring, Promise.resolve(null)]);
    await this.start(reads.mine);
    this.bindGeneral();
    this.viewer.focus();
    this.house.main.removeAttribute("aria-busy");
    if (!study.clips.length) this.stateEmpty();
    void scoring.then((score) => this.scored(score));
    const opening = this.viewer.open();
    if (room && this.phase === "reading") void this.claim.take();
    await opening;
    await this.viewer.hung();
    if (room && !this.closed) void this.timeline();
    void this.lookAhead();
  }

  private async timeline(): Promise<void> {
    this.serial = await showTimeline(this.viewer, this.study);
    this.serial();
  }

  /** Load the first pictures of what comes next; a page that does not know goes on without. */
  private async lookAhead(): Promise<void> {
    if (this.context === "adjudication" || this.closed) return;
    const item = this.target.item === undefined ? "" : `&item=${this.target.item}`;
    try {
      const { study_uid } = await api.get<{ study_uid: string | null }>(`${this.api}ahead/?context=${this.context}${item}`);
      const next = study_uid ? await api.get<Study>(`/api/v1/studies/${study_uid}/?ahead=1`) : null;
      if (!this.closed) this.viewer.ahead.loadNext(next);
    } catch {
      // It is opened all the same, only later.
    }
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    for (const undo of [...this.undo, ...this.keys]) undo();
    this.keepSeen();
    void this.keeper?.flush();
    this.keeper?.close();
    this.viewer?.close();
    this.bar?.close();
    hideConflict();
    this.release();
    this.claim.close();
    this.judge?.thread.close();
    this.thread?.close();
  }

  /** The page is about to go. */
  leave(): void {
    if (this.phase === "reading") this.keepSeen();
    void this.keeper?.flush();
    this.release();
  }

  // ---------- opening ----------

  private get panes(): 1 | 2 {
    return this.mode === "room" ? 2 : 1;
  }

  /** The first pictures are asked for as soon as it is known which they are. */
  private async fetchStudy(): Promise<Study> {
    const study = await api.get<Study>(this.api);
    if (!this.closed) beginPictures(study, this.panes);
    return study;
  }

  private fetchReads(): Promise<Reads> {
    const item = this.target.item === undefined ? "" : `&item=${this.target.item}`;
    return api.get<Reads>(`${this.api}reads/?context=${this.context}${item}`);
  }

  private async fetchQueue(): Promise<LabelQueue | null> {
    if (this.mode === "room") return null;
    if (this.target.queue) return this.target.queue;
    const queue = await api.get<LabelQueue>("/api/v1/label-queue/");
    // An item that was opened again is not the next one: what is said of that one is not said here.
    return queue.item?.id === this.target.item ? queue : { ...queue, item: null };
  }

  private fetchScore(): Promise<Score | null> {
    return api.get<Score>(`${this.api}score/`).catch(() => null);
  }

  private async start(mine: Read | null): Promise<void> {
    const last = mine?.revisions.at(-1);
    if (mine?.status === "committed" && last) {
      if (this.target.reopen) return this.reopen();
      this.showDone({ findings: last.findings, comment: last.comment ?? "" }, last.committed_at, last.agreement);
      return;
    }
    await this.startReading(mine);
  }

  private async startReading(mine: Read | null): Promise<void> {
    this.phase = "reading";
    this.keeper?.close();
    this.keeper = new DraftKeeper(this.place, shelf, server, browserClock, (state) => this.drawState(state));
    this.keeper.outdated = (now) => this.outdated(now);
    if (this.keeper.seen) this.viewer.coverage.restore(this.keeper.seen);
    const begun = mine?.draft?.saved_at ? mine.draft : null;
    const last = mine?.revisions.at(-1);
    const answer = this.keeper.begin(begun) ?? (last ? { findings: withoutNumbers(last.findings), comment: last.comment ?? "" } : null);
    const unsent = this.keeper.unsentCommit;
    const old = answer !== null && !unsent && answer.findings.schema !== this.schema.name;
    this.showForm(answer && !old ? answer : null);
    if (old) await this.carry(answer);
    if (unsent) void this.await(this.keeper.resume(), answer ?? this.history.form);
  }

  /** The form of the schema in force, with this answer or none. */
  private showForm(answer: Answer | null): void {
    const empty = this.empty();
    this.form = new ReadForm(this.mode, this.schema, this.study.clips, this.study.notes, this.commands());
    this.gate = new CommitGate(this.form, this.viewer.coverage, this.study.clips);
    this.mount(this.form.element);
    this.history = new History(answer ? { ...empty, findings: { ...empty.findings, ...answer.findings }, comment: answer.comment } : empty);
    if (this.keeper) this.drawState(this.keeper.state);
    this.draw();
    this.bindReading();
    this.viewer.redrawCoverage();
    this.gate.draw();
    this.form.setBefore(this.house.previous?.text ?? "");
    this.notices();
    if (this.judge) this.form.element.querySelector(".scroll")?.append(this.judge.thread.element);
    if (this.bar instanceof RoomBar) this.bar.say("Attention hidden until you commit");
  }

  private empty(): Form {
    return blank(this.study.clips.some((clip) => clip.view === "mastoid" && clip.frames > 0), this.schema);
  }

  private notices(...more: (HTMLElement | null)[]): void {
    this.form?.notice(...more, ...demoNotice(this.score), this.judge?.element ?? null);
  }

  // ---------- the schema changes while a read is open ----------

  /** An admin has put another version in force: the draft is kept as it is until the reader goes on. */
  private outdated(now: string): void {
    if (now === this.schema.name || this.phase !== "reading") return;
    this.notices(changedNotice(this.schema.name, now, () => void this.carry(this.history.form).catch((error: unknown) => this.gate?.tell([reason(error)]))));
    assertive("The form has changed since you began. Your draft is kept.");
  }

  /** Fill what fits of an older answer into the form in force; the older answer is kept on the server. */
  private async carry(answer: Answer): Promise<void> {
    const { findings, comment } = answer;
    const body = { context: this.context, ...itemOf(this.target), findings: withoutNumbers(findings), comment, version: 0 };
    const carried = await api.post<Carried>(`${this.api}reads/carry/`, body);
    await meet([findings.schema]);
    if (this.closed) return;
    this.schema = remember(carried.schema);
    this.showForm({ findings: carried.findings, comment });
    this.keeper?.change(this.history.form);
    this.notices(leftOutNotice(findings.schema, this.schema.name, carried.left_out));
    assertive(`The form has changed. What fits of your answer was filled in${carried.left_out.length ? `; look at ${carried.left_out.map((each) => each.title).join(", ")}` : ""}.`);
  }

  private mount(panel: HTMLElement): void {
    this.panel.replaceWith(panel);
    this.panel = panel;
    this.house.main.dataset["phase"] = this.phase;
  }

  private watch(): void {
    const score = this.mode === "room" ? () => void this.fetchScore().then((found) => this.scored(found)) : null;
    const again = () => this.house.go(this.target, this.house.previous);
    this.undo.push(watch({ study: this.study, url: this.api, score, flush: () => void this.keeper?.flush(), again }));
  }

  private scored(score: Score | null): void {
    if (this.closed || this.phase === "done") return;
    this.score = score;
    if (this.bar instanceof RoomBar) this.bar.drawScore(score);
    if (this.mode === "room") this.notices();
    if (score?.attention && this.bar instanceof RoomBar) this.showEarly(this.bar);
  }

  /** The site opens attention before the commit, for research: the page says so. */
  private showEarly(bar: RoomBar): void {
    bar.say("Attention shown before the commit: research setting of this site");
    if (!this.early) this.undo.push(...attentionKeys({ peak: (step) => this.viewer.weights.toPeak(step), heat: () => this.viewer.weights.toggleHeat() }).map(bind));
    this.early = true;
    this.showAttention();
  }

  private stateEmpty(): void {
    const text = "This study has no pictures. It can be read as non-diagnostic (Q), or left.";
    this.viewer.stage.prepend(h("p", { class: "no-pictures", role: "note" }, text));
    document.documentElement.dataset["viewerReady"] = "true";
  }

  private accept(at: number): void {
    const findings = this.others[at]?.revisions[0]?.findings;
    if (findings) this.act({ type: "take", findings });
  }

  /** A study that was only looked at goes back to the others. */
  private release(): void {
    if (this.phase === "reading" && !this.history?.undoable) this.claim.release();
  }

  // ---------- answering ----------

  private commands() {
    return {
      act: (action: Action) => this.act(action),
      commit: () => void this.commit(),
      undo: () => void this.back(),
      skip: this.context === "queue" ? () => void this.skip() : null,
      keyframe: () => this.keyframe(),
      goTo: ({ sop_uid, frame }: Keyframe) => this.viewer.goTo(sop_uid, frame),
      openClip: (sop: string) => this.viewer.goTo(sop, 1),
      goToDrawing: (drawing: Drawing) => this.viewer.marks.goToDrawing(drawing),
      drawings: () => this.viewer.marks.openDock(),
      release: () => this.viewer.focus(),
    };
  }

  private act(action: Action): void {
    if (this.phase !== "reading") return;
    const before = this.history.form;
    if (action.type === "digit" && !before.side && this.others[action.grade - 1]) return this.accept(action.grade - 1);
    if (!this.history.apply(action)) {
      if (action.type === "digit" && !before.side) polite("Press R or L first, then the grade");
      return;
    }
    this.answerChanged(before);
  }

  private answerChanged(before: Form): void {
    const after = this.history.form;
    if (!same(before, after)) this.keeper?.change(after);
    this.draw();
    this.gate?.answerChanged();
    if (before.comment === after.comment) polite(spoken(before, after));
  }

  private keyframe(): void {
    const { clip, frame } = this.viewer.current;
    if (clip) this.act({ type: "keyframe", keyframe: { sop_uid: clip.sop_uid, frame } });
  }

  /** Undo a change of the form; with nothing to undo in a queue, the commit before this one. */
  private async back(here = false): Promise<void> {
    if (this.phase === "done") return this.reopen();
    const before = this.history.form;
    if (this.phase === "reading" && this.history.undo()) return this.answerChanged(before);
    // Ctrl+Z undoes what was done here, and never leaves the study.
    if (here) return polite("There is nothing to undo");
    if (this.phase === "reading") await this.before().catch((error: unknown) => this.gate?.tell([reason(error)]));
  }

  /** Back to what was committed today before this one; a read that was reopened and left as it was counts on. */
  private async before(): Promise<void> {
    const { earlier } = await api.get<{ earlier: Next | null }>(`${this.api}reads/earlier/?context=${this.context}${this.target.item === undefined ? "" : `&item=${this.target.item}`}`);
    if (!earlier) return polite("There is nothing to undo: this is the first of today");
    if (this.target.reopen) await api.post(`${this.api}reads/restore/`, { context: this.context, ...itemOf(this.target) }).catch(() => undefined);
    this.house.go({ ...targetOf(earlier, this.context), reopen: true }, null);
  }

  /** R or L and a measure's key: the side counts for that one, as it does for a grade. */
  private measure(preset: Exclude<Preset, "">): void {
    const { side } = this.history.form;
    if (side) this.act({ type: "side", side });
    this.viewer.marks.measure(preset, side);
  }

  private forth(): void {
    const before = this.history.form;
    if (this.phase === "reading" && this.history.redo()) this.answerChanged(before);
    else polite("There is nothing to do again");
  }

  private draw(): void {
    this.form?.draw(this.history.form, this.history.undoable || this.mode === "queue");
    const { drawings, keyframes } = this.history.form.findings;
    if (drawings !== this.viewer.marks.sketch.drawings || this.viewer.marks.sketch.editable !== (this.phase === "reading")) this.viewer.marks.setDrawings(drawings, this.phase === "reading");
    this.serial();
    this.judge?.draw(this.history.form.findings);
    this.viewer.marks.setKeyframes(keyframes);
    this.house.main.dataset["phase"] = this.phase;
  }

  private drawState(state: State): void {
    this.house.main.dataset["draft"] = state.kind;
    this.form?.say(stateText(state));
    if (state.kind === "conflict") showConflict(state.mine, state.theirs, state.rival !== undefined, (which) => this.resolve(which));
    else hideConflict();
  }

  private resolve(which: "mine" | "theirs"): void {
    const keeper = this.keeper;
    if (keeper?.state.kind !== "conflict") return;
    const answer = keeper.choose(which);
    hideConflict();
    if (answer.findings.schema === this.schema.name) {
      this.history = new History({ ...answer, findings: { ...this.empty().findings, ...answer.findings }, side: null });
      this.draw();
    } else void this.carry(answer).catch((error: unknown) => this.gate?.tell([reason(error)]));
    this.viewer.focus();
  }

  private noted(notes: string[]): void {
    this.study.notes = notes;
    this.form?.setNotes(notes);
    this.gate?.answerChanged();
  }

  // ---------- coverage ----------

  private seen(): void {
    this.seenTimer ??= window.setTimeout(() => {
      this.seenTimer = null;
      this.keepSeen();
    }, SEEN_MS);
    if (this.phase === "reading") this.gate?.draw();
  }

  private keepSeen(): void {
    this.viewer?.settle();
    if (this.phase === "reading") this.keeper?.keepSeen(this.viewer.coverage.keep());
  }

  // ---------- commit ----------

  private async commit(): Promise<void> {
    if (this.phase === "done") return this.advance();
    if (this.phase !== "reading" || !this.keeper) return;
    // What is asked before it, and what is revealed after it, stands beside the pictures.
    if (document.fullscreenElement) await document.exitFullscreen().catch(() => undefined);
    if (!this.mayCommit()) return;
    this.keepSeen();
    this.phase = "committing";
    this.draw();
    const answer = this.history.form;
    const body: Omit<Commit, "version" | "context" | "item"> = {
      findings: answer.findings,
      comment: answer.comment,
      seen: this.viewer.coverage.report(),
      duration_ms: Math.round(performance.now() - this.opened),
      idempotency_key: fresh(),
      // The gate has asked about what does not go together, and Enter came again.
      confirmed: contradictions(answer.findings).length > 0,
      device: device(),
    };
    await this.await(this.keeper.commit(body), answer);
  }

  private async await(sending: Promise<unknown>, answer: Answer): Promise<void> {
    this.phase = "committing";
    this.draw();
    try {
      this.committed(answer, (await sending) as Committed);
    } catch (error) {
      this.phase = "reading";
      this.draw();
      if (error instanceof ApiError && error.code === "schema_changed") await this.carry(answer).catch((failed: unknown) => this.gate?.tell([reason(failed)]));
      else this.gate?.tell([reason(error)]);
    }
  }

  private mayCommit(): boolean {
    return this.gate?.open(this.history.form.findings, this.keeper?.state.kind === "conflict") ?? false;
  }

  private committed(answer: Answer, said: Committed): void {
    this.next = said.next;
    this.queueAfter = said.queue ?? null;
    const seconds = (performance.now() - this.opened) / 1000;
    if (this.mode === "queue") {
      const text = `Before: ${headline(answer.findings)}, ${duration(seconds) ?? ""}`;
      polite(`Committed. ${text}`);
      if (said.feedback) {
        this.feedback = said.feedback;
        polite(said.feedback.right ? "Right" : "Not right");
        return this.showDone(answer, said.committed_at ?? new Date().toISOString(), null);
      }
      this.phase = "done";
      this.house.go(said.next ? targetOf(said.next, this.context, said.queue) : null, { target: this.target, text });
      return;
    }
    if (said.reveal) this.score = said.reveal;
    this.showDone(answer, said.committed_at ?? new Date().toISOString(), null);
    if (answer.findings.drawings.length) void this.showServersNumbers();
    void this.lookAhead();
    this.reveal?.say(`${duration(seconds) ?? ""} on this one.`);
    polite(`Committed. ${this.score?.flag ? `The model says ${this.score.flag.replaceAll("_", " ")}.` : "The model has said nothing."}`);
  }

  // ---------- after the commit ----------

  private showDone(answer: Answer, at: string, agreement: boolean | null): void {
    this.phase = "done";
    this.keeper?.close();
    this.viewer.marks.setKeyframes(answer.findings.keyframes ?? []);
    this.viewer.marks.setDrawings(answer.findings.drawings ?? [], false);
    const commands = {
      agree: (agree: boolean) => void this.agree(agree),
      next: () => void this.advance(),
      reopen: () => void this.reopen(),
      goTo: (sop: string, frame: number) => this.viewer.goTo(sop, frame),
      peak: (step: 1 | -1) => this.viewer.weights.toPeak(step),
    };
    const queue = this.mode === "queue";
    this.reveal = new Reveal(answer, at, queue ? null : this.score, this.study.clips, { queue, next: this.next !== null }, commands, this.taught());
    this.reveal.drawAgreement(agreement);
    this.mount(this.reveal.element);
    if (this.bar instanceof RoomBar) {
      this.bar.drawScore(this.score);
      this.bar.committed(at);
    }
    if (!queue) {
      this.showAttention();
      void this.timeline();
    }
    this.bindDone();
    void this.talk();
    this.viewer.focus();
  }

  /** Before one's own answer in a queue: the known one, for a trainee. */
  private taught(): HTMLElement[] {
    return this.feedback ? [lesson(this.feedback, ({ sop_uid, frame }) => this.viewer.goTo(sop_uid, frame))] : [];
  }

  /** Beneath it: what is said about the item, by those who may talk about it. */
  private async talk(): Promise<void> {
    if (!this.discussed || this.target.item === undefined) return;
    const thread = (this.thread ??= new Thread(`/api/v1/discussions/${this.target.item}/`));
    if (!(await thread.load()) || this.phase !== "done" || this.closed) return;
    this.reveal?.element.querySelector(".scroll")?.append(h("hr", { class: "rule" }), thread.element);
    this.keys.push(bind({ key: "/", label: "Discuss", group: "After the commit", run: () => thread.focus() }));
  }

  /** What was committed, with the numbers that the server put beside the drawings. */
  private async showServersNumbers(): Promise<void> {
    const { mine } = await this.fetchReads();
    const last = mine?.revisions.at(-1);
    if (this.phase === "done" && !this.closed && last) this.viewer.marks.setDrawings(last.findings.drawings ?? [], false);
  }

  private showAttention(): void {
    this.viewer.weights.setAttention(this.score?.attention ?? []);
    this.viewer.weights.setHeat(this.score?.heat_maps ?? null);
    if (this.score?.attention?.length && !this.score.heat_maps) this.awaitHeat();
  }

  /** The maps are computed after the score; somebody who is very fast is there before them. */
  private awaitHeat(tries = HEAT_TRIES): void {
    window.setTimeout(() => {
      if (this.closed || !tries) return;
      void this.fetchScore().then((score) => {
        if (this.closed) return;
        if (score?.heat_maps) this.viewer.weights.setHeat(score.heat_maps);
        else this.awaitHeat(tries - 1);
      });
    }, HEAT_MS);
  }

  private async agree(agree: boolean): Promise<void> {
    if (!this.reveal?.canAgree) return;
    this.reveal.drawAgreement(agree);
    try {
      await api.post(`${this.api}reads/agreement/`, { agree });
      this.reveal.say(agree ? "You agree with the flag" : "You disagree with the flag");
      polite(agree ? "Agreed" : "Disagreed");
    } catch (error) {
      this.reveal.drawAgreement(null);
      this.reveal.say(reason(error));
    }
  }

  private async advance(): Promise<void> {
    if (this.next) return this.house.go(targetOf(this.next, this.context, this.queueAfter), null);
    if (this.context === "queue") {
      const queue = await api.get<LabelQueue>("/api/v1/label-queue/");
      return this.house.go(queue.item ? targetOf(queue.item, "queue", queue) : null, null);
    }
    this.house.go(null, null);
  }

  private async reopen(): Promise<void> {
    try {
      await api.post(`${this.api}reads/reopen/`, { context: this.context, ...itemOf(this.target) });
      const { mine } = await this.fetchReads();
      this.viewer.weights.setAttention(null);
      this.viewer.weights.setHeat(null);
      this.reveal = null;
      await this.startReading(mine);
      polite("Reopened. What was committed is kept.");
      this.viewer.focus();
    } catch (error) {
      this.reveal?.say(reason(error));
      assertive(reason(error));
    }
  }

  private async skip(): Promise<void> {
    if (this.context !== "queue" || this.target.item === undefined || this.phase !== "reading") return;
    const { confirmed, reason: why } = await ask({ title: "Skip this study?", body: [h("p", {}, "It comes back at the end of your queue. What you answered is kept.")], confirm: "Skip", reasonLabel: "Why" });
    if (!confirmed) return;
    try {
      await api.post(`/api/v1/label-queue/${this.target.item}/skip/`, { reason: why });
      await this.advance();
    } catch (error) {
      this.gate?.tell([reason(error)]);
    }
  }

  // ---------- keys ----------

  private rebind(keys: Binding[]): void {
    for (const undo of this.keys) undo();
    this.keys = keys.map(bind);
  }

  private bindGeneral(): void {
    const escape = (event: KeyboardEvent) => {
      if (isField(event.target)) return this.viewer.focus();
      location.assign(HOME[this.context]);
    };
    this.undo.push(bind({ key: "Escape", label: this.mode === "queue" ? "Leave the queue" : "Back to the list", group: "Everywhere", bar: false, run: escape }));
  }

  private bindReading(): void {
    const commands = {
      act: (action: Action) => this.act(action),
      keyframe: () => this.keyframe(),
      note: () => this.form?.focusNote(),
      undo: (event: KeyboardEvent) => void this.back(event.ctrlKey || event.metaKey),
      redo: () => this.forth(),
      measure: (preset: Exclude<Preset, "">) => this.measure(preset),
      commit: () => void this.commit(),
      skip: this.context === "queue" ? () => void this.skip() : null,
    };
    const { judge } = this;
    const regrade = () => this.act({ type: "take", findings: this.empty().findings });
    const judging = judge ? judgeKeys({ regrade, flip: () => judge.flip(), discuss: () => judge.thread.focus(), unblind: () => void judge.unblind() }) : [];
    this.rebind([...readingKeys(this.mode, this.schema, commands), ...judging]);
  }

  private bindDone(): void {
    const commands = {
      reopen: () => void this.reopen(),
      next: () => void this.advance(),
      agree: (agree: boolean) => void this.agree(agree),
      peak: (step: 1 | -1) => this.viewer.weights.toPeak(step),
      heat: () => this.viewer.weights.toggleHeat(),
    };
    this.rebind(doneKeys(this.mode, this.next !== null, commands));
  }
}

const browserClock = {
  now: () => new Date(),
  setTimeout: (run: () => void, ms: number): unknown => window.setTimeout(run, ms),
  clearTimeout: (timer: unknown) => window.clearTimeout(timer as number),
};
