import { beforeEach, describe, expect, it, vi } from "vitest";
import { backoff, type Environment, EventStream, type LiveEvent, type Socket } from "../../src/common/events";

class FakeSocket implements Socket {
  onmessage: ((message: { data: string }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  constructor(readonly url: string) {}
  close(): void {
    this.onclose?.({ code: 1000 });
  }
  say(message: object): void {
    this.onmessage?.({ data: JSON.stringify(message) });
  }
}

let sockets: FakeSocket[];
let timers: { run: () => void; ms: number }[];
let environment: Environment;
let heard: LiveEvent[];

const last = () => sockets.at(-1)!;
const fire = (ms: (value: number) => boolean) =>
  timers
    .splice(
      timers.findIndex((timer) => ms(timer.ms)),
      1,
    )[0]!
    .run();

function start(after: number | null = null, signedOut: () => void = () => undefined): EventStream {
  const stream = new EventStream(environment, "ws://x/ws/events/", after, signedOut);
  stream.subscribe(["score", "study"], (event) => heard.push(event));
  stream.connect();
  return stream;
}

beforeEach(() => {
  sockets = [];
  timers = [];
  heard = [];
  environment = {
    open: (url) => {
      sockets.push(new FakeSocket(url));
      return last();
    },
    setTimeout: (run, ms) => {
      const timer = { run, ms };
      timers.push(timer);
      return timer;
    },
    clearTimeout: (timer) => {
      timers = timers.filter((other) => other !== timer);
    },
    random: () => 1,
  };
});

describe("the event stream", () => {
  it("asks for everything again at the first hello, since the page was loaded before it", () => {
    start();
    last().say({ type: "hello", seq: 7 });
    expect(heard.map((event) => event.kind)).toEqual(["gap"]);
  });
  it("resumes from the page's own position without asking again", () => {
    start(5);
    expect(last().url).toBe("ws://x/ws/events/?after=5");
    last().say({ type: "hello", seq: 7 });
    last().say({ seq: 6, kind: "score" });
    last().say({ seq: 7, kind: "study" });
    expect(heard.map((event) => event.seq)).toEqual([6, 7]);
  });
  it("hears only the kinds it asked for, and nothing twice", () => {
    start(0);
    last().say({ type: "hello", seq: 0 });
    last().say({ seq: 1, kind: "run" });
    last().say({ seq: 4, kind: "score" });
    last().say({ seq: 4, kind: "score" });
    last().say({ seq: 3, kind: "score" });
    expect(heard.map((event) => event.seq)).toEqual([4]);
  });
  it("reconnects after the last event, and tells of the gap", () => {
    start(0);
    last().say({ type: "hello", seq: 0 });
    last().say({ seq: 9, kind: "score" });
    last().close();
    fire((ms) => ms < 10_000);
    expect(last().url).toContain("after=9");
    last().say({ type: "hello", seq: 12 });
    expect(heard.at(-1)!.kind).toBe("gap");
    last().say({ seq: 11, kind: "score" });
    expect(heard.at(-1)!.seq).toBe(11);
  });
  it("starts afresh when the server's log is another one", () => {
    start(500);
    last().say({ type: "hello", seq: 3 });
    expect(heard.map((event) => event.kind)).toEqual(["gap"]);
    last().say({ seq: 4, kind: "score" });
    expect(heard.at(-1)!.seq).toBe(4);
  });
  it("polls while there is no connection, and stops when there is", () => {
    start(0);
    last().say({ type: "hello", seq: 0 });
    last().close();
    fire((ms) => ms === 10_000);
    expect(heard.map((event) => event.kind)).toEqual(["gap"]);
    fire((ms) => ms < 10_000);
    last().say({ type: "hello", seq: 0 });
    expect(timers).toEqual([]);
  });
  it("says which state it is in", () => {
    const states: string[] = [];
    const stream = start(0);
    stream.watch((state) => states.push(state));
    last().say({ type: "hello", seq: 0 });
    last().close();
    expect(states).toEqual(["connecting", "live", "offline"]);
  });
  it("tells when the server no longer knows who listens", () => {
    const signedOut = vi.fn();
    start(0, signedOut);
    last().onclose!({ code: 4401 });
    expect(signedOut).toHaveBeenCalledOnce();
  });
  it("waits longer each time, up to a limit, and never in step with others", () => {
    expect([0, 1, 2, 10].map((attempt) => backoff(attempt, 1))).toEqual([500, 1000, 2000, 15_000]);
    expect(backoff(1, 0)).toBe(500);
  });
});
