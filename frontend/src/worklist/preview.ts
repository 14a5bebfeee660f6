/** The selected study beside the list: enough to choose by, captioned as no more than that. */

import { type Child, cap, fill, h, icon, known } from "../common/dom";
import { flagSign } from "../common/flag";
import { duration, grams, number, probability, weeks, when } from "../common/format";
import { identityNotice, pair } from "../common/parts";
import { readableName } from "../common/person-name";
import { demoWarning } from "./rows";
import type { Row } from "./types";

function facts(row: Row): string {
  const age = weeks(row.gestational_age_days);
  const now = weeks(row.postmenstrual_age_days);
  return [
    age ? `${age} weeks` : "gestational age unknown",
    row.day_of_life === null ? "day of life unknown" : `day ${row.day_of_life}`,
    now ? `now ${now}` : null,
    row.birth_weight_g === null ? "birth weight unknown" : `${grams(row.birth_weight_g)} at birth`,
  ]
    .filter(Boolean)
    .join(" · ");
}

function pictures(row: Row): Child {
  const [first, ...others] = row.thumbnails;
  if (!first) return h("p", { class: "dim" }, "No picture of this study can be shown.");
  const image = (url: string, props: Record<string, string>) => {
    const element = h("img", { src: url, ...props });
    element.addEventListener(
      "error",
      () => element.replaceWith(h("p", { class: "small dim" }, "This picture cannot be shown.")),
      { once: true },
    );
    return element;
  };
  return [
    image(first, { class: "preview-image", alt: "First clip of the study" }),
    others.length ? h("div", { class: "thumbs" }, ...others.slice(0, 4).map((url) => image(url, { alt: "" }))) : null,
    h("p", { class: "small dimmer" }, "Preview. Not for diagnostic use, for prioritization only."),
  ];
}

function details(row: Row): HTMLElement {
  const knownPair = (name: string, value: string | null): Child => pair(name, known(value));
  return h(
    "dl",
    { class: "kv" },
    knownPair("Acquired", when(row.acquired_at)),
    knownPair("Last image came", when(row.last_image_at)),
    knownPair("Last image to flag", duration(row.last_image_to_flag_seconds)),
    knownPair("Clips", `${number(row.clips)} (${number(row.frames)} frames)`),
    knownPair("Model", row.model ? `${row.model.name}, revision ${row.revision ?? 1}` : null),
    row.phantom ? knownPair("Kind", "phantom, generated") : null,
  );
}

export function showPreview(panel: HTMLElement, row: Row | null, showProbability: boolean, open: () => void): void {
  if (!row) {
    fill(panel, h("p", { class: "dim" }, "Select a study to see it here."));
    return;
  }
  const warning = demoWarning(row);
  const value = showProbability ? probability(row.probability) : null;
  fill(
    panel,
    h(
      "div",
      { class: "line" },
      h("h2", { class: "h2" }, row.patient_id || "no ID"),
      h(
        "span",
        { class: "right" },
        flagSign(row, "Not scored yet"),
        value ? h("span", { class: "strong" }, value) : null,
      ),
    ),
    row.patient_name ? h("p", {}, readableName(row.patient_name)) : null,
    identityNotice(row.identity),
    h("p", { class: "dim" }, facts(row)),
    warning ? h("p", { class: "notice" }, icon("info"), warning) : null,
    row.flag === "not_analysed"
      ? h("p", { class: "notice" }, icon("info"), `Not analysed: ${row.flag_reason || "no reason given"}`)
      : null,
    h("hr", { class: "rule" }),
    pictures(row),
    h("hr", { class: "rule" }),
    details(row),
    h("hr", { class: "rule" }),
    h("h3", { class: "h3" }, "Why it is here"),
    h("p", {}, row.why || "In its place by the reading order."),
    h("hr", { class: "rule" }),
    h(
      "button",
      { class: "btn btn-primary btn-lg btn-wide", type: "button", onclick: open },
      row.status === "read" ? "Open" : "Open and claim",
      cap("Enter"),
    ),
  );
}
