/** One study being read, from opening to the commit and what follows it. */

import { ApiError, api, onSignedIn, reason } from "../common/api";
import { assertive, polite } from "../common/announce";
import { hideBanner, showBanner } from "../common/banner";
import { ask } from "../common/dialog";
import { cap, fill, h, icon } from "../common/dom";
import { type Kind, subscribe } from "../common/events";
import { clock, count, duration } from "../common/format";
import { type Binding, bind, isField } from "../common/keys";
import { Viewer } from "../viewer/viewer";
import type { Study } from "../viewer/types";
import { QueueBar, RoomBar } from "./bar";
import { type Commit, DraftKeeper, type Place, type Server, Shelf, type State } from "./drafts";
import { type Action, type Answer, type Form, History, type Keyframe, answered, blank, contradictions, headline, same, summary } from "./findings";
import { type Mode, ReadForm } from "./form";
import { Priors } from "./prior";
import { Reveal, demoNotice } from "./reveal";
import type { Claim, Committed, LabelQueue, Next, OtherRead, Read, Reads, Score } from "./types";

export interface Target {
  context: Place["context"];
  study: string;
  item?: number;
  /** What the page that was opened knows of its queue; afterwards the queue is asked. */
  queue?: LabelQueue;
  /** Open what was committed for another version of it. */
  reopen?: boolean;
}

export interface Previous {
  target: Target;
  text: string;
}

export interface House {
  main: HTMLElement;
  user: string;
  previous: Previous | null;
  /** Open another study; null leaves the queue or goes back to the list. */
  go: (target: Target | null, previous: Previous | null) => void;
}

export const HOME: Record<Place["context"], string> = { triage: "/", queue: "/label/", adjudication: "/adjudicate/" };

const SEEN_MS = 1000;
/** A claim lapses after half an hour unless it is renewed. */
const RENEW_MS = 5 * 60_000;
const BLINDING = { queue: "Blinded: no AI output, no other reads", adjudication: "No AI output; readers are anonymous" } as const;
const ENTER = "Enter";

export const server: Server = {
  save: (place, body) => api.put(`/api/v1/studies/${place.study}/reads/draft/`, { context: place.context, ...itemOf(place), ...body }, { keepalive: true }),
  commit: (place, body) => api.post(`/api/v1/studies/${place.study}/reads/commit/`, body, { keepalive: true }),
};

export const shelf = new Shelf(localStorage);

function itemOf(place: Pick<Place, "item">): { item?: number } {
  return place.item === undefined ? {} : { item: place.item };
}

/** `crypto.randomUUID` exists on secure origins only; a hospital's intranet may have none. */
function fresh(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function targetOf(next: Next, context: Place["context"]): Target {
  const item = /\/(?:label|adjudicate)\/(\d+)\//.exec(next.url)?.[1];
  return { context, study: next.study_uid, ...(item ? { item: Number(item) } : {}) };
}

/** What a change was, for those who hear it. */
export function spoken(before: Form, after: Form): string {
  if (after.side !== before.side && after.side) return `${after.side}: press a grade, 0 to 4`;
  const old = new Map(summary({ ...before, comment: "" }));
  const now = summary({ ...after, comment: "" });
  const gone = [...old.keys()].filter((name) => !now.some(([each]) => each === name)).map((name) => `${name} no`);
  return [...now.filter(([name, value]) => old.get(name) !== value).map(([name, value]) => `${name} ${value}`), ...gone].join(", ");
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
  private history!: History;
  private keeper: DraftKeeper | null = null;
  private score: Score | null = null;
  private reveal: Reveal | null = null;
  private next: Next | null = null;
  private panel: HTMLElement = h("div", { class: "panel" });
  private phase: "reading" | "committing" | "done" = "reading";
  private asked = false;
  private unopened = "";
  private seenTimer: number | null = null;
  private claimed = false;
  private others: readonly OtherRead[] = [];
  private closed = false;
  private renewal = 0;

  constructor(
    readonly target: Target,
    private readonly house: House,
  ) {
    this.context = target.context;
    this.mode = target.context === "triage" ? "room" : "queue";
    this.api = `/api/v1/studies/${target.study}/`;
  }

  get place(): Place {
    return { user: this.house.user, study: this.target.study, context: this.context, ...itemOf(this.target) };
  }

  async open(): Promise<void> {
    const room = this.mode === "room";
    // Reading never waits for scoring: a score that cannot be had is a score that is not there.
    const scoring = room ? this.fetchScore() : Promise.resolve(null);
    const [study, reads, queue] = await Promise.all([api.get<Study>(this.api), this.fetchReads(), this.fetchQueue()]);
    if (this.closed) return;
    this.study = study;
    this.viewer = new Viewer(study, { panes: room ? 2 : 1, seen: () => this.seen() });
    this.others = this.context === "adjudication" ? reads.others : [];
    this.bar = queue ? new QueueBar(study, queue, HOME[this.context], BLINDING[this.context === "adjudication" ? "adjudication" : "queue"]) : new RoomBar(study);
    document.title = `${queue ? `${queue.name ?? "Label queue"}, ${queue.position} of ${queue.total}` : study.patient.patient_id} · Fontanelle`;
    fill(this.house.main, this.bar.element, this.viewer.film.element, this.viewer.stage, this.panel);
    this.watch();
    this.score = await Promise.race([scoring, Promise.resolve(null)]);
    await this.start(reads.mine);
    this.bindGeneral();
    this.viewer.focus();
    this.house.main.removeAttribute("aria-busy");
    if (!study.clips.length) this.stateEmpty();
    if (room) new RoomExtras(this.viewer, study, this.undo);
    void scoring.then((score) => this.scored(score));
    if (room && this.phase === "reading") void this.claim();
    await this.viewer.open();
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    window.clearTimeout(this.renewal);
    for (const undo of [...this.undo, ...this.keys]) undo();
    this.keepSeen();
    void this.keeper?.flush();
    this.keeper?.close();
    this.viewer?.close();
    this.bar?.close();
    hideBanner("new-images");
    hideBanner("claimed");
    hideBanner("conflict");
    this.release();
  }

  /** The page is about to go. */
  leave(): void {
    if (this.phase === "reading") this.keepSeen();
    void this.keeper?.flush();
    this.release();
  }

  // ---------- opening ----------

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
    this.startReading(mine);
  }

  private startReading(mine: Read | null): void {
    const empty = blank(this.study.clips.some((clip) => clip.view === "mastoid" && clip.frames > 0));
    this.phase = "reading";
    this.asked = false;
    this.unopened = "?";
    this.form = new ReadForm(this.mode, this.study.clips, this.study.notes, this.commands());
    this.mount(this.form.element);
    this.keeper?.close();
    this.keeper = new DraftKeeper(this.place, shelf, server, browserClock, (state) => this.drawState(state));
    if (this.keeper.seen) this.viewer.coverage.restore(this.keeper.seen);
    const begun = mine?.draft?.saved_at ? mine.draft : null;
    const last = mine?.revisions.at(-1);
    const answer = this.keeper.begin(begun) ?? (last ? { findings: last.findings, comment: last.comment ?? "" } : null);
    this.history = new History(answer ? { ...empty, findings: { ...empty.findings, ...answer.findings }, comment: answer.comment } : empty);
    this.drawState(this.keeper.state);
    this.draw();
    this.bindReading();
    this.viewer.redrawCoverage();
    this.drawCoverage();
    this.form.setBefore(this.house.previous?.text ?? "");
    this.form.notice(...demoNotice(this.score), this.othersTable());
    if (this.bar instanceof RoomBar) this.bar.say("Attention hidden until you commit");
    if (this.keeper.unsentCommit) void this.await(this.keeper.resume(), answer ?? this.history.form);
  }

  private mount(panel: HTMLElement): void {
    this.panel.replaceWith(panel);
    this.panel = panel;
    this.house.main.dataset["phase"] = this.phase;
  }

  private watch(): void {
    const kinds: Kind[] = this.mode === "room" ? ["study", "score"] : ["study"];
    this.undo.push(
      subscribe(kinds, (event) => {
        if (event.kind !== "gap" && event.study_uid !== this.target.study) return;
        if (event.kind !== "score") void this.lookForImages();
        if (event.kind !== "study" && this.mode === "room") void this.fetchScore().then((score) => this.scored(score));
      }),
    );
    const flush = () => void this.keeper?.flush();
    onSignedIn(flush);
    for (const name of ["online", "focus"]) {
      window.addEventListener(name, flush);
      this.undo.push(() => window.removeEventListener(name, flush));
    }
  }

  private async lookForImages(): Promise<void> {
    const fresh = await api.get<Study>(this.api).catch(() => null);
    const size = (study: Study) => study.clips.map((clip) => `${clip.sop_uid}:${clip.frames}`).join();
    if (!fresh || this.closed || size(fresh) === size(this.study)) return;
    const more = fresh.clips.length - this.study.clips.length;
    showBanner({
      name: "new-images",
      title: more > 0 ? `${count(more, "clip")} arrived for this study.` : "The pictures of this study have changed.",
      detail: "What you answered is kept. Show them before you commit.",
      actions: [h("button", { class: "btn", type: "button", onclick: () => this.house.go(this.target, this.house.previous) }, "Show")],
    });
  }

  private scored(score: Score | null): void {
    if (this.closed || this.phase === "done") return;
    this.score = score;
    if (this.bar instanceof RoomBar) this.bar.drawScore(score);
    if (this.mode === "room") this.form?.notice(...demoNotice(score));
  }

  private stateEmpty(): void {
    const text = "This study has no pictures. It can be read as non-diagnostic (Q), or left.";
    this.viewer.stage.prepend(h("p", { class: "no-pictures", role: "note" }, text));
    document.documentElement.dataset["viewerReady"] = "true";
  }

  /** What the readers said who differ, in an adjudication. */
  private othersTable(): HTMLElement | null {
    if (!this.others.length) return null;
    const answers = this.others.map((other) => new Map(summary({ findings: other.revisions[0]?.findings as Answer["findings"], comment: other.revisions[0]?.comment ?? "" })));
    const names = [...new Set(answers.flatMap((answer) => [...answer.keys()]))];
    const row = (name: string) => {
      const values = answers.map((answer) => answer.get(name) ?? "–");
      return h("tr", { class: new Set(values).size > 1 ? "d" : "same" }, h("th", { scope: "row" }, name), ...values.map((value) => h("td", {}, value)));
    };
    const accept = (other: OtherRead, at: number) => h("th", { scope: "col" }, h("button", { class: "btn", type: "button", onclick: () => this.accept(at) }, `${other.reader} `, cap(String(at + 1))));
    return h("table", { class: "cmp" }, h("caption", { class: "vh" }, "What the readers answered; a button takes that answer"), h("thead", {}, h("tr", {}, h("th", { scope: "col" }, h("span", { class: "vh" }, "Finding")), ...this.others.map(accept))), h("tbody", {}, ...names.map(row)));
  }

  private accept(at: number): void {
    const findings = this.others[at]?.revisions[0]?.findings;
    if (findings) this.act({ type: "take", findings });
  }

  // ---------- claim ----------

  private async claim(): Promise<void> {
    try {
      const { claimed_by } = await api.post<Claim>(`${this.api}claim/`);
      this.claimed = claimed_by?.you ?? false;
      if (this.bar instanceof RoomBar) this.bar.drawClaim(claimed_by);
      window.clearTimeout(this.renewal);
      this.renewal = window.setTimeout(() => void (this.phase === "reading" && !this.closed && this.claim()), RENEW_MS);
    } catch (error) {
      if (error instanceof ApiError && error.code === "claimed") this.claimedByOther(error);
    }
  }

  private claimedByOther(error: ApiError): void {
    const by = (error.body as Claim).claimed_by;
    if (this.bar instanceof RoomBar) this.bar.drawClaim(by);
    showBanner({ name: "claimed", title: `${by?.display ?? "Somebody"} reads this study now.`, detail: "You can look at it. If you commit too, both reads are kept." });
  }

  /** A study that was only looked at goes back to the others. */
  private release(): void {
    if (!this.claimed || this.phase !== "reading" || this.history?.undoable) return;
    this.claimed = false;
    void api.del(`${this.api}claim/`, { keepalive: true }).catch(() => undefined);
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
    this.asked = false;
    this.draw();
    this.drawCoverage(true);
    if (before.comment === after.comment) polite(spoken(before, after));
  }

  private keyframe(): void {
    const { clip, frame } = this.viewer.current;
    if (clip) this.act({ type: "keyframe", keyframe: { sop_uid: clip.sop_uid, frame } });
  }

  /** Undo a change of the form; with nothing to undo in a queue, the commit before this one. */
  private async back(): Promise<void> {
    if (this.phase === "done") return this.reopen();
    const before = this.history.form;
    if (this.phase === "reading" && this.history.undo()) return this.answerChanged(before);
    const previous = this.house.previous;
    if (previous) this.house.go({ ...previous.target, reopen: true }, null);
  }

  private draw(): void {
    this.form?.draw(this.history.form, this.history.undoable || this.house.previous !== null);
    this.house.main.dataset["phase"] = this.phase;
  }

  private drawState(state: State): void {
    this.house.main.dataset["draft"] = state.kind;
    if (state.kind !== "conflict") hideBanner("conflict");
    const at = "at" in state ? (clock(state.at, true) ?? "") : "";
    if (state.kind === "empty") this.form?.say("Drafts are kept as you type");
    else if (state.kind === "saved") this.form?.say(`Draft kept ${at}, here and on the server`);
    else if (state.kind === "here") this.form?.say(state.reason ? `Draft kept ${at} here, not yet on the server: ${state.reason}` : `Draft kept ${at} here`);
    else if (state.kind === "committing") this.form?.say(state.reason ? `Commit kept ${at} here and sent again: ${state.reason}` : "Committing");
    else this.conflict(state.mine, state.theirs);
  }

  /** Two versions of one draft: both are shown and the reader chooses. */
  private conflict(mine: Answer, theirs: Answer & { saved_at: string | null }): void {
    this.form?.say("Two versions of this draft: choose one");
    const words = (answer: Answer) => summary(answer).map(([name, value]) => `${name} ${value}`).join(", ");
    const button = (which: "mine" | "theirs", text: string) => h("button", { class: "btn", type: "button", onclick: () => this.resolve(which) }, text);
    showBanner({
      name: "conflict",
      title: "This draft was changed elsewhere too. Nothing is lost: choose which one counts.",
      detail: `Here: ${words(mine)}. On the server, ${clock(theirs.saved_at, true) ?? "earlier"}: ${words(theirs)}.`,
      actions: [button("mine", "Keep the one here"), button("theirs", "Take the server's")],
    });
  }

  private resolve(which: "mine" | "theirs"): void {
    const keeper = this.keeper;
    if (keeper?.state.kind !== "conflict") return;
    const answer = keeper.choose(which);
    this.history = new History({ ...answer, side: null });
    hideBanner("conflict");
    this.draw();
    this.viewer.focus();
  }

  // ---------- coverage ----------

  private seen(): void {
    this.seenTimer ??= window.setTimeout(() => {
      this.seenTimer = null;
      this.keepSeen();
      this.drawCoverage();
    }, SEEN_MS);
    if (this.viewer.coverage.unopened().join() !== this.unopened) this.drawCoverage();
  }

  private keepSeen(): void {
    if (this.phase === "reading") this.keeper?.keepSeen(this.viewer.coverage.keep());
  }

  private drawCoverage(force = false): void {
    if (this.phase !== "reading" || (this.asked && !force)) return;
    const unopened = this.viewer.coverage.unopened();
    const signature = unopened.join();
    if (signature === this.unopened && !force) return;
    this.unopened = signature;
    const { clips } = this.study;
    const all = clips.some((clip) => clip.decode_error || !clip.frames) ? "Every clip that can be shown was opened" : `All ${count(clips.length, "clip")} opened`;
    if (unopened.length) this.form?.warn(h("p", { class: "warn small" }, icon("warn"), h("span", {}, `${unopened.length} of ${clips.length} clips not opened: `, ...this.form.unopened(unopened))));
    else this.form?.warn(h("p", { class: "small dim ok" }, icon("ok"), h("span", {}, `${all}, so Enter will not ask again.`)));
  }

  // ---------- commit ----------

  private async commit(): Promise<void> {
    if (this.phase === "done") return this.advance();
    if (this.phase !== "reading" || !this.keeper || !this.mayCommit()) return;
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
      this.tell([reason(error)], "");
    }
  }

  /** Ask once about what does not go together and about clips that were not opened. */
  private mayCommit(): boolean {
    const { findings } = this.history.form;
    if (this.keeper?.state.kind === "conflict") {
      this.tell(["Choose first which of the two drafts counts."], "");
      return false;
    }
    if (!answered(findings)) {
      this.tell(["Nothing is answered yet: 0 for no haemorrhage, or R or L and a grade. Q until Non-diag. if the pictures allow neither."], "");
      return false;
    }
    const unopened = this.viewer.coverage.unopened();
    const doubts = contradictions(findings);
    if (unopened.length) doubts.push(`${unopened.length} of ${count(this.study.clips.length, "clip")} not opened.`);
    if (!doubts.length || this.asked) return true;
    this.asked = true;
    this.tell(doubts, "Enter again commits.");
    return false;
  }

  private tell(sentences: string[], then: string): void {
    const text = [...sentences, then].filter(Boolean).join(" ");
    const unopened = this.viewer.coverage.unopened();
    this.form?.warn(h("p", { class: "warn question", "data-question": "" }, icon("warn"), h("span", {}, text, then && unopened.length ? h("span", { class: "small links" }, ...this.form.unopened(unopened)) : null)));
    assertive(text);
  }

  private committed(answer: Answer, said: Committed): void {
    this.next = said.next;
    const seconds = (performance.now() - this.opened) / 1000;
    if (this.mode === "queue") {
      const text = `Before: ${headline(answer.findings)}, ${duration(seconds) ?? ""}`;
      polite(`Committed. ${text}`);
      this.phase = "done";
      this.house.go(said.next ? targetOf(said.next, this.context) : null, { target: this.target, text });
      return;
    }
    if (said.reveal) this.score = said.reveal;
    this.showDone(answer, said.committed_at ?? new Date().toISOString(), null);
    this.reveal?.say(`${duration(seconds) ?? ""} on this one.`);
    polite(`Committed. ${this.score?.flag ? `The model says ${this.score.flag.replaceAll("_", " ")}.` : "The model has said nothing."}`);
  }

  // ---------- after the commit ----------

  private showDone(answer: Answer, at: string, agreement: boolean | null): void {
    this.phase = "done";
    this.keeper?.close();
    const commands = {
      agree: (agree: boolean) => void this.agree(agree),
      next: () => void this.advance(),
      reopen: () => void this.reopen(),
      goTo: (sop: string, frame: number) => this.viewer.goTo(sop, frame),
      peak: (step: 1 | -1) => this.viewer.toPeak(step),
    };
    const queue = this.mode === "queue";
    this.reveal = new Reveal(answer, at, queue ? null : this.score, this.study.clips, { queue, next: this.next !== null }, commands);
    this.reveal.drawAgreement(agreement);
    this.mount(this.reveal.element);
    if (this.bar instanceof RoomBar) {
      this.bar.drawScore(this.score);
      this.bar.committed(at);
    }
    if (!queue) this.viewer.setAttention(this.score?.attention ?? []);
    this.bindDone();
    this.viewer.focus();
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
    if (this.next) return this.house.go(targetOf(this.next, this.context), null);
    if (this.context === "queue") {
      const { item } = await api.get<LabelQueue>("/api/v1/label-queue/");
      return this.house.go(item ? targetOf(item, "queue") : null, null);
    }
    this.house.go(null, null);
  }

  private async reopen(): Promise<void> {
    try {
      await api.post(`${this.api}reads/reopen/`, { context: this.context, ...itemOf(this.target) });
      const { mine } = await this.fetchReads();
      this.viewer.setAttention(null);
      this.reveal = null;
      this.startReading(mine);
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
      this.tell([reason(error)], "");
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
    const group = "Read";
    const act = (key: string, label: string, action: Action, bar = false): Binding => ({ key, label, group, bar, run: () => this.act(action) });
    const queue = this.mode === "queue";
    const digits = ([1, 2, 3, 4] as const).map((grade) => act(String(grade), `Grade ${["", "I", "II", "III", "IV"][grade] ?? ""}`, { type: "digit", grade }));
    const keys: Binding[] = [
      act("0", queue ? "No haemorrhage" : "None", { type: "digit", grade: 0 }, true),
      { key: "r", caps: ["R", "L"], label: "then grade", group, run: () => this.act({ type: "side", side: "right" }) },
      { key: "l", label: "Left, then a grade", group, bar: false, run: () => this.act({ type: "side", side: "left" }) },
      ...digits,
      act("i", "Parenchymal haemorrhage", { type: "toggle", flag: "phi" }),
      act("c", "Cerebellar haemorrhage, next answer", { type: "cerebellar" }),
      act("y", "Cystic PVL", { type: "toggle", flag: "pvl" }),
      act("h", "Ventricular dilatation (PHVD)", { type: "toggle", flag: "phvd" }),
      act("o", "Other intracranial haemorrhage", { type: "toggle", flag: "other_ich" }),
      act("q", "Quality", { type: "quality" }, queue),
      act("x", "Uncertain", { type: "toggle", flag: "uncertain" }, queue),
      { key: "k", label: "Keyframe", group, run: () => this.keyframe() },
      { key: "n", label: "Note", group, bar: !queue, run: () => this.form?.focusNote() },
      { key: ["u", "Ctrl+z"], label: "Undo", group, run: () => void this.back() },
      { key: ENTER, label: queue ? "Commit, next" : "Commit", group, run: () => void this.commit() },
      { key: "Ctrl+Enter", label: "Commit from anywhere", group, bar: false, inFields: true, overControls: true, run: () => void this.commit() },
    ];
    if (this.context === "queue") keys.push({ key: "s", label: "Skip", group, run: () => void this.skip() });
    this.rebind(keys);
  }

  private bindDone(): void {
    const group = "After the commit";
    const keys: Binding[] = [
      { key: "u", label: "Reopen", group, run: () => void this.reopen() },
      { key: ENTER, label: this.mode === "queue" || this.next ? "Next study" : "List", group, run: () => void this.advance() },
    ];
    if (this.mode === "room") {
      keys.unshift(
        { key: "a", label: "Agree", group, run: () => void this.agree(true) },
        { key: "d", label: "Disagree", group, run: () => void this.agree(false) },
        { key: "[", caps: ["[", "]"], label: "Attention peaks", group, run: () => this.viewer.toPeak(-1) },
        { key: "]", label: "Next attention peak", group, bar: false, run: () => this.viewer.toPeak(1) },
      );
    }
    this.rebind(keys);
  }
}

const browserClock = {
  now: () => new Date(),
  setTimeout: (run: () => void, ms: number): unknown => window.setTimeout(run, ms),
  clearTimeout: (timer: unknown) => window.clearTimeout(timer as number),
};

/** What only the reading room shows below the pictures. */
class RoomExtras {
  constructor(viewer: Viewer, study: Study, undo: (() => void)[]) {
    const priors = new Priors(viewer.lower, study.priors);
    if (study.priors.length) undo.push(bind({ key: "p", label: "Prior", group: "Viewer", run: () => void priors.toggle() }));
  }
}
