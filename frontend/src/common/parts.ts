/** Parts that many pages are made of: cards, key figures, pairs of name and value, messages, scrolling regions. */

import { type Child, h, icon } from "./dom";

export interface CardHeader {
  title: string;
  /** Small text beside the title. */
  note?: string | undefined;
  /** What is at the right end of the header. */
  right?: Child[];
  /** Level of the heading. */
  level?: "h2" | "h3";
}

/** A section with a header above its content. */
export function card({ title, note, right, level = "h2" }: CardHeader, ...content: Child[]): HTMLElement {
  return h(
    "section",
    { class: "card" },
    h(
      "header",
      {},
      h(level, { class: "h2" }, title),
      note ? h("span", { class: "dim small" }, note) : null,
      right ? h("div", { class: "right" }, ...right) : null,
    ),
    ...content,
  );
}

/** A large figure with its label above and a note beside it; null is unknown. */
export function keyFigure(label: string, value: string | null, note: string): HTMLElement {
  return h(
    "div",
    {},
    h("p", { class: "label" }, label),
    h("p", { class: "v" }, h("b", { class: "big" }, value ?? "–"), h("span", {}, note)),
  );
}

/** One pair of a description list. */
export function pair(name: string, value: Child): Child[] {
  return [h("dt", {}, name), h("dd", {}, value)];
}

/** One pair of a description list whose value is a number. */
export function numberPair(name: string, value: Child): Child[] {
  return [h("dt", {}, name), h("dd", { class: "num" }, value)];
}

/** A message of something that failed, announced at once. */
export function errorMessage(text: string): HTMLElement {
  return h("p", { class: "message", role: "alert" }, icon("bad"), text);
}

/** That a number stands for several infants, or that it is asked who it is; an admin finds the question there. */
export function identityNotice(note: { text: string; url: string | null } | null): HTMLElement | null {
  if (!note) return null;
  const link = note.url ? h("a", { class: "link nowrap", href: note.url }, "Answer the question") : null;
  return h("p", { class: "notice identity" }, icon("info"), h("span", {}, note.text, " ", link));
}

/** A box that scrolls and can be reached by keyboard, as WCAG asks of scrolling regions. */
export function scrollRegion(style: string, label: string, ...content: Child[]): HTMLElement {
  return h("div", { class: style, tabindex: 0, role: "region", "aria-label": label }, ...content);
}
