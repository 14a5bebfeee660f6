/** What a queue would hold and ask of its readers, and the lines that cannot be taken. */

import { dataTable } from "../common/charts";
import { type Child, h, icon } from "../common/dom";
import { count, duration, number } from "../common/format";
import { numberPair, scrollRegion } from "../common/parts";
import type { QueueRequest } from "./form-data";
import type { Plan } from "./types";

/** Seconds for one read, as for a negative study, viewing included. */
const SECONDS_EACH = 25;
const SHOWN = 100;

export function refusedTable(plan: Pick<Plan, "refused" | "refused_total">, leave = true): Child[] {
  if (!plan.refused_total) return [];
  const rows = plan.refused
    .slice(0, SHOWN)
    .map((each) => [each.line || "–", h("span", { class: "mono" }, each.text), each.reason]);
  const more = plan.refused_total - rows.length;
  return [
    h(
      "p",
      { class: "warn" },
      icon("warn"),
      h("span", {}, `${count(plan.refused_total, "study", "studies")} cannot be taken`),
    ),
    scrollRegion(
      "scroll-box",
      "What cannot be taken",
      dataTable("What cannot be taken", [{ label: "Line", num: true }, { label: "Text" }, { label: "Why" }], rows),
    ),
    more > 0 ? h("p", { class: "small dim" }, `and ${number(more)} more`) : null,
    leave
      ? h("label", { class: "check" }, h("input", { type: "checkbox", id: "leave-out" }), "Make it without them")
      : null,
  ];
}

export function planView(plan: Plan, request: QueueRequest): Child[] {
  const share = plan.readers ? Math.ceil(plan.reads / plan.readers) : 0;
  return [
    h(
      "dl",
      { class: "kv" },
      numberPair("Studies", h("span", { class: "strong" }, number(plan.studies))),
      numberPair("Infants", number(plan.patients)),
      numberPair("Gold studies", number(plan.gold)),
      numberPair("Repeats", number(plan.repeats)),
      numberPair("Readers", number(plan.readers)),
      numberPair("Reads in all", number(plan.reads)),
      numberPair(
        "Each reader",
        share ? `about ${number(share)}, ${duration(share * SECONDS_EACH) ?? ""} at ${SECONDS_EACH} s` : "–",
      ),
    ),
    plan.readers < request.readers_per_study && !request.trainee
      ? h(
          "p",
          { class: "warn" },
          icon("warn"),
          `There are ${count(plan.readers, "reader")} for ${request.readers_per_study} reads of each study.`,
        )
      : null,
    ...refusedTable(plan),
  ];
}
