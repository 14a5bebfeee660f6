/** The known answer, shown to a trainee after a commit. */

import { h, icon } from "../common/dom";
import type { Keyframe } from "./answer/findings";
import type { Feedback } from "./types";

export function traineeFeedback(feedback: Feedback, goTo: (keyframe: Keyframe) => void): HTMLElement {
  const verdict = feedback.right
    ? h("p", { class: "ok strong" }, icon("ok"), "Right")
    : h("p", { class: "bad strong" }, icon("bad"), "Not right");
  const known = h(
    "p",
    { class: "dim" },
    `The known answer is ${feedback.positive ? "positive" : "negative"}, by ${feedback.rule.replaceAll("_", " ")}.`,
  );
  const rows = feedback.differences.map((each) =>
    h(
      "tr",
      { class: "d" },
      h("th", { scope: "row" }, each.label),
      h("td", {}, each.yours),
      h("td", { class: "dec" }, each.known),
    ),
  );
  const head = h(
    "tr",
    {},
    h("th", { scope: "col" }, h("span", { class: "vh" }, "Finding")),
    h("th", { scope: "col" }, "You"),
    h("th", { scope: "col" }, "Known"),
  );
  const table = rows.length
    ? h(
        "table",
        { class: "cmp wide" },
        h("caption", { class: "vh" }, "Where your answer differs"),
        h("thead", {}, head),
        h("tbody", {}, ...rows),
      )
    : h(
        "p",
        { class: "dim" },
        feedback.right ? "Nothing that is known differs." : "Which findings are behind it is not known.",
      );
  const frames = feedback.keyframes.map((keyframe) =>
    h("button", { class: "link small", type: "button", onclick: () => goTo(keyframe) }, `frame ${keyframe.frame}`),
  );
  return h(
    "section",
    { class: "stack", "aria-label": "The known answer", "data-lesson": String(feedback.right) },
    verdict,
    known,
    table,
    frames.length ? h("p", { class: "small line" }, h("span", { class: "dim" }, "It shows at"), ...frames) : null,
  );
}
