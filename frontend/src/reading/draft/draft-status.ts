/** The state of the draft in words, and the choice between two versions of it. */

import { hideBanner, showBanner } from "../../common/banner";
import { h } from "../../common/dom";
import { clock } from "../../common/format";
import { type Answer, summary } from "../answer/findings";
import type { DraftState, ServerDraft } from "./draft-sync";

const BANNER = "conflict";

export function hideConflict(): void {
  hideBanner(BANNER);
}

/** The status line below the form. */
export function draftStateText(state: DraftState): string {
  const at = "at" in state ? (clock(state.at, true) ?? "") : "";
  if (state.kind === "empty") return "Drafts are kept as you type";
  if (state.kind === "saved") return `Draft kept ${at}, here and on the server`;
  if (state.kind === "here")
    return state.reason ? `Draft kept ${at} here, not yet on the server: ${state.reason}` : `Draft kept ${at} here`;
  if (state.kind === "committing")
    return state.reason ? `Commit kept ${at} here and sent again: ${state.reason}` : "Committing";
  return "Two versions of this draft: choose one";
}

/** Two versions of one draft: both are shown and the reader chooses. */
export function showConflict(
  own: Answer,
  other: ServerDraft,
  tab: boolean,
  choose: (which: "own" | "other") => void,
): void {
  const words = (answer: Answer) =>
    summary(answer)
      .map(([name, value]) => `${name} ${value}`)
      .join(", ");
  const button = (which: "own" | "other", text: string) =>
    h("button", { class: "btn", type: "button", onclick: () => choose(which) }, text);
  const where = tab ? "In another tab" : "On the server";
  const since = clock(other.saved_at, true) ?? "earlier";
  showBanner({
    name: BANNER,
    title: "This draft was changed elsewhere too. Nothing is lost: choose which one counts.",
    detail: `Here: ${words(own)}. ${where}, ${since}: ${words(other)}.`,
    actions: [button("own", "Keep the one here"), button("other", tab ? "Take the other tab's" : "Take the server's")],
  });
}
