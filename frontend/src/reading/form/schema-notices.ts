/** Notices for a reader whose form has changed during the read, and facts about the device. */

import { h, icon } from "../../common/dom";
import type { Carried } from "../types";

/** An admin has changed the form since the reader began. */
export function schemaChangedNotice(began: string, now: string, goOn: () => void): HTMLElement {
  const button = h("button", { class: "btn", type: "button", onclick: goOn }, "Go on in the new form");
  return h(
    "div",
    { class: "notice", role: "note", "data-schema-changed": "" },
    icon("info"),
    h("span", {}, `The form has changed since you began (${began}, now ${now}). Your draft is kept as it is. `, button),
  );
}

/** After the change: what of the older answer has no place in the new form. */
export function leftOutNotice(began: string, now: string, leftOut: Carried["left_out"]): HTMLElement {
  const items = leftOut.map(({ title, said: answer }) => h("li", {}, `${title}: `, h("b", {}, answer)));
  const rest = leftOut.length
    ? ["This has no place in it, and is kept beside your read:", h("ul", {}, ...items)]
    : ["All of it fits."];
  return h(
    "div",
    { class: "notice", role: "note", "data-left-out": leftOut.length },
    icon("info"),
    h(
      "div",
      {},
      `You began in ${began}; the form is now ${now}. What fits of your answer was filled in. `,
      ...rest,
      " Look it over, then commit.",
    ),
  );
}

export function deviceFacts(): Record<string, string | number> {
  return {
    screen: `${screen.width}x${screen.height}`,
    window: `${innerWidth}x${innerHeight}`,
    pixel_ratio: devicePixelRatio,
  };
}

/** The read was committed before, and is open for changes. */
export function reopenedNotice(): HTMLElement {
  return h(
    "p",
    { class: "notice", "data-reopened": "" },
    icon("info"),
    h("span", {}, "You committed this read. It counts as it is until you change something."),
  );
}
