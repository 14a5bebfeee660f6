import { beforeEach, describe, expect, it, vi } from "vitest";
import { ApiError } from "../../../src/common/api";
import { type Answer, blankForm } from "../../../src/reading/answer/findings";
import { type Commit, DraftStore, type Place, storageKey } from "../../../src/reading/draft/draft-store";
import {
  type DraftServer,
  type DraftState,
  DraftSync,
  type ServerDraft,
  sendUnsent,
} from "../../../src/reading/draft/draft-sync";
import { PAPILE } from "../schemas";

const place: Place = { user: "annotator", study: "1.2.3", context: "queue", item: 7 };
const answer = (comment: string): Answer => ({ findings: blankForm(false, PAPILE).findings, comment });
const body = { ...answer("done"), seen: [], duration_ms: 900, idempotency_key: "k1" };
const offline = () => new ApiError(0, "offline", "The server does not answer.");

/** A server with one draft that refuses what did not grow from it. */
class FakeServer implements DraftServer {
  draft: ServerDraft | null = null;
  commits = new Map<string, Commit>();
  down: ApiError | null = null;
  /** The request arrives, its answer does not. */
  answerLost = false;

  async save(_place: Place, sent: Answer & { version: number }) {
    if (this.down) throw this.down;
    if (sent.version !== (this.draft?.version ?? 0))
      throw new ApiError(409, "stale_draft", "stale", { server: this.draft });
    this.draft = {
      findings: sent.findings,
      comment: sent.comment,
      version: sent.version + 1,
      saved_at: "2026-11-23T14:35:02Z",
    };
    if (this.answerLost) throw offline();
    return { version: this.draft.version, saved_at: "2026-11-23T14:35:02Z" };
  }

  aside: Answer[] = [];

  async setAside(_place: Place, rejected: Answer) {
    this.aside.push(rejected);
  }

  async commit(_place: Place, commit: Commit) {
    if (this.down) throw this.down;
    if (commit.version !== (this.draft?.version ?? commit.version))
      throw new ApiError(409, "stale_draft", "stale", { server: this.draft });
    this.commits.set(commit.idempotency_key, commit);
    if (this.answerLost) throw offline();
    return { next: null };
  }
}

let server: FakeServer;
let store: DraftStore;
let states: DraftState[];

function draftSync(): DraftSync {
  const clock = {
    now: () => new Date("2026-11-23T14:35:02Z"),
    setTimeout: (run: () => void, ms: number) => setTimeout(run, ms),
    clearTimeout: (timer: unknown) => clearTimeout(timer as number),
  };
  return new DraftSync(place, store, server, clock, (state) => states.push(state));
}

beforeEach(() => {
  localStorage.clear();
  vi.useFakeTimers();
  server = new FakeServer();
  store = new DraftStore(localStorage);
  states = [];
});

describe("a draft", () => {
  it("is written here before the key press is over", () => {
    draftSync().change(answer("a"));
    expect(JSON.parse(localStorage.getItem(storageKey(place)) ?? "").answer.comment).toBe("a");
  });

  it("is on the server within half a second, once for a burst", async () => {
    const saved = vi.spyOn(server, "save");
    const drafts = draftSync();
    for (const text of ["a", "ab", "abc"]) drafts.change(answer(text));
    await vi.advanceTimersByTimeAsync(500);
    expect([saved.mock.calls.length, server.draft?.comment, states.at(-1)?.kind]).toEqual([1, "abc", "saved"]);
  });

  it("leaves no text here once the server has it", async () => {
    draftSync().change(answer("private"));
    await vi.advanceTimersByTimeAsync(500);
    expect(localStorage.getItem(storageKey(place))).not.toContain("private");
  });

  it("counts the server's versions", async () => {
    const drafts = draftSync();
    drafts.change(answer("a"));
    await vi.advanceTimersByTimeAsync(500);
    drafts.change(answer("b"));
    await vi.advanceTimersByTimeAsync(500);
    expect([server.draft?.comment, server.draft?.version]).toEqual(["b", 2]);
  });

  it("sends what was typed while the last one was on its way", async () => {
    const drafts = draftSync();
    drafts.change(answer("a"));
    const sending = drafts.send();
    drafts.change(answer("ab"));
    await sending;
    await vi.advanceTimersByTimeAsync(1000);
    expect([server.draft?.comment, states.at(-1)?.kind]).toEqual(["ab", "saved"]);
  });

  it("is no conflict with itself when the server took it and its answer was lost", async () => {
    server.answerLost = true;
    const drafts = draftSync();
    drafts.change(answer("a"));
    await vi.advanceTimersByTimeAsync(500);
    drafts.change(answer("ab"));
    server.answerLost = false;
    await vi.advanceTimersByTimeAsync(2000);
    expect([server.draft?.comment, states.at(-1)?.kind, states.some(({ kind }) => kind === "conflict")]).toEqual([
      "ab",
      "saved",
      false,
    ]);
  });

  it("is no conflict with itself after a reload either", async () => {
    server.answerLost = true;
    const drafts = draftSync();
    drafts.change(answer("a"));
    await vi.advanceTimersByTimeAsync(500);
    drafts.change(answer("ab"));
    drafts.close();
    server.answerLost = false;
    expect(draftSync().begin(server.draft)?.comment).toBe("ab");
    await vi.advanceTimersByTimeAsync(2000);
    expect([server.draft?.comment, states.some(({ kind }) => kind === "conflict")]).toEqual(["ab", false]);
  });

  it("is committed although the answer to its last save was lost", async () => {
    server.answerLost = true;
    const drafts = draftSync();
    drafts.change(answer("a"));
    await vi.advanceTimersByTimeAsync(500);
    server.answerLost = false;
    const commit = drafts.commit({ ...body, ...answer("a") });
    await vi.advanceTimersByTimeAsync(2000);
    await commit;
    expect([server.commits.get("k1")?.version, states.some(({ kind }) => kind === "conflict")]).toEqual([1, false]);
  });

  it("waits for a dead server and says so", async () => {
    server.down = offline();
    draftSync().change(answer("a"));
    await vi.advanceTimersByTimeAsync(500);
    expect(states.at(-1)).toMatchObject({ kind: "here", reason: "The server does not answer." });
    server.down = null;
    await vi.advanceTimersByTimeAsync(20_000);
    expect([server.draft?.comment, states.at(-1)?.kind]).toEqual(["a", "saved"]);
  });

  it("survives a reload and a lost sign-in", async () => {
    server.down = new ApiError(401, "signed_out", "You are signed out.");
    draftSync().change(answer("kept"));
    await vi.advanceTimersByTimeAsync(500);
    server.down = null;
    const after = draftSync();
    expect(after.begin(null)?.comment).toBe("kept");
    await vi.advanceTimersByTimeAsync(500);
    expect(server.draft?.comment).toBe("kept");
  });

  it("is kept in memory and reported where the browser keeps nothing", async () => {
    vi.spyOn(Storage.prototype, "setItem").mockImplementation(() => {
      throw new DOMException("full", "QuotaExceededError");
    });
    server.down = offline();
    draftSync().change(answer("a"));
    await vi.advanceTimersByTimeAsync(500);
    expect(states.at(-1)).toMatchObject({
      kind: "here",
      reason: "This browser keeps nothing. The server does not answer.",
    });
  });
});

describe("two versions", () => {
  async function conflict(): Promise<DraftSync> {
    const drafts = draftSync();
    drafts.begin(null);
    server.draft = { ...answer("theirs"), version: 3, saved_at: "2026-11-23T14:30:00Z" };
    drafts.change(answer("mine"));
    await vi.advanceTimersByTimeAsync(500);
    return drafts;
  }

  it("are both kept and shown", async () => {
    await conflict();
    expect(states.at(-1)).toMatchObject({ kind: "conflict", own: { comment: "mine" }, other: { comment: "theirs" } });
    expect(server.draft?.comment).toBe("theirs");
  });

  it("send nothing until the reader has chosen", async () => {
    const drafts = await conflict();
    drafts.change(answer("mine, more"));
    await vi.advanceTimersByTimeAsync(5000);
    expect(server.draft?.comment).toBe("theirs");
  });

  it("mine goes over the server's", async () => {
    const drafts = await conflict();
    drafts.choose("own");
    expect(server.aside.map((left) => left.comment)).toEqual(["theirs"]);
    await vi.advanceTimersByTimeAsync(500);
    expect([server.draft?.comment, server.draft?.version]).toEqual(["mine", 4]);
  });

  it("the server's replaces mine", async () => {
    const drafts = await conflict();
    expect(drafts.choose("other").comment).toBe("theirs");
    expect(store.read(place)?.answer).toBeUndefined();
  });

  it("that say the same in another order of fields are no conflict", () => {
    const own = { ...answer("a"), findings: { ...answer("a").findings, keyframes: [{ sop_uid: "1", frame: 2 }] } };
    store.write({ place, base: 1, at: "2026-11-23T14:35:02Z", answer: own });
    const findings = {
      ...Object.fromEntries(Object.entries(own.findings).reverse()),
      keyframes: [{ frame: 2, sop_uid: "1" }],
    } as unknown as Answer["findings"];
    draftSync().begin({ findings, comment: "a", version: 2, saved_at: null });
    expect(states.at(-1)?.kind).not.toBe("conflict");
  });

  it("that say the same are no conflict", () => {
    draftSync().change(answer("same"));
    const after = draftSync();
    after.begin({ ...answer("same"), version: 5, saved_at: null });
    expect(after.state.kind).toBe("here");
  });
});

describe("a commit", () => {
  it("is written down before it is sent and gone once answered", async () => {
    const sending = draftSync().commit(body);
    expect(store.read(place)?.commit?.idempotency_key).toBe("k1");
    await expect(sending).resolves.toEqual({ next: null });
    expect(store.unsent("annotator", null)).toEqual([]);
  });

  it("waits for a draft on its way and carries its version", async () => {
    const drafts = draftSync();
    drafts.change(answer("a"));
    const draft = drafts.send();
    await drafts.commit(body);
    await draft;
    expect(server.commits.get("k1")?.version).toBe(1);
  });

  it("whose answer was lost is sent again with the same key, and counts once", async () => {
    server.answerLost = true;
    const sending = draftSync().commit(body);
    await vi.advanceTimersByTimeAsync(100);
    server.answerLost = false;
    await vi.advanceTimersByTimeAsync(3000);
    await expect(sending).resolves.toEqual({ next: null });
    expect(server.commits.size).toBe(1);
  });

  it("that never got out is found after a reload", async () => {
    server.down = offline();
    void draftSync().commit(body);
    await vi.advanceTimersByTimeAsync(100);
    server.down = null;
    const after = draftSync();
    after.begin(null);
    expect(after.unsentCommit?.idempotency_key).toBe("k1");
    await after.resume();
    expect([...server.commits.keys()]).toEqual(["k1"]);
  });

  it("that the server refuses leaves the draft", async () => {
    server.down = new ApiError(400, "invalid", "No such frame.");
    await expect(draftSync().commit(body)).rejects.toThrow("No such frame.");
    expect(store.read(place)).toMatchObject({ answer: { comment: "done" } });
    expect(store.read(place)?.commit).toBeUndefined();
  });
});

describe("a slow server", () => {
  it("is sent one draft at a time, however many changes wait for its answer", async () => {
    const drafts = draftSync();
    drafts.begin(null);
    const save = server.save.bind(server);
    let atOnce = 0;
    let most = 0;
    server.save = async (to, sent) => {
      atOnce += 1;
      most = Math.max(most, atOnce);
      await new Promise((resolve) => setTimeout(resolve, 5));
      return save(to, sent).finally(() => (atOnce -= 1));
    };
    const flushes = ["a", "b", "c"].map((text) => {
      drafts.change(answer(text));
      return drafts.send();
    });
    await vi.advanceTimersByTimeAsync(2000);
    await Promise.all(flushes);
    expect([most, states.some(({ kind }) => kind === "conflict"), server.draft?.comment]).toEqual([1, false, "c"]);
  });
});

describe("replay", () => {
  const other: Place = { user: "annotator", study: "9.9", context: "triage" };

  it("sends what other studies owe and leaves the open one alone", async () => {
    store.write({ place: other, base: 0, at: "2026-11-23T14:00:00Z", answer: answer("owed") });
    store.write({ place, base: 0, at: "2026-11-23T14:00:00Z", answer: answer("open") });
    expect(await sendUnsent(store, server, "annotator", place)).toBe(1);
    expect([server.draft?.comment, store.read(other), store.read(place)?.answer?.comment]).toEqual([
      "owed",
      null,
      "open",
    ]);
  });

  it("never sends another person's", async () => {
    store.write({
      place: { ...other, user: "somebody" },
      base: 0,
      at: "2026-11-23T14:00:00Z",
      answer: answer("not mine"),
    });
    expect(await sendUnsent(store, server, "annotator", null)).toBe(0);
  });

  it("keeps what the server refuses for when the study is opened", async () => {
    server.draft = { ...answer("theirs"), version: 4, saved_at: null };
    store.write({ place: other, base: 0, at: "2026-11-23T14:00:00Z", answer: answer("mine") });
    await sendUnsent(store, server, "annotator", null);
    expect(store.read(other)?.answer?.comment).toBe("mine");
  });

  it("that never hears the answer is known as one's own when the study is opened", async () => {
    store.write({ place, base: 0, at: "2026-11-23T14:00:00Z", answer: answer("mine") });
    server.answerLost = true;
    await sendUnsent(store, server, "annotator", null);
    server.answerLost = false;
    const drafts = draftSync();
    drafts.begin(null);
    drafts.change(answer("mine, and more"));
    await drafts.send();
    await drafts.send();
    expect([states.some(({ kind }) => kind === "conflict"), server.draft?.comment]).toEqual([false, "mine, and more"]);
  });

  it("forgets what was confirmed a month ago", () => {
    store.write({ place, base: 2, at: "2026-01-01T00:00:00Z" });
    store.removeOld(new Date("2026-11-23T00:00:00Z"));
    expect(store.read(place)).toBeNull();
  });
});

describe("two tabs that are offline", () => {
  const tab = (name: string, text: string, at: string) =>
    new DraftStore(localStorage, name).write({ place, base: 0, at, answer: answer(text) });

  function draftSyncOf(name: string): DraftSync {
    const clock = {
      now: () => new Date("2026-11-23T14:35:02Z"),
      setTimeout: (run: () => void, ms: number) => setTimeout(run, ms),
      clearTimeout: (timer: unknown) => clearTimeout(timer as number),
    };
    return new DraftSync(place, new DraftStore(localStorage, name), server, clock, (state) => states.push(state));
  }

  it("do not write over each other", () => {
    tab("one", "first", "2026-11-23T14:00:00Z");
    tab("two", "second", "2026-11-23T14:01:00Z");
    expect(["one", "two"].map((name) => new DraftStore(localStorage, name).read(place)?.answer?.comment)).toEqual([
      "first",
      "second",
    ]);
  });

  it("leave both versions to a third, whose reader chooses; the other goes to the server too", async () => {
    tab("one", "first", "2026-11-23T14:00:00Z");
    tab("two", "second", "2026-11-23T14:01:00Z");
    const drafts = draftSyncOf("three");
    expect(drafts.begin(null)?.comment).toBe("second");
    expect(states.at(-1)).toMatchObject({
      kind: "conflict",
      own: { comment: "second" },
      other: { comment: "first" },
    });
    expect(drafts.choose("other").comment).toBe("first");
    await vi.advanceTimersByTimeAsync(1000);
    expect([server.draft?.comment, server.aside.map((left) => left.comment)]).toEqual(["first", ["second"]]);
    expect(new DraftStore(localStorage, "four").otherTabs(place, answer("first"))).toEqual([]);
  });

  it("that say the same are no conflict", () => {
    tab("one", "same", "2026-11-23T14:00:00Z");
    tab("two", "same", "2026-11-23T14:01:00Z");
    const drafts = draftSyncOf("three");
    drafts.begin(null);
    expect(drafts.state.kind).toBe("here");
  });

  it("a tab with nothing of its own takes what a closed one owes", () => {
    new DraftStore(localStorage, "two").write({ place, base: 0, at: "2026-11-23T15:00:00Z" });
    tab("one", "owed", "2026-11-23T14:00:00Z");
    expect(draftSyncOf("two").begin(null)?.comment).toBe("owed");
  });
});
