/**
 * Nothing typed is lost. Every change is written to this browser at once and to the server soon after; what the server
 * has not confirmed is sent again after a reload, a dead server or a lost sign-in. A commit is written down with its
 * idempotency key before it is sent, so that sending it twice counts once.
 */

import type { DraftPayload, SavedDraft } from "../../api/schema";
import { ApiError } from "../../common/api";
import type { StoredCoverage } from "../../viewer/coverage/coverage";
import { type Answer, type Findings, sameAnswer, withoutNumbers } from "../answer/findings";
import { type Commit, type DraftStore, hasUnsent, type Place, type StoredDraft } from "./draft-store";

/** A draft that the server has; without findings it has none. */
export type ServerDraft = Omit<DraftPayload, "findings"> & { findings: Findings };
export type Saved = { version: number; saved_at: string } & Partial<Pick<SavedDraft, "schema">>;

export interface DraftServer {
  save(place: Place, body: Answer & { version: number }): Promise<Saved>;
  commit(place: Place, body: Commit): Promise<unknown>;
  /** Store the version of a draft that the reader did not choose. */
  setAside(place: Place, answer: Answer): Promise<unknown>;
}

export interface Clock {
  now(): Date;
  setTimeout(run: () => void, ms: number): unknown;
  clearTimeout(timer: unknown): void;
}

export type DraftState =
  | { kind: "empty" }
  | { kind: "saved"; at: Date }
  | { kind: "here"; at: Date; reason: string }
  | { kind: "committing"; at: Date; reason: string }
  /** `otherTab` is set where the other version is that of another tab of this browser. */
  | { kind: "conflict"; own: Answer; other: ServerDraft; otherTab?: StoredDraft };

const SOON_MS = 400;
const FIRST_RETRY_MS = 1000;
const LAST_RETRY_MS = 15_000;
const KEPT_SENT = 8;

function withSent({ sent = [] }: StoredDraft, answer: Answer): Answer[] {
  return [...sent, answer].slice(-KEPT_SENT);
}

export function isStale(error: unknown): error is ApiError {
  return error instanceof ApiError && error.status === 409 && error.code === "stale_draft";
}

/** Whether sending the same thing later may succeed. */
export function isRetryable(error: unknown): boolean {
  return error instanceof ApiError && (error.transient || error.signedOut || error.status >= 500);
}

function serverDraft(error: ApiError): ServerDraft {
  return (error.body as { server: ServerDraft }).server;
}

export class DraftSync {
  state: DraftState = { kind: "empty" };
  /** Called when the schema in force is not the one of the draft. */
  schemaChanged: (now: string) => void = () => undefined;
  private stored: StoredDraft;
  private version: number;
  private timer: unknown = null;
  private retry = 0;
  private sending: Promise<void> | null = null;
  private closed = false;
  private persisted = true;
  private waitingCommit: { resolve: (answer: unknown) => void; reject: (error: unknown) => void } | null = null;

  constructor(
    readonly place: Place,
    private readonly store: DraftStore,
    private readonly server: DraftServer,
    private readonly clock: Clock,
    private readonly changed: (state: DraftState) => void,
  ) {
    this.stored = store.read(place) ?? { place, tab: store.tab, base: 0, at: clock.now().toISOString() };
    this.version = this.stored.base;
  }

  get storedCoverage(): StoredCoverage | undefined {
    return this.stored.seen;
  }

  /** A stored commit that the server has not answered. */
  get unsentCommit(): Commit | undefined {
    return this.stored.commit;
  }

  /**
   * Merge the stored draft with that of the server; returns the answer to begin with. Where both have changed since the
   * same version, the state becomes a conflict, the reader chooses, and the own answer is shown until then.
   */
  begin(server: ServerDraft | null): Answer | null {
    if (!hasUnsent(this.stored)) this.adoptOtherTab();
    const own = this.stored.answer;
    const version = server?.version ?? 0;
    if (!own) {
      this.version = version;
      if (server?.saved_at) this.setState({ kind: "saved", at: new Date(server.saved_at) });
      return server;
    }
    if (server && version !== this.stored.base && !sameAnswer(server, own) && !this.isOwn(server)) {
      this.setState({ kind: "conflict", own, other: server });
      return own;
    }
    this.version = version;
    this.change(own);
    this.checkOtherTabs(own);
    return own;
  }

  /** Take over an unsent draft that another tab has left behind. */
  private adoptOtherTab(): void {
    const [leftBehind] = this.store.otherTabs(this.place, undefined);
    if (!leftBehind) return;
    this.stored = { ...this.stored, ...leftBehind, tab: this.store.tab };
    this.version = leftBehind.base;
    if (this.store.write(this.stored)) this.store.remove(leftBehind);
  }

  /** Another tab has an unsent draft of this read, too: the state becomes a conflict. */
  private checkOtherTabs(own: Answer): void {
    const otherTab = this.stored.commit ? undefined : this.store.otherTabs(this.place, own)[0];
    if (!otherTab?.answer) return;
    const { findings, comment } = otherTab.answer;
    this.setState({
      kind: "conflict",
      own,
      other: { findings, comment, version: this.version, saved_at: otherTab.at },
      otherTab,
    });
  }

  /** Store the answer at once; it is sent within half a second. */
  change(answer: Answer): void {
    this.persist({ base: this.version, answer: { findings: answer.findings, comment: answer.comment } });
    if (this.state.kind === "conflict") {
      this.setState({ ...this.state, own: answer });
      return;
    }
    this.setState({ kind: "here", at: this.clock.now(), reason: "" });
    this.retry = 0;
    this.schedule(SOON_MS);
  }

  storeCoverage(seen: StoredCoverage): void {
    this.persist({ seen });
  }

  /** Send at once what is unsent: the network, the tab or the sign-in is back, or the page is about to be unloaded. */
  async send(): Promise<void> {
    this.clock.clearTimeout(this.timer);
    // One request at a time: the server takes two at once for a conflict.
    while (this.sending) await this.sending;
    if (this.closed || this.state.kind === "conflict") return;
    this.sending = this.stored.commit ? this.sendCommit(this.stored.commit) : this.sendDraft();
    await this.sending;
    this.sending = null;
  }

  /** Resolve a conflict with the own answer or the other one; returns the chosen answer. */
  choose(which: "own" | "other"): Answer {
    if (this.state.kind !== "conflict") throw new Error("there is nothing to choose between");
    const { own, other, otherTab } = this.state;
    this.version = other.version;
    const otherAnswer = { findings: other.findings, comment: other.comment };
    const [chosen, rejected] = which === "own" ? [own, otherAnswer] : [otherAnswer, own];
    this.server.setAside(this.place, rejected).catch(() => undefined);
    if (otherTab) this.store.remove(otherTab);
    if (which === "own" || otherTab) {
      this.state = { kind: "empty" };
      this.change(chosen);
      this.checkOtherTabs(chosen);
      return chosen;
    }
    this.setConfirmed(other.version);
    this.setState({ kind: "saved", at: new Date(other.saved_at ?? this.clock.now()) });
    return chosen;
  }

  /** Resolves with the server's answer, however long it takes; rejects where the server refuses. */
  async commit(body: Omit<Commit, "version" | "context" | "item">): Promise<unknown> {
    this.clock.clearTimeout(this.timer);
    if (this.sending) await this.sending;
    const { context, item } = this.place;
    const commit: Commit = { ...body, context, ...(item === undefined ? {} : { item }), version: this.version };
    this.persist({ commit });
    return this.resume();
  }

  /** Send a stored commit again. */
  resume(): Promise<unknown> {
    this.setState({ kind: "committing", at: this.clock.now(), reason: "" });
    const answer = new Promise((resolve, reject) => (this.waitingCommit = { resolve, reject }));
    void this.send();
    return answer;
  }

  close(): void {
    this.closed = true;
    this.clock.clearTimeout(this.timer);
  }

  // ---------- storing and sending ----------

  private persist(part: Partial<StoredDraft>): void {
    this.stored = { ...this.stored, ...part, at: this.clock.now().toISOString() };
    this.persisted = this.store.write(this.stored);
  }

  private schedule(ms: number): void {
    this.clock.clearTimeout(this.timer);
    this.timer = this.clock.setTimeout(() => void this.send(), ms);
  }

  private setState(state: DraftState): void {
    if (this.closed) return;
    this.state = state;
    this.changed(state);
  }

  private setConfirmed(version: number): void {
    this.version = version;
    const { answer: _confirmed, sent: _arrived, ...rest } = this.stored;
    this.stored = { ...rest, base: version };
    this.persist({});
  }

  private async sendDraft(): Promise<void> {
    const answer = this.stored.answer;
    if (!answer) return;
    this.persist({ sent: withSent(this.stored, answer) });
    try {
      const { version, saved_at, schema } = await this.server.save(this.place, { ...answer, version: this.version });
      this.saved(answer, version, saved_at);
      if (schema && schema !== answer.findings.schema && !this.closed) this.schemaChanged(schema);
    } catch (error) {
      this.failed(error, answer);
    }
  }

  private saved(sent: Answer, version: number, at: string): void {
    this.retry = 0;
    this.version = version;
    if (this.stored.answer === sent) {
      this.setConfirmed(version);
      this.setState({ kind: "saved", at: new Date(at) });
    } else {
      this.persist({ base: version, sent: [] });
      this.schedule(SOON_MS);
    }
  }

  /** Whether the server's draft is one that this tab has sent and whose response was lost. */
  private isOwn({ findings, comment }: Answer): boolean {
    const plain = (answer: Answer) => ({ findings: withoutNumbers(answer.findings), comment: answer.comment });
    return (this.stored.sent ?? []).some((sent) => sameAnswer(plain(sent), plain({ findings, comment })));
  }

  /** After a refusal because of an own draft, go on from that version; false for every other error. */
  private rebasedOnOwn(error: unknown): boolean {
    if (!isStale(error)) return false;
    const server = serverDraft(error);
    if (!this.isOwn(server)) return false;
    this.version = server.version;
    const { commit } = this.stored;
    this.persist({ base: server.version, ...(commit ? { commit: { ...commit, version: server.version } } : {}) });
    this.schedule(0);
    return true;
  }

  private failed(error: unknown, own: Answer): void {
    if (this.rebasedOnOwn(error)) return;
    if (isStale(error)) {
      this.setState({ kind: "conflict", own: this.stored.answer ?? own, other: serverDraft(error) });
      return;
    }
    const reason = error instanceof Error ? error.message : String(error);
    this.setState({
      kind: "here",
      at: new Date(this.stored.at),
      reason: this.persisted ? reason : `This browser keeps nothing. ${reason}`,
    });
    if (isRetryable(error)) this.scheduleRetry();
  }

  private scheduleRetry(): void {
    this.schedule(Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.retry));
    this.retry += 1;
  }

  private async sendCommit(commit: Commit): Promise<void> {
    try {
      const answer = await this.server.commit(this.place, commit);
      // The coverage stays, for a read that is opened again.
      const { answer: _answered, commit: _committed, sent: _sent, ...rest } = this.stored;
      this.stored = rest;
      this.persist({});
      this.waitingCommit?.resolve(answer);
    } catch (error) {
      this.commitFailed(error);
    }
  }

  private commitFailed(error: unknown): void {
    if (this.rebasedOnOwn(error)) return;
    if (isRetryable(error)) {
      this.setState({
        kind: "committing",
        at: new Date(this.stored.at),
        reason: error instanceof Error ? error.message : String(error),
      });
      this.scheduleRetry();
      return;
    }
    const { commit, ...rest } = this.stored;
    this.stored = {
      ...rest,
      answer: rest.answer ?? { findings: commit?.findings as Findings, comment: commit?.comment ?? "" },
    };
    this.persist({});
    if (isStale(error) && this.stored.answer)
      this.setState({ kind: "conflict", own: this.stored.answer, other: serverDraft(error) });
    else
      this.setState({
        kind: "here",
        at: new Date(this.stored.at),
        reason: error instanceof Error ? error.message : String(error),
      });
    this.waitingCommit?.reject(error);
  }
}

/** Send unsent drafts of this person's other reads. What the server refuses stays until that study is opened. */
export async function sendUnsent(
  store: DraftStore,
  server: DraftServer,
  user: string,
  except: Place | null,
): Promise<number> {
  let sent = 0;
  for (const stored of store.unsent(user, except)) {
    try {
      if (stored.commit) await server.commit(stored.place, stored.commit);
      else if (stored.answer) {
        // Stored before it is sent, so that the draft is recognized as own even if the response is lost.
        store.write({ ...stored, sent: withSent(stored, stored.answer) });
        await server.save(stored.place, { ...stored.answer, version: stored.base });
      }
      store.remove(stored);
      sent += 1;
    } catch (error) {
      if (isRetryable(error)) return sent;
    }
  }
  return sent;
}
