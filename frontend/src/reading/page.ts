/** The page around the reading: which study it opens, and how it goes from one to the next without a reload. */

import { ApiError, api, reason } from "../common/api";
import { fill, h, byId, pageConfig, person } from "../common/dom";
import { loadScreens } from "../viewer/viewer";
import { replay } from "./drafts";
import type { Mode } from "./form";
import { type Previous, Session, type Target, server, shelf, targetOf } from "./session";
import type { LabelQueue } from "./types";

interface Config {
  study_uid?: string;
  item?: number | { id: number };
}

const HOME: Record<Mode, string> = { room: "/", queue: "/label/" };

function itemIn(config: Config): number | undefined {
  const given = typeof config.item === "object" ? config.item.id : config.item;
  return given ?? (Number(/\/label\/(\d+)\//.exec(location.pathname)?.[1]) || undefined);
}

async function firstTarget(mode: Mode): Promise<Target | null> {
  const config = pageConfig<Config>({});
  const study = config.study_uid ?? /\/studies\/([\d.]+)\//.exec(location.pathname)?.[1];
  const item = itemIn(config);
  if (study) return { mode, study, ...(item === undefined ? {} : { item }) };
  const queue = await api.get<LabelQueue>(`/api/v1/label-queue/?item=${item ?? ""}`);
  return queue.item ? targetOf(queue.item, mode) : null;
}

function addressOf(target: Target): string {
  return target.mode === "queue" ? `/label/${target.item ?? ""}/` : `/studies/${target.study}/`;
}

class Page {
  private session: Session | null = null;
  private readonly main = byId("main");
  private readonly user = person()?.username ?? "";

  constructor(private readonly mode: Mode) {}

  async start(): Promise<void> {
    void loadScreens();
    window.addEventListener("pagehide", () => this.session?.leave());
    window.addEventListener("popstate", () => location.reload());
    shelf.tidy(new Date());
    try {
      const target = await firstTarget(this.mode);
      if (target) await this.open(target, null);
      else this.nothing();
    } catch (error) {
      this.fail(error);
    }
    const place = this.session?.target;
    void replay(shelf, server, this.user, place ? { user: this.user, study: place.study, context: this.mode === "queue" ? "queue" : "triage", ...(place.item === undefined ? {} : { item: place.item }) } : null);
  }

  private async open(target: Target, previous: Previous | null): Promise<void> {
    this.session?.close();
    this.main.setAttribute("aria-busy", "true");
    const session = new Session(target, { main: this.main, user: this.user, previous, go: (next, last) => this.go(next, last) });
    this.session = session;
    await session.open();
  }

  private go(target: Target | null, previous: Previous | null): void {
    if (!target) {
      if (this.mode === "queue" && previous) this.finished(previous);
      else location.assign(HOME[this.mode]);
      return;
    }
    const address = addressOf(target);
    if (address !== location.pathname) history.pushState(null, "", address);
    this.open(target, previous).catch((error: unknown) => this.fail(error));
  }

  private finished(previous: Previous): void {
    this.session?.close();
    this.session = null;
    const undo = h("button", { class: "btn", type: "button", onclick: () => this.go({ ...previous.target, reopen: true }, null) }, "Reopen the last one");
    this.message("The queue is done", [`${previous.text}. Every study in it has your answer.`, "New ones appear here when they are added."], [undo]);
  }

  private nothing(): void {
    this.message("Nothing to label", ["Your queue is empty. New studies appear here when they are added."], []);
  }

  private fail(error: unknown): void {
    const missing = error instanceof ApiError && error.status === 404;
    const title = missing ? "There is nothing here that you can open" : "This study could not be opened";
    this.message(title, [missing ? "It may not exist, or it may not be yours to see." : reason(error), "Nothing that you typed is lost."], [h("button", { class: "btn", type: "button", onclick: () => location.reload() }, "Try again")]);
  }

  private message(title: string, sentences: string[], actions: HTMLElement[]): void {
    const home = h("a", { class: "btn btn-primary", href: HOME[this.mode] }, this.mode === "queue" ? "Back to the queue" : "Back to the list");
    fill(this.main, h("div", { class: "empty whole" }, h("h1", { class: "h1" }, title), ...sentences.map((text) => h("p", {}, text)), h("p", { class: "line" }, home, ...actions)));
    this.main.removeAttribute("aria-busy");
    document.documentElement.dataset["viewerReady"] = "none";
  }
}

export function start(mode: Mode): void {
  void new Page(mode).start();
}
