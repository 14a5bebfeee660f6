/**
 * The live event log. Events carry identifiers only; handlers fetch what they need from the API.
 *
 * The stream resumes after the last sequence number that it has seen. Sequence numbers are not contiguous (others may
 * hear what we may not), so a hole proves nothing; instead every handler is called with kind "gap" whenever events may
 * have been missed: at the first connection, after each reconnection, and on each poll while there is none.
 */

import type { EventMessage } from "../api/schema";
import { polite } from "./announce";
import { reportSignedOut } from "./api";
import { pageConfig, person } from "./dom";

export type Kind = EventMessage["kind"];

export type LiveEvent = Omit<EventMessage, "kind" | "at"> & { kind: Kind | "gap"; at?: string };

export type State = "connecting" | "live" | "offline";
type Handler = (event: LiveEvent) => void;

export interface Socket {
  onmessage: ((message: { data: string }) => void) | null;
  onclose: ((event: { code: number }) => void) | null;
  close(): void;
}

export interface Environment {
  open(url: string): Socket;
  setTimeout(run: () => void, ms: number): unknown;
  clearTimeout(timer: unknown): void;
  random(): number;
}

const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 15_000;
const POLL_MS = 10_000;
/** The close code of a server whose session has ended. */
const SIGNED_OUT = 4401;

/** Exponential backoff with jitter, so that a restarted server is not met by everybody at once. */
export function backoff(attempt: number, random: number): number {
  const ceiling = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** attempt);
  return ceiling / 2 + (random * ceiling) / 2;
}

export class EventStream {
  state: State = "connecting";
  private seq: number | null;
  private attempt = 0;
  private socket: Socket | null = null;
  private retry: unknown = null;
  private poll: unknown = null;
  private readonly handlers = new Map<Handler, Set<string>>();
  private readonly watchers = new Set<(state: State) => void>();

  constructor(
    private readonly environment: Environment,
    private readonly url: string,
    after: number | null = null,
    private readonly signedOut: () => void = () => undefined,
  ) {
    this.seq = after;
  }

  subscribe(kinds: readonly Kind[], handler: Handler): () => void {
    this.handlers.set(handler, new Set(kinds));
    return () => this.handlers.delete(handler);
  }

  watch(watcher: (state: State) => void): void {
    this.watchers.add(watcher);
    watcher(this.state);
  }

  connect(): void {
    this.environment.clearTimeout(this.retry);
    this.retry = null;
    if (this.socket) return;
    const socket = this.environment.open(this.seq === null ? this.url : `${this.url}?after=${this.seq}`);
    this.socket = socket;
    socket.onmessage = (message) => this.receive(JSON.parse(message.data) as Record<string, unknown>);
    socket.onclose = ({ code }) => this.closed(socket, code);
  }

  /** Try at once instead of waiting for the next turn (the network or the tab is back). */
  reconnectNow(): void {
    if (!this.socket) this.connect();
  }

  private receive(message: Record<string, unknown>): void {
    if (message["type"] === "hello") this.helloReceived(Number(message["seq"]));
    else if (typeof message["seq"] === "number") this.deliver(message as unknown as LiveEvent);
  }

  private helloReceived(head: number): void {
    const resumed = this.seq !== null && this.seq <= head && this.state === "connecting";
    // A head behind the own position means another log (a restored database), in which the position is void.
    if (this.seq === null || this.seq > head) this.seq = head;
    this.attempt = 0;
    this.environment.clearTimeout(this.poll);
    this.poll = null;
    this.setState("live");
    if (!resumed) this.reportGap();
  }

  private deliver(event: LiveEvent): void {
    if (this.seq !== null && event.seq <= this.seq) return;
    this.seq = event.seq;
    for (const [handler, kinds] of this.handlers) if (kinds.has(event.kind)) handler(event);
  }

  private reportGap(): void {
    for (const handler of this.handlers.keys()) handler({ kind: "gap", seq: this.seq ?? 0 });
  }

  private closed(socket: Socket, code: number): void {
    if (this.socket !== socket) return;
    this.socket = null;
    if (code === SIGNED_OUT) this.signedOut();
    this.setState("offline");
    this.retry = this.environment.setTimeout(() => this.connect(), backoff(this.attempt, this.environment.random()));
    this.attempt += 1;
    this.poll ??= this.environment.setTimeout(() => this.pollNow(), POLL_MS);
  }

  private pollNow(): void {
    this.reportGap();
    this.poll = this.environment.setTimeout(() => this.pollNow(), POLL_MS);
  }

  private setState(state: State): void {
    if (this.state === state) return;
    this.state = state;
    for (const watcher of this.watchers) watcher(state);
  }
}

function browser(): Environment {
  return {
    open: (url) => new WebSocket(url) as unknown as Socket,
    setTimeout: (run, ms) => window.setTimeout(run, ms),
    clearTimeout: (timer) => window.clearTimeout(timer as number),
    random: Math.random,
  };
}

const WORDS: Record<State, string> = { connecting: "Connecting", live: "Live", offline: "Offline" };
const TITLES: Record<State, string> = {
  connecting: "Connecting to live updates",
  live: "Changes appear by themselves",
  offline: "No live updates: this page looks for changes every 10 seconds and keeps trying",
};

function showBadge(state: State): void {
  const badge = document.getElementById("live");
  if (!badge) return;
  const lost = badge.dataset["state"] === "live" && state === "offline";
  const back = badge.dataset["state"] === "offline" && state === "live";
  badge.dataset["state"] = state;
  badge.title = TITLES[state];
  const word = badge.querySelector("[data-word]");
  if (word) word.textContent = WORDS[state];
  if (lost) polite("Live updates are interrupted");
  if (back) polite("Live again");
}

let currentStream: EventStream | null = null;

function sharedStream(): EventStream {
  if (currentStream) return currentStream;
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  const { seq } = pageConfig<{ seq?: number }>({});
  currentStream = new EventStream(browser(), `${scheme}://${location.host}/ws/events/`, seq ?? null, reportSignedOut);
  currentStream.watch(showBadge);
  const reconnectNow = () => !document.hidden && currentStream?.reconnectNow();
  window.addEventListener("online", reconnectNow);
  window.addEventListener("focus", reconnectNow);
  document.addEventListener("visibilitychange", reconnectNow);
  currentStream.connect();
  return currentStream;
}

/** Keep the live badge up to date on pages that subscribe to nothing. */
export function startLive(): void {
  if (person()) sharedStream();
}

/** Hear events of these kinds, and "gap" whenever some may have been missed. Returns the function that unsubscribes. */
export function subscribe(kinds: readonly Kind[], handler: Handler): () => void {
  if (!person()) return () => undefined;
  return sharedStream().subscribe(kinds, handler);
}
