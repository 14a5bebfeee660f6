/** The flag of a study as a sign and a word, the same on every page. */

import { h, icon } from "./dom";

export interface Flagged {
  /** Null while there is no score. */
  flag: "suspected" | "not_suspected" | "not_analysed" | null;
  /** Images still come in. */
  receiving?: boolean;
}

/** `unscored` is the word for a study without a score whose images are all there. */
export function flagSign({ flag, receiving }: Flagged, unscored = "Scoring"): HTMLElement {
  if (flag === "suspected") return h("span", { class: "flag sus" }, icon("suspected"), "Suspected");
  if (flag === "not_suspected") return h("span", { class: "flag neg" }, icon("none"), "Not suspected");
  if (flag === "not_analysed") return h("span", { class: "flag na" }, icon("struck"), "Not analysed");
  return h("span", { class: "flag wait" }, icon("dots"), receiving ? "Receiving" : unscored);
}
