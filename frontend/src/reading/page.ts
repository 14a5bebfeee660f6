/** The page around the reading: which study it opens, and how it goes from one to the next without a reload. */

import { ApiError, reason } from "../common/api";
import { byId, fill, h, pageConfig, person } from "../common/dom";
import { loadViewports } from "../viewer/layout/viewport-chunk";
import type { Place } from "./draft/draft-store";
import { sendUnsent } from "./draft/draft-sync";
import { draftServer, draftStore, HOME, type Previous, type Target } from "./read-target";
import { Session } from "./session";

interface Config {
  context?: Place["context"];
  study_uid?: string | null;
  item?: number | null;
  queue?: string | null;
  why?: string;
  position?: number;
  total?: number;
  done?: number;
  deadline?: string | null;
}

/** The target in the page's configuration; null where a queue is empty. */
function firstTarget(config: Config): Target | null {
  if (!config.study_uid) return null;
  const context = config.context ?? "triage";
  if (context === "triage" || !config.item) return { context, study: config.study_uid };
  const item = { id: config.item, study_uid: config.study_uid, url: location.pathname, why: config.why ?? "" };
  const { queue: name = null, position = 0, total = 0, done = 0, deadline = null } = config;
  return {
    context,
    study: config.study_uid,
    item: config.item,
    queue: { name, position, total, done, item, deadline, pace_per_hour: null },
  };
}

function addressOf({ context, study, item }: Target): string {
  return context === "triage" ? `/studies/${study}/` : `${HOME[context]}${item ?? ""}/`;
}

class Page {
  private session: Session | null = null;
  private readonly main = byId("main");
  private readonly user = person()?.username ?? "";

  private readonly config = pageConfig<Config>({});
  private readonly context = this.config.context ?? "triage";

  async start(): Promise<void> {
    void loadViewports();
    window.addEventListener("pagehide", () => this.session?.leave());
    window.addEventListener("popstate", () => location.reload());
    draftStore.removeOld(new Date());
    try {
      const target = firstTarget(this.config);
      if (target) await this.open(target, null);
      else this.nothing();
    } catch (error) {
      this.fail(error);
    }
    void sendUnsent(draftStore, draftServer, this.user, this.session?.place ?? null);
  }

  private async open(target: Target, previous: Previous | null): Promise<void> {
    this.session?.close();
    this.main.setAttribute("aria-busy", "true");
    const session = new Session(target, {
      main: this.main,
      user: this.user,
      previous,
      go: (next, last) => this.go(next, last),
    });
    this.session = session;
    await session.open();
  }

  private go(target: Target | null, previous: Previous | null): void {
    if (!target) {
      if (this.context === "queue" && previous) this.finished(previous);
      else location.assign(HOME[this.context]);
      return;
    }
    const address = addressOf(target);
    // The page of an adjudication carries data of the list of disputes, so it is loaded anew.
    if (target.context === "adjudication") return location.assign(address);
    if (address !== location.pathname) history.pushState(null, "", address);
    this.open(target, previous).catch((error: unknown) => this.fail(error));
  }

  private finished(previous: Previous): void {
    this.session?.close();
    this.session = null;
    const undo = h(
      "button",
      { class: "btn", type: "button", onclick: () => this.go({ ...previous.target, reopen: true }, null) },
      "Reopen the last one",
    );
    this.message(
      "The queue is done",
      [`${previous.text}. Every study in it has your answer.`, "New ones appear here when they are added."],
      [undo],
    );
  }

  private nothing(): void {
    const { done = 0, queue } = this.config;
    if (done)
      this.message(
        "The queue is done",
        [
          `${queue ?? "Your queue"}: every study in it has your answer (${done}).`,
          "New ones appear here when they are added.",
        ],
        [],
      );
    else this.message("Nothing to label", ["Your queue is empty. New studies appear here when they are added."], []);
  }

  private fail(error: unknown): void {
    const missing = error instanceof ApiError && error.status === 404;
    const title = missing ? "There is nothing here that you can open" : "This study could not be opened";
    this.message(
      title,
      [missing ? "It may not exist, or it may not be yours to see." : reason(error), "Nothing that you typed is lost."],
      [h("button", { class: "btn", type: "button", onclick: () => location.reload() }, "Try again")],
    );
  }

  private message(title: string, sentences: string[], actions: HTMLElement[]): void {
    const home = h(
      "a",
      { class: "btn btn-primary", href: HOME[this.context] },
      this.context === "triage" ? "Back to the list" : "Back to the queue",
    );
    fill(
      this.main,
      h(
        "div",
        { class: "empty whole" },
        h("h1", { class: "h1" }, title),
        ...sentences.map((text) => h("p", {}, text)),
        h("p", { class: "line" }, home, ...actions),
      ),
    );
    this.main.removeAttribute("aria-busy");
    document.documentElement.dataset["viewerReady"] = "none";
  }
}

export function start(): void {
  void new Page().start();
}
