/** Editing a read: the form and its undo history, the draft, and the commit. */

import type { EarlierRead } from "../api/schema";
import { assertive, polite } from "../common/announce";
import { ApiError, api, reason } from "../common/api";
import { ask } from "../common/dialog";
import { h } from "../common/dom";
import { type Drawing, newUid } from "../viewer/annotation/drawing";
import type { Preset } from "../viewer/annotation/measure";
import { SIDES, sidesSeen } from "../viewer/coverage/sides-seen";
import { describeChange } from "./answer/change-announcement";
import {
  type Action,
  type Answer,
  blankForm,
  contradictions,
  type Form,
  History,
  type Keyframe,
  sameAnswer,
  withoutNumbers,
} from "./answer/findings";
import { loadSchemas, registerSchema } from "./answer/schema";
import { draftStateText, hideConflict, showConflict } from "./draft/draft-status";
import type { Commit } from "./draft/draft-store";
import { type DraftState, DraftSync } from "./draft/draft-sync";
import { earlierQuestion } from "./draft/earlier-question";
import { Reopening } from "./draft/reopening";
import { CommitCheck } from "./form/commit-check";
import { ReadForm } from "./form/form";
import { deviceFacts, leftOutNotice, reopenedNotice, schemaChangedNotice } from "./form/schema-notices";
import { draftServer, draftStore, targetOf } from "./read-target";
import { demoNotice } from "./reveal";
import type { SessionContext } from "./session-context";
import { adjudicationKeys, readingKeys } from "./shortcuts";
import type { Carried, Committed, Read } from "./types";

const COVERAGE_MS = 1000;

const browserClock = {
  now: () => new Date(),
  setTimeout: (run: () => void, ms: number): unknown => window.setTimeout(run, ms),
  clearTimeout: (timer: unknown) => window.clearTimeout(timer as number),
};

export interface ReadEditorHost {
  committed: (answer: Answer, commit: Committed) => void;
  advance: () => Promise<void>;
  reopen: () => Promise<void>;
  /** The drawings have changed. */
  drawingsChanged: () => void;
}

export class ReadEditor {
  private form: ReadForm | null = null;
  private history!: History;
  private draft: DraftSync | null = null;
  private check: CommitCheck | null = null;
  private coverageTimer: number | null = null;
  private reopening: Reopening | null = null;
  /** The posterior fossa was taken for seen already: what the reader says of it then stays. */
  private mastoidAssessed = false;

  constructor(
    private readonly session: SessionContext,
    private readonly host: ReadEditorHost,
  ) {}

  /** Whether the answer was changed on this page. */
  get hasChanges(): boolean {
    return Boolean(this.history?.undoable);
  }

  /** Whether the read was committed before, and is open for changes. */
  get reopened(): boolean {
    return this.reopening !== null && this.session.phase !== "done";
  }

  sendDraft(): void {
    void this.draft?.send();
  }

  /** Send what is unsent; a read that was opened again and not changed counts as it was committed. */
  async leave(): Promise<void> {
    const { draft, reopening } = this;
    const left = this.session.phase === "reading" && draft?.state.kind !== "conflict";
    await draft?.send();
    if (left) await reopening?.leave(this.history.form);
  }

  /** Stop synchronizing the draft: the read is committed. */
  closeDraft(): void {
    this.draft?.close();
  }

  close(): void {
    this.closeDraft();
    hideConflict();
  }

  async begin(ownRead: Read | null): Promise<void> {
    this.session.phase = "reading";
    this.draft?.close();
    this.reopening = this.reopeningOf(ownRead);
    const server = this.reopening?.before(draftServer) ?? draftServer;
    this.draft = new DraftSync(this.session.place, draftStore, server, browserClock, (state) =>
      this.drawDraftState(state),
    );
    this.draft.schemaChanged = (now) => this.schemaChanged(now);
    if (this.draft.storedCoverage) this.session.viewer.coverage.restore(this.draft.storedCoverage);
    const serverDraft = ownRead?.draft?.saved_at ? ownRead.draft : null;
    const last = ownRead?.revisions.at(-1);
    const answer =
      this.draft.begin(serverDraft) ??
      (last ? { findings: withoutNumbers(last.findings), comment: last.comment ?? "" } : null);
    const unsent = this.draft.unsentCommit;
    const outdated = answer !== null && !unsent && answer.findings.schema !== this.session.schema.name;
    this.showForm(answer && !outdated ? answer : null);
    if (outdated) await this.carryOver(answer);
    if (unsent) void this.finishCommit(this.draft.resume(), answer ?? this.history.form);
  }

  /** Where the read was committed before: nothing changes its state until it is changed itself. */
  private reopeningOf(ownRead: Read | null): Reopening | null {
    const last = ownRead?.revisions.at(-1);
    if (!ownRead || !last) return null;
    const body = { context: this.session.context, ...this.session.item };
    const post = (what: string) => () => api.post(`${this.session.api}reads/${what}/`, body, { keepalive: true });
    const findings = { ...this.emptyForm().findings, ...withoutNumbers(last.findings) };
    return new Reopening({ findings, comment: last.comment ?? "" }, ownRead.status === "committed", {
      reopen: post("reopen"),
      restore: post("restore"),
    });
  }

  /** Show the form of the schema in force, with this answer or an empty one. */
  private showForm(answer: Answer | null): void {
    const empty = this.emptyForm();
    this.mastoidAssessed = this.mastoidSeen;
    this.form = new ReadForm(
      this.session.mode,
      this.session.schema,
      this.session.study.clips,
      this.session.study.notes,
      this.formHost(),
    );
    this.check = new CommitCheck(this.form, this.session.viewer.coverage, this.session.study.clips);
    this.history = new History(
      answer ? { ...empty, findings: { ...empty.findings, ...answer.findings }, comment: answer.comment } : empty,
    );
    if (this.draft) this.drawDraftState(this.draft.state);
    this.draw();
    this.session.showPanel(this.form.element);
    this.bindReading();
    this.session.viewer.redrawCoverage();
    this.check.draw();
    this.form.setPrevious(this.session.host.previous?.text ?? "");
    this.drawNotices();
    if (this.session.adjudication)
      this.form.element.querySelector(".scroll")?.append(this.session.adjudication.discussion.element);
    this.session.roomBar?.say("Attention hidden until you commit");
  }

  private emptyForm(): Form {
    return blankForm(this.mastoidSeen, this.session.schema);
  }

  /** Both sides of the posterior fossa were seen. */
  private get mastoidSeen(): boolean {
    const { viewer, study } = this.session;
    return sidesSeen(study.clips, "mastoid", (sop) => viewer.coverage.seen(sop)).length === SIDES.length;
  }

  /** Once, when the second side was seen; a read that was committed before says what it said. */
  private assessPosteriorFossa(): void {
    if (this.mastoidAssessed || this.reopening || !this.mastoidSeen) return;
    this.mastoidAssessed = true;
    const before = this.history.form;
    this.history.posteriorFossaSeen();
    if (sameAnswer(before, this.history.form)) return;
    this.draw();
    polite("Both mastoid views seen: cerebellar none");
  }

  drawNotices(...more: (HTMLElement | null)[]): void {
    this.form?.setNotices(
      ...more,
      this.reopening && reopenedNotice(),
      ...demoNotice(this.session.score),
      this.session.adjudication?.element ?? null,
    );
  }

  // ---------- the schema changes while a read is open ----------

  /** An admin has put another version in force: the draft stays as it is until the reader goes on. */
  private schemaChanged(now: string): void {
    if (now === this.session.schema.name || this.session.phase !== "reading") return;
    this.drawNotices(
      schemaChangedNotice(
        this.session.schema.name,
        now,
        () => void this.carryOver(this.history.form).catch((error: unknown) => this.check?.warn([reason(error)])),
      ),
    );
    assertive("The form has changed since you began. Your draft is kept.");
  }

  /** Fill the fields that fit of an older answer into the form in force; the server stores the older answer. */
  private async carryOver(answer: Answer): Promise<void> {
    const { findings, comment } = answer;
    const body = {
      context: this.session.context,
      ...this.session.item,
      findings: withoutNumbers(findings),
      comment,
      version: 0,
    };
    const carried = await api.post<Carried>(`${this.session.api}reads/carry/`, body);
    await loadSchemas([findings.schema]);
    if (this.session.closed) return;
    this.session.schema = registerSchema(carried.schema);
    this.showForm({ findings: carried.findings, comment });
    this.draft?.change(this.history.form);
    this.drawNotices(leftOutNotice(findings.schema, this.session.schema.name, carried.left_out));
    const leftOut = carried.left_out.map((each) => each.title).join(", ");
    assertive(`The form has changed. What fits of your answer was filled in${leftOut ? `; look at ${leftOut}` : ""}.`);
  }

  takeAnswer(at: number): void {
    const findings = this.session.others[at]?.revisions[0]?.findings;
    if (findings) this.act({ type: "take", findings });
  }

  // ---------- answering ----------

  /** Commands that both keys and buttons run. */
  private sharedCommands() {
    return {
      act: (action: Action) => this.act(action),
      keyframe: () => this.markKeyframe(),
      commit: () => void this.commit(),
      skip: this.session.context === "queue" ? () => void this.skip() : null,
    };
  }

  private formHost() {
    return {
      ...this.sharedCommands(),
      undo: () => void this.undo(),
      goTo: ({ sop_uid, frame }: Keyframe) => this.session.viewer.goTo(sop_uid, frame),
      openClip: (sop: string) => this.session.viewer.goTo(sop, 1),
      goToDrawing: (drawing: Drawing) => this.session.viewer.marks.goToDrawing(drawing),
      drawings: () => this.session.viewer.marks.openDrawingPanel(),
      release: () => this.session.viewer.focus(),
    };
  }

  act(action: Action): void {
    if (this.session.phase !== "reading") return;
    const before = this.history.form;
    if (action.type === "digit" && !before.side && this.session.others[action.grade - 1])
      return this.takeAnswer(action.grade - 1);
    if (!this.history.apply(action)) {
      if (action.type === "digit" && !before.side) polite("Press R or L first, then the grade");
      return;
    }
    // A handle that is moved by arrow keys has its position in its accessible name.
    this.answerChanged(before, action.type === "draw" && action.step?.startsWith("nudge") ? null : "");
  }

  /** Announce the change, with `how` before it; null announces nothing. */
  private answerChanged(before: Form, how: "" | "Undone" | "Redone" | null): void {
    const after = this.history.form;
    if (!sameAnswer(before, after)) this.draft?.change(after);
    this.draw();
    this.check?.answerChanged();
    const words =
      describeChange(before, after, this.session.study.clips) ||
      (how && before.comment !== after.comment ? "note" : "");
    if (how !== null && words) polite(how ? `${how}: ${words}` : words);
  }

  private markKeyframe(): void {
    const { clip, shown } = this.session.viewer.current;
    if (clip && shown) this.act({ type: "keyframe", keyframe: { sop_uid: clip.sop_uid, frame: shown } });
    else assertive("That frame is not on the screen: nothing was marked.");
  }

  /** Undo a change of the form; with nothing to undo, go to the read committed before this one. */
  private async undo(changesOnly = false): Promise<void> {
    if (this.session.phase === "done") return this.host.reopen();
    const before = this.history.form;
    if (this.session.phase === "reading" && this.history.undo()) return this.answerChanged(before, "Undone");
    // Ctrl+Z undoes changes of this read and never leaves the study.
    if (changesOnly) return polite("There is nothing to undo");
    if (this.session.phase === "reading")
      await this.openEarlierRead().catch((error: unknown) => this.check?.warn([reason(error)]));
  }

  /** Open the read that was committed before this one today, after asking: it is that of another infant. */
  private async openEarlierRead(): Promise<void> {
    const { earlier } = await api.get<EarlierRead>(
      `${this.session.api}reads/earlier/?context=${this.session.context}${this.session.itemQuery}`,
    );
    if (!earlier) return polite("There is nothing to undo: this is the first of today");
    const { confirmed } = await ask(earlierQuestion(earlier));
    if (!confirmed || this.session.closed) return;
    this.session.host.go({ ...targetOf(earlier, this.session.context), reopen: true }, null);
  }

  /** R or L and a measure's key: the side is used up by the measure, as it is by a grade. */
  private startMeasure(preset: Exclude<Preset, "">): void {
    const { side } = this.history.form;
    if (side) this.act({ type: "side", side });
    this.session.viewer.marks.startMeasure(preset, side);
  }

  private redo(): void {
    const before = this.history.form;
    if (this.session.phase === "reading" && this.history.redo()) this.answerChanged(before, "Redone");
    else polite("There is nothing to do again");
  }

  private draw(): void {
    this.form?.draw(this.history.form, this.history.undoable || this.session.mode === "queue");
    const { drawings, keyframes } = this.history.form.findings;
    if (
      drawings !== this.session.viewer.marks.drawingEditor.drawings ||
      this.session.viewer.marks.drawingEditor.editable !== (this.session.phase === "reading")
    )
      this.session.viewer.marks.setDrawings(drawings, this.session.phase === "reading");
    this.host.drawingsChanged();
    this.session.adjudication?.draw(this.history.form.findings);
    this.session.viewer.marks.setKeyframes(keyframes);
    this.session.drawPhase();
  }

  private drawDraftState(state: DraftState): void {
    this.session.host.main.dataset["draft"] = state.kind;
    this.form?.setStatus(draftStateText(state));
    if (state.kind === "conflict")
      showConflict(state.own, state.other, state.otherTab !== undefined, (which) => this.resolve(which));
    else hideConflict();
  }

  private resolve(which: "own" | "other"): void {
    const { draft } = this;
    if (draft?.state.kind !== "conflict") return;
    const answer = draft.choose(which);
    hideConflict();
    if (answer.findings.schema === this.session.schema.name) {
      this.history = new History({
        ...answer,
        findings: { ...this.emptyForm().findings, ...answer.findings },
        side: null,
      });
      this.draw();
    } else void this.carryOver(answer).catch((error: unknown) => this.check?.warn([reason(error)]));
    this.session.viewer.focus();
  }

  notesChanged(notes: string[]): void {
    this.session.study.notes = notes;
    this.form?.setNotes(notes);
    this.assessPosteriorFossa();
    this.check?.answerChanged();
  }

  // ---------- coverage ----------

  coverageChanged(): void {
    this.coverageTimer ??= window.setTimeout(() => {
      this.coverageTimer = null;
      this.storeCoverage();
    }, COVERAGE_MS);
    if (this.session.phase !== "reading") return;
    this.assessPosteriorFossa();
    this.check?.draw();
  }

  storeCoverage(): void {
    this.session.viewer?.countTime();
    if (this.session.phase === "reading") this.draft?.storeCoverage(this.session.viewer.coverage.toStored());
  }

  // ---------- commit ----------

  async commit(): Promise<void> {
    if (this.session.phase === "done") return this.host.advance();
    if (this.session.phase !== "reading" || !this.draft) return;
    // The questions before the commit and the result after it are outside the full-screen stage.
    if (document.fullscreenElement) await document.exitFullscreen().catch(() => undefined);
    if (!this.mayCommit()) return;
    this.storeCoverage();
    this.session.phase = "committing";
    this.draw();
    const answer = this.history.form;
    const body: Omit<Commit, "version" | "context" | "item"> = {
      findings: answer.findings,
      comment: answer.comment,
      seen: this.session.viewer.coverage.report(),
      duration_ms: Math.round(performance.now() - this.session.opened),
      idempotency_key: newUid(),
      // The check has asked about contradictions, and Enter was pressed again.
      confirmed: contradictions(answer.findings).length > 0,
      device: deviceFacts(),
    };
    await this.finishCommit(this.draft.commit(body), answer);
  }

  private async finishCommit(sending: Promise<unknown>, answer: Answer): Promise<void> {
    this.session.phase = "committing";
    this.draw();
    try {
      this.host.committed(answer, (await sending) as Committed);
    } catch (error) {
      this.session.phase = "reading";
      this.draw();
      if (error instanceof ApiError && error.code === "schema_changed")
        await this.carryOver(answer).catch((failed: unknown) => this.check?.warn([reason(failed)]));
      else this.check?.warn([reason(error)]);
    }
  }

  private mayCommit(): boolean {
    return this.check?.passes(this.history.form.findings, this.draft?.state.kind === "conflict") ?? false;
  }

  private async skip(): Promise<void> {
    if (this.session.context !== "queue" || this.session.target.item === undefined || this.session.phase !== "reading")
      return;
    const { confirmed, reason: why } = await ask({
      title: "Skip this study?",
      body: [h("p", {}, "It comes back at the end of your queue. What you answered is kept.")],
      confirm: "Skip",
      reasonLabel: "Why",
    });
    if (!confirmed) return;
    try {
      await api.post(`/api/v1/label-queue/${this.session.target.item}/skip/`, { reason: why });
      await this.host.advance();
    } catch (error) {
      this.check?.warn([reason(error)]);
    }
  }

  // ---------- keys ----------

  private bindReading(): void {
    const keysHost = {
      ...this.sharedCommands(),
      note: () => this.form?.focusNote(),
      undo: (event: KeyboardEvent) => void this.undo(event.ctrlKey || event.metaKey),
      redo: () => this.redo(),
      startMeasure: (preset: Exclude<Preset, "">) => this.startMeasure(preset),
    };
    const { adjudication } = this.session;
    const regrade = () => this.act({ type: "take", findings: this.emptyForm().findings });
    const judging = adjudication
      ? adjudicationKeys({
          regrade,
          nextKeyframe: () => adjudication.nextKeyframe(),
          discuss: () => adjudication.discussion.focus(),
          unblind: () => void adjudication.unblind(),
        })
      : [];
    this.session.setKeys([...readingKeys(this.session.mode, this.session.schema, keysHost), ...judging]);
  }
}
