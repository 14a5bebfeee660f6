import { beforeEach, describe, expect, it } from "vitest";
import { ApiError } from "../../../src/common/api";
import { type Answer, blankForm } from "../../../src/reading/answer/findings";
import type { Place } from "../../../src/reading/draft/draft-store";
import type { DraftServer } from "../../../src/reading/draft/draft-sync";
import { Reopening } from "../../../src/reading/draft/reopening";
import { PAPILE } from "../schemas";

const place: Place = { user: "reader", study: "1.2.3", context: "triage" };
const { findings } = blankForm(false, PAPILE);
const committed: Answer = { findings, comment: "as committed" };
const changed: Answer = { findings, comment: "changed" };

let done: string[];
let refusal: ApiError | null;
let commitRefusals: ApiError[];
const notOpen = () => new ApiError(409, "not_open", "There is no committed read of yours to reopen.");

const server: DraftServer = {
  save: async () => {
    done.push("save");
    return { version: 2, saved_at: "2026-11-23T14:35:02Z" };
  },
  setAside: async () => undefined,
  commit: async () => {
    done.push("commit");
    if (commitRefusals.length) throw commitRefusals.shift();
  },
};

function reopening(counts = true): Reopening {
  return new Reopening(committed, counts, {
    reopen: async () => {
      done.push("reopen");
      if (refusal) throw refusal;
    },
    restore: async () => void done.push("restore"),
  });
}

beforeEach(() => {
  [done, refusal, commitRefusals] = [[], null, []];
});

describe("a committed read that is opened again", () => {
  it("stays committed when it is left unchanged", async () => {
    await reopening().leave(committed);
    expect(done).toEqual([]);
  });
  it("is a draft from the first change on, once", async () => {
    const drafts = reopening().before(server);
    await drafts.save(place, { ...changed, version: 1 });
    await drafts.save(place, { ...changed, version: 2 });
    expect(done).toEqual(["reopen", "save", "save"]);
  });
  it("stays committed when what is saved says the same", async () => {
    const saved = await reopening()
      .before(server)
      .save(place, { ...committed, version: 4 });
    expect([done, saved.version]).toEqual([[], 4]);
  });
  it("is made a draft for another commit", async () => {
    commitRefusals = [notOpen()];
    await reopening()
      .before(server)
      .commit(place, { ...changed, version: 1 } as never);
    expect(done).toEqual(["commit", "reopen", "commit"]);
  });
  it("is not made a draft for a commit that had arrived", async () => {
    await reopening()
      .before(server)
      .commit(place, { ...changed, version: 1 } as never);
    expect(done).toEqual(["commit"]);
  });
  it("counts again when the change was taken back", async () => {
    const opened = reopening();
    await opened.before(server).save(place, { ...changed, version: 1 });
    await opened.leave({ ...committed });
    expect(done).toEqual(["reopen", "save", "restore"]);
  });
  it("does not count with a change that was not committed", async () => {
    const opened = reopening();
    await opened.before(server).save(place, { ...changed, version: 1 });
    await opened.leave(changed);
    expect(done).toEqual(["reopen", "save"]);
  });
  it("counts again when it was a draft before, and was left as committed", async () => {
    await reopening(false).leave(committed);
    expect(done).toEqual(["restore"]);
  });
  it("goes on where another tab has reopened it", async () => {
    refusal = notOpen();
    await reopening()
      .before(server)
      .save(place, { ...changed, version: 1 });
    expect(done).toEqual(["reopen", "save"]);
  });
  it("saves nothing while the server cannot reopen it, and asks again", async () => {
    const drafts = reopening().before(server);
    refusal = new ApiError(0, "offline", "The server does not answer.");
    await expect(drafts.save(place, { ...changed, version: 1 })).rejects.toThrow();
    refusal = null;
    await drafts.save(place, { ...changed, version: 1 });
    expect(done).toEqual(["reopen", "reopen", "save"]);
  });
});
