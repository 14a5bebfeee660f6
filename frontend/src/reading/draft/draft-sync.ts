/**
 * Nothing typed is lost. Every change is written to this browser at once and to the server soon after; what the server
 * has not confirmed is sent again after a reload, a dead server or a lost sign-in. A commit is written down with its
 * idempotency key before it is sent, so that sending it twice counts once.
 */

import { ApiError } from "../../common/api";
import type { StoredCoverage } from "../../viewer/coverage/coverage";
import { type Answer, type Findings, same, withoutNumbers } from "../answer/findings";
import type { Commit, Place, Shelf, Stored } from "./draft-store";

export interface ServerDraft {
  findings: Findings;
  comment: string;
  version: number;
  saved_at: string | null;
}

export interface Saved {
  version: number;
  saved_at: string;
  /** The version of the label schema that is in force. */
  schema?: string;
}

export interface Server {
  save(place: Place, body: Answer & { version: number }): Promise<Saved>;
  commit(place: Place, body: Commit): Promise<unknown>;
  /** Keep the version of a draft that the reader did not choose. */
  setAside(place: Place, answer: Answer): Promise<unknown>;
}

export interface Clock {
  now(): Date;
  setTimeout(run: () => void, ms: number): unknown;
  clearTimeout(timer: unknown): void;
}

export type State =
  | { kind: "empty" }
  | { kind: "saved"; at: Date }
  | { kind: "here"; at: Date; reason: string }
  | { kind: "committing"; at: Date; reason: string }
  /** `rival`: the other version is another tab's, and lies in this browser. */
  | { kind: "conflict"; mine: Answer; theirs: ServerDraft; rival?: Stored };

const SOON_MS = 400;
const FIRST_RETRY_MS = 1000;
const LAST_RETRY_MS = 15_000;
const KEPT_SENT = 8;

function owed({ answer, commit }: Stored): boolean {
  return Boolean(answer || commit);
}

function sending({ sent = [] }: Stored, answer: Answer): Answer[] {
  return [...sent, answer].slice(-KEPT_SENT);
}

export function isStale(error: unknown): error is ApiError {
  return error instanceof ApiError && error.status === 409 && error.code === "stale_draft";
}

/** Whether sending the same thing later may succeed. */
export function later(error: unknown): boolean {
  return error instanceof ApiError && (error.transient || error.signedOut || error.status >= 500);
}

function serverDraft(error: ApiError): ServerDraft {
  return (error.body as { server: ServerDraft }).server;
}

export class DraftKeeper {
  state: State = { kind: "empty" };
  /** Told when the server's schema is not the one that a draft was made with. */
  outdated: (now: string) => void = () => undefined;
  private stored: Stored;
  private version: number;
  private timer: unknown = null;
  private retry = 0;
  private sending: Promise<void> | null = null;
  private closed = false;
  private keptHere = true;
  private waitingCommit: { resolve: (answer: unknown) => void; reject: (error: unknown) => void } | null = null;

  constructor(
    readonly place: Place,
    private readonly shelf: Shelf,
    private readonly server: Server,
    private readonly clock: Clock,
    private readonly changed: (state: State) => void,
  ) {
    this.stored = shelf.read(place) ?? { place, tab: shelf.tab, base: 0, at: clock.now().toISOString() };
    this.version = this.stored.base;
  }

  get seen(): StoredCoverage | undefined {
    return this.stored.seen;
  }

  /** A commit that was written down and of which no answer ever came. */
  get unsentCommit(): Commit | undefined {
    return this.stored.commit;
  }

  /**
   * Join what this browser kept with what the server has; the answer to begin with. Where both moved on from the same
   * draft the reader chooses: the state becomes a conflict and the own answer is shown meanwhile.
   */
  begin(theirs: ServerDraft | null): Answer | null {
    if (!owed(this.stored)) this.adopt();
    const mine = this.stored.answer;
    const version = theirs?.version ?? 0;
    if (!mine) {
      this.version = version;
      if (theirs?.saved_at) this.become({ kind: "saved", at: new Date(theirs.saved_at) });
      return theirs;
    }
    if (theirs && version !== this.stored.base && !same(theirs, mine) && !this.isOwn(theirs)) {
      this.become({ kind: "conflict", mine, theirs });
      return mine;
    }
    this.version = version;
    this.change(mine);
    this.meetRival(mine);
    return mine;
  }

  /** Nothing is owed by this tab, but another that is gone owes something: it is this one's now. */
  private adopt(): void {
    const [left] = this.shelf.rivals(this.place, undefined);
    if (!left) return;
    this.stored = { ...this.stored, ...left, tab: this.shelf.tab };
    this.version = left.base;
    if (this.shelf.write(this.stored)) this.shelf.remove(left);
  }

  /** Another tab was offline with this read, too: the reader chooses between the two. */
  private meetRival(mine: Answer): void {
    const rival = this.stored.commit ? undefined : this.shelf.rivals(this.place, mine)[0];
    if (!rival?.answer) return;
    const { findings, comment } = rival.answer;
    this.become({
      kind: "conflict",
      mine,
      theirs: { findings, comment, version: this.version, saved_at: rival.at },
      rival,
    });
  }

  /** Written here before this returns; on the server within half a second. */
  change(answer: Answer): void {
    this.keep({ base: this.version, answer: { findings: answer.findings, comment: answer.comment } });
    if (this.state.kind === "conflict") {
      this.become({ ...this.state, mine: answer });
      return;
    }
    this.become({ kind: "here", at: this.clock.now(), reason: "" });
    this.retry = 0;
    this.schedule(SOON_MS);
  }

  keepSeen(seen: StoredCoverage): void {
    this.keep({ seen });
  }

  /** Send now what is owed: the network, the tab or the sign-in is back, or the page is about to go. */
  async flush(): Promise<void> {
    this.clock.clearTimeout(this.timer);
    // Of several that wait for a slow answer one goes on: two at once would be taken for two hands.
    while (this.sending) await this.sending;
    if (this.closed || this.state.kind === "conflict") return;
    this.sending = this.stored.commit ? this.sendCommit(this.stored.commit) : this.sendDraft();
    await this.sending;
    this.sending = null;
  }

  /** Resolve a conflict: keep mine over the server's, or take the server's. The answer that now counts. */
  choose(which: "mine" | "theirs"): Answer {
    if (this.state.kind !== "conflict") throw new Error("there is nothing to choose between");
    const { mine, theirs, rival } = this.state;
    this.version = theirs.version;
    const other = which === "mine" ? { findings: theirs.findings, comment: theirs.comment } : mine;
    this.server.setAside(this.place, other).catch(() => undefined);
    if (rival) this.shelf.remove(rival);
    if (which === "mine" || rival) {
      const kept = which === "mine" ? mine : { findings: theirs.findings, comment: theirs.comment };
      this.state = { kind: "empty" };
      this.change(kept);
      this.meetRival(kept);
      return kept;
    }
    this.confirmed(theirs.version);
    this.become({ kind: "saved", at: new Date(theirs.saved_at ?? this.clock.now()) });
    return { findings: theirs.findings, comment: theirs.comment };
  }

  /** Resolves with the server's answer, however long it takes; rejects where the server refuses. */
  async commit(body: Omit<Commit, "version" | "context" | "item">): Promise<unknown> {
    this.clock.clearTimeout(this.timer);
    if (this.sending) await this.sending;
    const { context, item } = this.place;
    const commit: Commit = { ...body, context, ...(item === undefined ? {} : { item }), version: this.version };
    this.keep({ commit });
    return this.resume();
  }

  /** Send again a commit that was written down before. */
  resume(): Promise<unknown> {
    this.become({ kind: "committing", at: this.clock.now(), reason: "" });
    const answer = new Promise((resolve, reject) => (this.waitingCommit = { resolve, reject }));
    void this.flush();
    return answer;
  }

  close(): void {
    this.closed = true;
    this.clock.clearTimeout(this.timer);
  }

  // ----------

  private keep(part: Partial<Stored>): void {
    this.stored = { ...this.stored, ...part, at: this.clock.now().toISOString() };
    this.keptHere = this.shelf.write(this.stored);
  }

  private schedule(ms: number): void {
    this.clock.clearTimeout(this.timer);
    this.timer = this.clock.setTimeout(() => void this.flush(), ms);
  }

  private become(state: State): void {
    if (this.closed) return;
    this.state = state;
    this.changed(state);
  }

  private confirmed(version: number): void {
    this.version = version;
    const { answer: _confirmed, sent: _arrived, ...rest } = this.stored;
    this.stored = { ...rest, base: version };
    this.keep({});
  }

  private async sendDraft(): Promise<void> {
    const answer = this.stored.answer;
    if (!answer) return;
    this.keep({ sent: sending(this.stored, answer) });
    try {
      const { version, saved_at, schema } = await this.server.save(this.place, { ...answer, version: this.version });
      this.saved(answer, version, saved_at);
      if (schema && schema !== answer.findings.schema && !this.closed) this.outdated(schema);
    } catch (error) {
      this.failed(error, answer);
    }
  }

  private saved(sent: Answer, version: number, at: string): void {
    this.retry = 0;
    this.version = version;
    if (this.stored.answer === sent) {
      this.confirmed(version);
      this.become({ kind: "saved", at: new Date(at) });
    } else {
      this.keep({ base: version, sent: [] });
      this.schedule(SOON_MS);
    }
  }

  /** The server holds what this tab sent: it took it, and only its answer was lost on the way. */
  private isOwn({ findings, comment }: Answer): boolean {
    const plain = (answer: Answer) => ({ findings: withoutNumbers(answer.findings), comment: answer.comment });
    return (this.stored.sent ?? []).some((sent) => same(plain(sent), plain({ findings, comment })));
  }

  /** A refusal that only says that an own draft arrived: the next one grows from that. */
  private grownFromOwn(error: unknown): boolean {
    if (!isStale(error)) return false;
    const theirs = serverDraft(error);
    if (!this.isOwn(theirs)) return false;
    this.version = theirs.version;
    const { commit } = this.stored;
    this.keep({ base: theirs.version, ...(commit ? { commit: { ...commit, version: theirs.version } } : {}) });
    this.schedule(0);
    return true;
  }

  private failed(error: unknown, mine: Answer): void {
    if (this.grownFromOwn(error)) return;
    if (isStale(error)) {
      this.become({ kind: "conflict", mine: this.stored.answer ?? mine, theirs: serverDraft(error) });
      return;
    }
    const reason = error instanceof Error ? error.message : String(error);
    this.become({
      kind: "here",
      at: new Date(this.stored.at),
      reason: this.keptHere ? reason : `This browser keeps nothing. ${reason}`,
    });
    if (later(error)) this.again();
  }

  private again(): void {
    this.schedule(Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.retry));
    this.retry += 1;
  }

  private async sendCommit(commit: Commit): Promise<void> {
    try {
      const answer = await this.server.commit(this.place, commit);
      // Which frames were seen stays, for a read that is opened again.
      const { answer: _answered, commit: _committed, sent: _sent, ...rest } = this.stored;
      this.stored = rest;
      this.keep({});
      this.waitingCommit?.resolve(answer);
    } catch (error) {
      this.commitFailed(error);
    }
  }

  private commitFailed(error: unknown): void {
    if (this.grownFromOwn(error)) return;
    if (later(error)) {
      this.become({
        kind: "committing",
        at: new Date(this.stored.at),
        reason: error instanceof Error ? error.message : String(error),
      });
      this.again();
      return;
    }
    const { commit, ...rest } = this.stored;
    this.stored = {
      ...rest,
      answer: rest.answer ?? { findings: commit?.findings as Findings, comment: commit?.comment ?? "" },
    };
    this.keep({});
    if (isStale(error) && this.stored.answer)
      this.become({ kind: "conflict", mine: this.stored.answer, theirs: serverDraft(error) });
    else
      this.become({
        kind: "here",
        at: new Date(this.stored.at),
        reason: error instanceof Error ? error.message : String(error),
      });
    this.waitingCommit?.reject(error);
  }
}

/** Send what other reads of this person still owe. What the server refuses stays until that study is opened. */
export async function replay(shelf: Shelf, server: Server, user: string, except: Place | null): Promise<number> {
  let sent = 0;
  for (const stored of shelf.owed(user, except)) {
    try {
      if (stored.commit) await server.commit(stored.place, stored.commit);
      else if (stored.answer) {
        // Written down first, as from its own page: left before the answer comes, it is still known as one's own.
        shelf.write({ ...stored, sent: sending(stored, stored.answer) });
        await server.save(stored.place, { ...stored.answer, version: stored.base });
      }
      shelf.remove(stored);
      sent += 1;
    } catch (error) {
      if (later(error)) return sent;
    }
  }
  return sent;
}
