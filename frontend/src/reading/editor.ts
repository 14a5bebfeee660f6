/** Answering: the form and its history, the draft that is kept, and the commit. */

import { assertive, polite } from "../common/announce";
import { ApiError, api, reason } from "../common/api";
import { ask } from "../common/dialog";
import { h } from "../common/dom";
import { type Drawing, newUid } from "../viewer/annotation/drawing";
import type { Preset } from "../viewer/annotation/measure";
import { changed } from "./answer/change-announcement";
import {
  type Action,
  type Answer,
  blank,
  contradictions,
  type Form,
  History,
  type Keyframe,
  same,
  withoutNumbers,
} from "./answer/findings";
import { meet, remember } from "./answer/schema";
import { hideConflict, showConflict, stateText } from "./draft/draft-status";
import type { Commit } from "./draft/draft-store";
import { DraftKeeper, type State } from "./draft/draft-sync";
import { CommitGate } from "./form/commit-check";
import { ReadForm } from "./form/form";
import { changedNotice, device, leftOutNotice } from "./form/schema-notices";
import { server, shelf, targetOf } from "./read-target";
import { demoNotice } from "./reveal";
import type { Desk } from "./session-context";
import { judgeKeys, readingKeys } from "./shortcuts";
import type { Carried, Committed, Next, Read } from "./types";

const SEEN_MS = 1000;

const browserClock = {
  now: () => new Date(),
  setTimeout: (run: () => void, ms: number): unknown => window.setTimeout(run, ms),
  clearTimeout: (timer: unknown) => window.clearTimeout(timer as number),
};

export interface Onward {
  committed: (answer: Answer, said: Committed) => void;
  advance: () => Promise<void>;
  reopen: () => Promise<void>;
  /** The timeline looks again at what is drawn. */
  drawn: () => void;
}

export class Answering {
  private form: ReadForm | null = null;
  private history!: History;
  private keeper: DraftKeeper | null = null;
  private gate: CommitGate | null = null;
  private seenTimer: number | null = null;

  constructor(
    private readonly desk: Desk,
    private readonly onward: Onward,
  ) {}

  /** Whether anything was answered here. */
  get begun(): boolean {
    return Boolean(this.history?.undoable);
  }

  flush(): void {
    void this.keeper?.flush();
  }

  /** It is committed: no draft is kept any more. */
  settled(): void {
    this.keeper?.close();
  }

  close(): void {
    this.settled();
    hideConflict();
  }

  async begin(mine: Read | null): Promise<void> {
    this.desk.phase = "reading";
    this.keeper?.close();
    this.keeper = new DraftKeeper(this.desk.place, shelf, server, browserClock, (state) => this.drawState(state));
    this.keeper.outdated = (now) => this.outdated(now);
    if (this.keeper.seen) this.desk.viewer.coverage.restore(this.keeper.seen);
    const begun = mine?.draft?.saved_at ? mine.draft : null;
    const last = mine?.revisions.at(-1);
    const answer =
      this.keeper.begin(begun) ??
      (last ? { findings: withoutNumbers(last.findings), comment: last.comment ?? "" } : null);
    const unsent = this.keeper.unsentCommit;
    const old = answer !== null && !unsent && answer.findings.schema !== this.desk.schema.name;
    this.showForm(answer && !old ? answer : null);
    if (old) await this.carry(answer);
    if (unsent) void this.await(this.keeper.resume(), answer ?? this.history.form);
  }

  /** The form of the schema in force, with this answer or none. */
  private showForm(answer: Answer | null): void {
    const empty = this.empty();
    this.form = new ReadForm(
      this.desk.mode,
      this.desk.schema,
      this.desk.study.clips,
      this.desk.study.notes,
      this.commands(),
    );
    this.gate = new CommitGate(this.form, this.desk.viewer.coverage, this.desk.study.clips);
    this.history = new History(
      answer ? { ...empty, findings: { ...empty.findings, ...answer.findings }, comment: answer.comment } : empty,
    );
    if (this.keeper) this.drawState(this.keeper.state);
    this.draw();
    this.desk.mount(this.form.element);
    this.bindReading();
    this.desk.viewer.redrawCoverage();
    this.gate.draw();
    this.form.setBefore(this.desk.house.previous?.text ?? "");
    this.notices();
    if (this.desk.judge) this.form.element.querySelector(".scroll")?.append(this.desk.judge.thread.element);
    this.desk.roomBar?.say("Attention hidden until you commit");
  }

  private empty(): Form {
    return blank(
      this.desk.study.clips.some((clip) => clip.view === "mastoid" && clip.frames > 0),
      this.desk.schema,
    );
  }

  notices(...more: (HTMLElement | null)[]): void {
    this.form?.notice(...more, ...demoNotice(this.desk.score), this.desk.judge?.element ?? null);
  }

  // ---------- the schema changes while a read is open ----------

  /** An admin has put another version in force: the draft is kept as it is until the reader goes on. */
  private outdated(now: string): void {
    if (now === this.desk.schema.name || this.desk.phase !== "reading") return;
    this.notices(
      changedNotice(
        this.desk.schema.name,
        now,
        () => void this.carry(this.history.form).catch((error: unknown) => this.gate?.tell([reason(error)])),
      ),
    );
    assertive("The form has changed since you began. Your draft is kept.");
  }

  /** Fill what fits of an older answer into the form in force; the older answer is kept on the server. */
  private async carry(answer: Answer): Promise<void> {
    const { findings, comment } = answer;
    const body = {
      context: this.desk.context,
      ...this.desk.item,
      findings: withoutNumbers(findings),
      comment,
      version: 0,
    };
    const carried = await api.post<Carried>(`${this.desk.api}reads/carry/`, body);
    await meet([findings.schema]);
    if (this.desk.closed) return;
    this.desk.schema = remember(carried.schema);
    this.showForm({ findings: carried.findings, comment });
    this.keeper?.change(this.history.form);
    this.notices(leftOutNotice(findings.schema, this.desk.schema.name, carried.left_out));
    const left = carried.left_out.map((each) => each.title).join(", ");
    assertive(`The form has changed. What fits of your answer was filled in${left ? `; look at ${left}` : ""}.`);
  }

  accept(at: number): void {
    const findings = this.desk.others[at]?.revisions[0]?.findings;
    if (findings) this.act({ type: "take", findings });
  }

  // ---------- answering ----------

  /** What can be done by key and by button alike. */
  private verbs() {
    return {
      act: (action: Action) => this.act(action),
      keyframe: () => this.keyframe(),
      commit: () => void this.commit(),
      skip: this.desk.context === "queue" ? () => void this.skip() : null,
    };
  }

  private commands() {
    return {
      ...this.verbs(),
      undo: () => void this.back(),
      goTo: ({ sop_uid, frame }: Keyframe) => this.desk.viewer.goTo(sop_uid, frame),
      openClip: (sop: string) => this.desk.viewer.goTo(sop, 1),
      goToDrawing: (drawing: Drawing) => this.desk.viewer.marks.goToDrawing(drawing),
      drawings: () => this.desk.viewer.marks.openDrawingPanel(),
      release: () => this.desk.viewer.focus(),
    };
  }

  act(action: Action): void {
    if (this.desk.phase !== "reading") return;
    const before = this.history.form;
    if (action.type === "digit" && !before.side && this.desk.others[action.grade - 1])
      return this.accept(action.grade - 1);
    if (!this.history.apply(action)) {
      if (action.type === "digit" && !before.side) polite("Press R or L first, then the grade");
      return;
    }
    // A handle that arrows move says where it is by itself.
    this.answerChanged(before, action.type === "draw" && action.step?.startsWith("nudge") ? null : "");
  }

  /** `how` is said before what has changed; null says nothing. */
  private answerChanged(before: Form, how: "" | "Undone" | "Redone" | null): void {
    const after = this.history.form;
    if (!same(before, after)) this.keeper?.change(after);
    this.draw();
    this.gate?.answerChanged();
    const words =
      changed(before, after, this.desk.study.clips) || (how && before.comment !== after.comment ? "note" : "");
    if (how !== null && words) polite(how ? `${how}: ${words}` : words);
  }

  private keyframe(): void {
    const { clip, shown } = this.desk.viewer.current;
    if (clip && shown) this.act({ type: "keyframe", keyframe: { sop_uid: clip.sop_uid, frame: shown } });
    else assertive("That frame is not on the screen: nothing was marked.");
  }

  /** Undo a change of the form; with nothing to undo in a queue, the commit before this one. */
  private async back(here = false): Promise<void> {
    if (this.desk.phase === "done") return this.onward.reopen();
    const before = this.history.form;
    if (this.desk.phase === "reading" && this.history.undo()) return this.answerChanged(before, "Undone");
    // Ctrl+Z undoes what was done here, and never leaves the study.
    if (here) return polite("There is nothing to undo");
    if (this.desk.phase === "reading") await this.before().catch((error: unknown) => this.gate?.tell([reason(error)]));
  }

  /** Back to what was committed today before this one; a read that was reopened and left as it was counts on. */
  private async before(): Promise<void> {
    const { earlier } = await api.get<{ earlier: Next | null }>(
      `${this.desk.api}reads/earlier/?context=${this.desk.context}${this.desk.itemQuery}`,
    );
    if (!earlier) return polite("There is nothing to undo: this is the first of today");
    if (this.desk.target.reopen)
      await api
        .post(`${this.desk.api}reads/restore/`, { context: this.desk.context, ...this.desk.item })
        .catch(() => undefined);
    this.desk.house.go({ ...targetOf(earlier, this.desk.context), reopen: true }, null);
  }

  /** R or L and a measure's key: the side counts for that one, as it does for a grade. */
  private measure(preset: Exclude<Preset, "">): void {
    const { side } = this.history.form;
    if (side) this.act({ type: "side", side });
    this.desk.viewer.marks.startMeasure(preset, side);
  }

  private forth(): void {
    const before = this.history.form;
    if (this.desk.phase === "reading" && this.history.redo()) this.answerChanged(before, "Redone");
    else polite("There is nothing to do again");
  }

  private draw(): void {
    this.form?.draw(this.history.form, this.history.undoable || this.desk.mode === "queue");
    const { drawings, keyframes } = this.history.form.findings;
    if (
      drawings !== this.desk.viewer.marks.drawingEditor.drawings ||
      this.desk.viewer.marks.drawingEditor.editable !== (this.desk.phase === "reading")
    )
      this.desk.viewer.marks.setDrawings(drawings, this.desk.phase === "reading");
    this.onward.drawn();
    this.desk.judge?.draw(this.history.form.findings);
    this.desk.viewer.marks.setKeyframes(keyframes);
    this.desk.drawPhase();
  }

  private drawState(state: State): void {
    this.desk.house.main.dataset["draft"] = state.kind;
    this.form?.say(stateText(state));
    if (state.kind === "conflict")
      showConflict(state.mine, state.theirs, state.rival !== undefined, (which) => this.resolve(which));
    else hideConflict();
  }

  private resolve(which: "mine" | "theirs"): void {
    const keeper = this.keeper;
    if (keeper?.state.kind !== "conflict") return;
    const answer = keeper.choose(which);
    hideConflict();
    if (answer.findings.schema === this.desk.schema.name) {
      this.history = new History({ ...answer, findings: { ...this.empty().findings, ...answer.findings }, side: null });
      this.draw();
    } else void this.carry(answer).catch((error: unknown) => this.gate?.tell([reason(error)]));
    this.desk.viewer.focus();
  }

  noted(notes: string[]): void {
    this.desk.study.notes = notes;
    this.form?.setNotes(notes);
    this.gate?.answerChanged();
  }

  // ---------- coverage ----------

  seen(): void {
    this.seenTimer ??= window.setTimeout(() => {
      this.seenTimer = null;
      this.keepSeen();
    }, SEEN_MS);
    if (this.desk.phase === "reading") this.gate?.draw();
  }

  keepSeen(): void {
    this.desk.viewer?.countTime();
    if (this.desk.phase === "reading") this.keeper?.keepSeen(this.desk.viewer.coverage.toStored());
  }

  // ---------- commit ----------

  async commit(): Promise<void> {
    if (this.desk.phase === "done") return this.onward.advance();
    if (this.desk.phase !== "reading" || !this.keeper) return;
    // What is asked before it, and what is revealed after it, stands beside the pictures.
    if (document.fullscreenElement) await document.exitFullscreen().catch(() => undefined);
    if (!this.mayCommit()) return;
    this.keepSeen();
    this.desk.phase = "committing";
    this.draw();
    const answer = this.history.form;
    const body: Omit<Commit, "version" | "context" | "item"> = {
      findings: answer.findings,
      comment: answer.comment,
      seen: this.desk.viewer.coverage.report(),
      duration_ms: Math.round(performance.now() - this.desk.opened),
      idempotency_key: newUid(),
      // The gate has asked about what does not go together, and Enter came again.
      confirmed: contradictions(answer.findings).length > 0,
      device: device(),
    };
    await this.await(this.keeper.commit(body), answer);
  }

  private async await(sending: Promise<unknown>, answer: Answer): Promise<void> {
    this.desk.phase = "committing";
    this.draw();
    try {
      this.onward.committed(answer, (await sending) as Committed);
    } catch (error) {
      this.desk.phase = "reading";
      this.draw();
      if (error instanceof ApiError && error.code === "schema_changed")
        await this.carry(answer).catch((failed: unknown) => this.gate?.tell([reason(failed)]));
      else this.gate?.tell([reason(error)]);
    }
  }

  private mayCommit(): boolean {
    return this.gate?.open(this.history.form.findings, this.keeper?.state.kind === "conflict") ?? false;
  }

  private async skip(): Promise<void> {
    if (this.desk.context !== "queue" || this.desk.target.item === undefined || this.desk.phase !== "reading") return;
    const { confirmed, reason: why } = await ask({
      title: "Skip this study?",
      body: [h("p", {}, "It comes back at the end of your queue. What you answered is kept.")],
      confirm: "Skip",
      reasonLabel: "Why",
    });
    if (!confirmed) return;
    try {
      await api.post(`/api/v1/label-queue/${this.desk.target.item}/skip/`, { reason: why });
      await this.onward.advance();
    } catch (error) {
      this.gate?.tell([reason(error)]);
    }
  }

  // ---------- keys ----------

  private bindReading(): void {
    const commands = {
      ...this.verbs(),
      note: () => this.form?.focusNote(),
      undo: (event: KeyboardEvent) => void this.back(event.ctrlKey || event.metaKey),
      redo: () => this.forth(),
      measure: (preset: Exclude<Preset, "">) => this.measure(preset),
    };
    const { judge } = this.desk;
    const regrade = () => this.act({ type: "take", findings: this.empty().findings });
    const judging = judge
      ? judgeKeys({
          regrade,
          flip: () => judge.flip(),
          discuss: () => judge.thread.focus(),
          unblind: () => void judge.unblind(),
        })
      : [];
    this.desk.rebind([...readingKeys(this.desk.mode, this.desk.schema, commands), ...judging]);
  }
}
