/** Every label queue: how far it is, and whether it will be done in time. */

import type { QueueList } from "../api/schema";
import { api, reason } from "../common/api";
import { dataTable } from "../common/charts";
import { byId, type Child, cap, fill, h, icon } from "../common/dom";
import { subscribe } from "../common/events";
import { count, date, number, when } from "../common/format";
import { bind } from "../common/keys";
import { errorMessage, scrollRegion } from "../common/parts";
import { QUEUES, type Queue } from "./types";

const COLUMNS = [
  { label: "Queue" },
  { label: "Studies", num: true },
  { label: "Readers each", num: true },
  { label: "Reads", num: true },
  { label: "Progress", silent: true },
  { label: "Done by" },
  { label: "Expected" },
  { label: "Made" },
];

export function progressMeter(done: number, total: number, label: string): HTMLElement {
  return h("progress", {
    class: done >= total && total ? "done" : null,
    value: done,
    max: Math.max(1, total),
    "aria-label": label,
  });
}

/** The expected end: a sign and a word, never colour alone. */
export function expectedText(
  queue: Pick<Queue, "active" | "reads_done" | "reads_needed" | "expected_end" | "overdue" | "late">,
): Child {
  if (!queue.active) return "closed";
  if (queue.reads_done >= queue.reads_needed) return h("span", { class: "ok" }, icon("ok"), "done");
  if (queue.overdue) return h("span", { class: "bad" }, icon("bad"), "overdue");
  const at = queue.expected_end ? (date(queue.expected_end) ?? "") : "no pace yet";
  return queue.late ? h("span", { class: "warn strong" }, icon("warn"), `${at}, late`) : at;
}

function marks(queue: Queue): Child[] {
  const badge = (text: string) => h("span", { class: "badge" }, text);
  return [queue.active ? null : badge("closed"), queue.trainee ? badge("trainees") : null]
    .filter(Boolean)
    .flatMap((mark) => [" ", mark]);
}

function row(queue: Queue): Child[] {
  const extras = [queue.gold ? `${queue.gold} gold` : "", queue.repeats ? `${queue.repeats} repeats` : ""]
    .filter(Boolean)
    .join(", ");
  return [
    [h("a", { href: queue.url, "data-queue": "" }, queue.name), ...marks(queue)],
    [number(queue.studies), extras ? h("span", { class: "small dim" }, ` + ${extras}`) : null],
    queue.trainee ? "all" : queue.readers_per_study,
    `${number(queue.reads_done)} of ${number(queue.reads_needed)}`,
    progressMeter(queue.reads_done, queue.reads_needed, `Reads of ${queue.name}`),
    queue.deadline ? (date(queue.deadline) ?? "–") : "–",
    expectedText(queue),
    [
      when(queue.created_at) ?? "–",
      queue.created_by ? h("span", { class: "small dim" }, ` ${queue.created_by}`) : null,
    ],
  ];
}

const links = () => [...document.querySelectorAll<HTMLAnchorElement>("a[data-queue]")];

function move(step: number): void {
  const all = links();
  const at = all.indexOf(document.activeElement as HTMLAnchorElement);
  all[at < 0 ? 0 : Math.max(0, Math.min(all.length - 1, at + step))]?.focus();
}

function show(queues: Queue[]): void {
  const open = queues.filter((queue) => queue.active);
  const at = links().indexOf(document.activeElement as HTMLAnchorElement);
  fill(
    byId("main"),
    h(
      "div",
      { class: "page-head" },
      h("h1", { class: "h1" }, "Label queues"),
      h("span", { class: "dim" }, `${count(open.length, "open queue")}. Readers find theirs under Label.`),
      h(
        "div",
        { class: "right" },
        h("a", { class: "btn btn-primary", href: "/label/queues/new/" }, "New queue ", cap("N")),
      ),
    ),
    queues.length
      ? h(
          "section",
          { class: "card" },
          scrollRegion(
            "body overflow-x",
            "Label queues",
            dataTable("Label queues and their progress", COLUMNS, queues.map(row)),
          ),
        )
      : h(
          "div",
          { class: "empty" },
          h("h2", { class: "h2" }, "No queue yet"),
          h("p", {}, "Make one from a filter, a list of studies, or a strategy."),
        ),
  );
  if (at >= 0) links()[at]?.focus();
  byId("main").removeAttribute("aria-busy");
}

async function load(): Promise<void> {
  try {
    show((await api.get<QueueList>(QUEUES)).results);
  } catch (error) {
    fill(byId("main"), errorMessage(`The queues could not be loaded. ${reason(error)}`));
  }
}

export function startList(): void {
  const group = "Label queues";
  bind({ key: "n", label: "New queue", group, run: () => location.assign("/label/queues/new/") });
  bind({ key: ["j", "ArrowDown"], caps: ["J", "K"], label: "Move", group, run: () => move(1) });
  bind({ key: ["k", "ArrowUp"], label: "Move up", group, bar: false, run: () => move(-1) });
  bind({ key: "Enter", label: "Open", group, run: () => links()[0]?.click() });
  subscribe(["read"], () => void load());
  void load();
}
