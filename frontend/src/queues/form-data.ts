/** The form of a new queue as a request to the API; pure. */

import type { FilterFields, QueueFields } from "../api/schema";
import { wholeNumber } from "../common/format";
import type { Blinding, Rule, Source } from "./types";

/** A new queue as the form asks for it. */
export type QueueRequest = QueueFields & Required<Pick<QueueFields, "readers_per_study">>;

const percent = (text: string) => (wholeNumber(text) ?? 0) / 100;

/** The end of that day in the browser's time zone. */
export function endOfDay(day: string): string | null {
  return day ? new Date(`${day}T23:59:59`).toISOString() : null;
}

function filterOf(form: FormData): FilterFields {
  const text = (name: string) => String(form.get(name) ?? "").trim();
  const mastoid = { yes: true, no: false }[text("mastoid")] ?? null;
  return {
    acquired_from: text("acquired_from") || null,
    acquired_to: text("acquired_to") || null,
    weeks_from: wholeNumber(text("weeks_from")),
    weeks_to: wholeNumber(text("weeks_to")),
    device: text("device"),
    words: text("words"),
    labelled: (text("labelled") || "nobody") as NonNullable<FilterFields["labelled"]>,
    mastoid,
    queued: form.has("queued"),
  };
}

export function queueRequest(form: FormData): QueueRequest {
  const text = (name: string) => String(form.get(name) ?? "").trim();
  const source = text("source") as Source;
  const count = wholeNumber(text("count")) || null;
  const why = text("why");
  return {
    name: text("name"),
    source,
    ...(source === "filter" ? { filter: filterOf(form), count } : {}),
    ...(source === "list" ? { uids: String(form.get("uids") ?? "") } : {}),
    ...(source === "strategy" ? { strategy: text("strategy"), count } : {}),
    ...(why ? { why } : {}),
    readers: form.getAll("reader").map(String),
    readers_per_study: wholeNumber(text("readers_per_study")) ?? 2,
    blinding: text("blinding") as Blinding,
    rule: text("rule") as Rule,
    shuffled: form.has("shuffled"),
    seed: wholeNumber(text("seed")) ?? 1,
    gold: percent(text("gold")),
    repeats: percent(text("repeats")),
    repeat_gap: wholeNumber(text("repeat_gap")) ?? 20,
    trainee: form.has("trainee"),
    identified: form.has("identified"),
    whole_pictures: form.has("whole_pictures"),
    deadline: endOfDay(text("deadline")),
  };
}

/** The bytes of a chosen file as text; null where they are neither UTF-8 nor UTF-16. */
export function decode(bytes: ArrayBuffer): string | null {
  const first = new Uint8Array(bytes.slice(0, 2));
  const wide =
    first[0] === 0xff && first[1] === 0xfe ? "utf-16le" : first[0] === 0xfe && first[1] === 0xff ? "utf-16be" : "utf-8";
  try {
    return new TextDecoder(wide, { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}
