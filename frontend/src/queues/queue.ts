/** One label queue: who has answered how many, and what may still be changed. */

import { polite } from "../common/announce";
import { api, reason } from "../common/api";
import { dataTable } from "../common/charts";
import { ask } from "../common/dialog";
import { byId, type Child, cap, fill, h } from "../common/dom";
import { subscribe } from "../common/events";
import { count, date, duration, number, when } from "../common/format";
import { bind } from "../common/keys";
import { card, errorMessage, pair, scrollRegion } from "../common/parts";
import { expectedText, progressMeter } from "./list";
import { BLINDINGS, type Labeller, QUEUES, type QueueDetail, RULES, wordOf } from "./types";

const COLUMNS = [
  { label: "Reader" },
  { label: "Answered", num: true },
  { label: "Progress", silent: true },
  { label: "Skipped", num: true },
  { label: "Median for one", num: true },
  { label: "Last" },
];

function labellerRow(each: Labeller): Child[] {
  const total = each.total === null ? "" : ` of ${number(each.total)}`;
  return [
    [
      each.display,
      " ",
      h("span", { class: "small dim" }, each.role),
      each.labels_now ? null : h("span", { class: "badge" }, "no longer reads it"),
    ],
    `${number(each.done)}${total}`,
    each.total === null ? "–" : progressMeter(each.done, each.total, `Reads of ${each.display}`),
    number(each.skipped),
    duration(each.median_seconds) ?? "–",
    when(each.last) ?? "–",
  ];
}

function pairs(entries: readonly (readonly [string, Child])[]): HTMLElement {
  return h("dl", { class: "kv" }, ...entries.flatMap(([name, value]) => pair(name, value)));
}

/** What annotators may know of whose pictures they label. */
function disclosed(queue: QueueDetail): string {
  if (queue.identified) return "named to annotators";
  return queue.whole_pictures ? "a stand-in; pictures without a region are shown whole" : "a stand-in; the region only";
}

function facts(queue: QueueDetail): HTMLElement {
  return pairs([
    ["Studies", number(queue.studies)],
    ["Gold studies", queue.gold ? number(queue.gold) : "none"],
    [
      "Repeats",
      queue.repeats
        ? `${number(queue.repeats)}, after ${count(queue.repeat_gap, "other study", "other studies")}`
        : "none",
    ],
    ["Readers per study", queue.trainee ? "all of them" : queue.readers_per_study],
    ["AI and others hidden", wordOf(BLINDINGS, queue.blinding)],
    ["Consensus", queue.trainee ? "none: trainees make no labels" : wordOf(RULES, queue.rule)],
    ["The infant", disclosed(queue)],
    ["Order", queue.shuffled ? `each reader's own, seed ${queue.seed}` : "the same for all"],
    ["Done by", queue.deadline ? (date(queue.deadline) ?? "–") : "no deadline"],
    ["Expected", expectedText(queue)],
    ["Made", `${when(queue.created_at) ?? ""}${queue.created_by ? ` by ${queue.created_by}` : ""}`],
  ]);
}

/** How the queue was made, in the words of the form. */
function originText(queue: QueueDetail): HTMLElement {
  const filters = Object.entries((queue.made_from["filter"] as Record<string, unknown> | undefined) ?? {}).filter(
    ([, value]) => value !== null && value !== "" && value !== false,
  );
  const from = {
    filter: "a filter",
    list: "a list of studies",
    strategy: `the strategy ${String(queue.made_from["strategy"] ?? "")}`,
  }[queue.source];
  const words = filters
    .map(([name, value]) => `${name.replace("labelled", "read by").replaceAll("_", " ")} ${String(value)}`)
    .join(", ");
  return h("p", { class: "small dim" }, `From ${from}${words ? `: ${words}` : ""}.`);
}

class Page {
  private queue: QueueDetail | null = null;

  constructor(private readonly url: string) {}

  async load(): Promise<void> {
    try {
      this.show(await api.get<QueueDetail>(this.url));
    } catch (error) {
      this.problem("The queue could not be loaded.", error);
    }
  }

  private problem(title: string, error: unknown): void {
    const slot = document.getElementById("problem") ?? byId("main");
    fill(slot, errorMessage(`${title} ${reason(error)}`));
  }

  private async change(body: Record<string, unknown>, message: string): Promise<void> {
    try {
      this.show(await api.patch<QueueDetail>(this.url, body));
      polite(message);
    } catch (error) {
      this.problem("Nothing was changed.", error);
    }
  }

  /** Closing takes the studies from the readers; opening it again gives them back. */
  async toggle(): Promise<void> {
    const { queue } = this;
    if (!queue) return;
    if (!queue.active) return this.change({ active: true }, "Opened again");
    const missing = queue.reads_needed - queue.reads_done;
    const body = [
      h(
        "p",
        {},
        missing
          ? `${count(missing, "read")} of ${number(queue.reads_needed)} are still missing. ` +
              "Readers no longer see its studies; what they answered is kept, and drafts too."
          : "Every read is there. What was answered is kept.",
      ),
      h("p", {}, "You can open it again."),
    ];
    const { confirmed } = await ask({ title: `Close ${queue.name}?`, body, confirm: "Close the queue" });
    if (confirmed) await this.change({ active: false }, "Closed");
  }

  private edits(queue: QueueDetail): HTMLElement {
    const each = h("input", { id: "per-study", type: "number", min: 1, max: 20, value: queue.readers_per_study });
    const until = h("input", { id: "until", type: "date", value: queue.deadline?.slice(0, 10) ?? "" });
    const identified = h("input", { id: "identified", type: "checkbox", checked: queue.identified });
    const whole = h("input", { id: "whole-pictures", type: "checkbox", checked: queue.whole_pictures });
    const save = (event: Event) => {
      event.preventDefault();
      const deadline = until.value ? new Date(`${until.value}T23:59:59`).toISOString() : null;
      const open = { identified: identified.checked, whole_pictures: whole.checked };
      void this.change(
        { ...(queue.trainee ? {} : { readers_per_study: Number(each.value) }), deadline, ...open },
        "Saved",
      );
    };
    return h(
      "form",
      { class: "form", onsubmit: save },
      // All trainees read all of it.
      queue.trainee
        ? null
        : h(
            "div",
            { class: "form-row" },
            h("label", { class: "label", for: "per-study" }, "Readers per study"),
            h("span", { class: "inline" }, h("span", { class: "field" }, each)),
          ),
      h(
        "div",
        { class: "form-row" },
        h("label", { class: "label", for: "until" }, "Done by"),
        h("span", { class: "inline" }, h("span", { class: "field" }, until)),
      ),
      h("label", { class: "check", for: "identified" }, identified, "annotators see who the infant is"),
      h("label", { class: "check", for: "whole-pictures" }, whole, "and pictures that name no ultrasound region"),
      h("div", { class: "line" }, h("button", { class: "btn", type: "submit" }, "Save")),
    );
  }

  private show(queue: QueueDetail): void {
    this.queue = queue;
    document.title = `${queue.name} · Fontanelle`;
    const close = h(
      "button",
      { class: queue.active ? "btn" : "btn btn-primary", type: "button", onclick: () => void this.toggle() },
      queue.active ? "Close the queue " : "Open again ",
      cap("C"),
    );
    const body = queue.people.length
      ? dataTable("Readers and their progress", COLUMNS, queue.people.map(labellerRow))
      : h("p", { class: "dim" }, "Nobody labels it yet.");
    fill(
      byId("main"),
      h(
        "div",
        { class: "page-head" },
        h("a", { href: "/label/queues/", class: "dim" }, "Label queues"),
        h("h1", { class: "h1" }, queue.name),
        queue.active ? null : h("span", { class: "badge" }, "closed"),
        h("span", { class: "dim num" }, `${number(queue.reads_done)} of ${count(queue.reads_needed, "read")}`),
        h("div", { class: "right" }, close),
      ),
      h("div", { id: "problem" }),
      h(
        "div",
        { class: "main-side" },
        h(
          "div",
          { class: "side-col" },
          card(
            { title: "Readers", note: queue.open_to_all ? "all annotators and adjudicators" : "named" },
            scrollRegion("body overflow-x", "Readers", body),
          ),
        ),
        h(
          "div",
          { class: "side-col" },
          card({ title: "As it was made" }, h("div", { class: "body stack" }, facts(queue), originText(queue))),
          card({ title: "Change" }, h("div", { class: "body" }, this.edits(queue))),
        ),
      ),
    );
    byId("main").removeAttribute("aria-busy");
  }
}

export function startQueue(id: number): void {
  const page = new Page(`${QUEUES}${id}/`);
  bind({ key: "c", label: "Close or open", group: "Label queue", run: () => void page.toggle() });
  bind({ key: "Escape", label: "All queues", group: "Label queue", run: () => location.assign("/label/queues/") });
  // A form that has the focus is not redrawn.
  subscribe(["read"], () => !byId("main").querySelector("form:focus-within") && void page.load());
  void page.load();
}
