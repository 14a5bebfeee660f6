/** The study bar: the patient, the claim and the score, or the place in the queue and the blinding. */

import { type Child, fill, h, icon, person, s } from "../common/dom";
import { flagSign } from "../common/flag";
import { clock, date as day, grams, number, probability, weeks } from "../common/format";
import { readableName } from "../common/person-name";
import type { Study } from "../viewer/types";
import type { Claim, LabelQueue, Score } from "./types";

const BLIND = "M1 7s2.2-3.8 6-3.8S13 7 13 7s-2.2 3.8-6 3.8S1 7 1 7ZM2 12.5 12 1.5";

function fact(name: string, value: string | number | null, extra = ""): HTMLElement | null {
  return value === null ? null : h("span", { class: extra || null }, `${name} `, h("b", {}, value));
}

function facts(study: Study, full: boolean): HTMLElement {
  return h(
    "div",
    { class: "facts" },
    fact("GA", weeks(study.patient.gestational_age_days)),
    fact("Day", study.day_of_life),
    fact("PMA", weeks(study.postmenstrual_age_days)),
    full ? fact("Birth", grams(study.patient.birth_weight_g), "hide-s") : null,
  );
}

function backLink(href: string, word: string, label: string): HTMLElement {
  return h(
    "a",
    { class: "btn btn-quiet", href },
    h("kbd", { class: "word", "aria-hidden": "true" }, "Esc"),
    h("span", { "aria-hidden": "true" }, word),
    h("span", { class: "vh" }, label),
  );
}

function priority(study: Study): HTMLElement | null {
  if (study.priority === "routine") return null;
  return h(
    "span",
    { class: study.priority === "stat" ? "badge stat" : "badge diff" },
    study.priority === "stat" ? "STAT" : "Urgent",
  );
}

function identityLink(note: NonNullable<Study["identity"]>, name: string): Child {
  const text = [note.short, readableName(name)].filter(Boolean).join(": ");
  return note.url ? h("a", { class: "plain", href: note.url }, text) : text;
}

export class RoomBar {
  readonly element: HTMLElement;
  private readonly flag = h("span", { class: "line", "data-flag": "" });
  private readonly claimed = h("span", { class: "small dim hide-s" });
  private readonly note = h("span", { class: "small dim" });

  constructor(study: Study) {
    const name = study.patient.patient_id || "no ID";
    this.element = h(
      "div",
      { class: "studybar" },
      backLink("/", "List", "Back to the worklist"),
      h("h1", { class: "id" }, study.patient.url ? h("a", { href: study.patient.url, class: "plain" }, name) : name),
      study.identity
        ? h(
            "span",
            { class: "who-is", title: study.identity.text, "data-identity": "" },
            icon("warn"),
            identityLink(study.identity, study.patient.name),
          )
        : null,
      study.phantom ? h("span", { class: "badge", title: "A generated study of nobody" }, "Phantom") : null,
      facts(study, true),
      priority(study),
      this.flag,
      person()?.role === "admin"
        ? h("a", { class: "link small", href: `/studies/${study.study_uid}/history/` }, "History")
        : null,
      h("div", { class: "right" }, this.claimed, this.note),
    );
  }

  drawScore(score: Score | null): void {
    if (score?.state === "blinded")
      return fill(this.flag, h("span", { class: "dim" }, "AI hidden: you label this study in a queue"));
    const value = probability(score?.probability);
    const known = score !== null;
    const demo = score?.model?.demo_warning
      ? h("span", { class: "badge", title: score.model.demo_warning }, "Demo model")
      : null;
    fill(
      this.flag,
      known ? flagSign({ flag: score.flag, receiving: false }) : null,
      known && value ? h("span", { class: "strong num" }, value) : null,
      known ? demo : null,
    );
  }

  drawClaim(claim: Claim["claimed_by"]): void {
    this.claimed.textContent = claim
      ? `Claimed by ${claim.you ? "you" : claim.display} ${clock(claim.since) ?? ""}`
      : "";
  }

  say(...content: Child[]): void {
    fill(this.note, ...content);
  }

  committed(at: string): void {
    this.say(h("span", { class: "ok small" }, icon("ok"), `Committed ${clock(at, true) ?? ""}`));
  }

  close(): void {
    fill(this.flag);
  }
}

export class QueueBar {
  readonly element: HTMLElement;
  private readonly seconds = h("span", { class: "num" });
  private readonly timer: number;

  private readonly blinding = h("span", {});

  constructor(study: Study, queue: LabelQueue, home: string, blinding: string) {
    this.say(blinding);
    const why = queue.item?.why ?? "";
    const pace = queue.pace_per_hour ? `pace ${number(3600 / queue.pace_per_hour)} s` : "";
    const eye = s("svg", { class: "eye", viewBox: "0 0 14 14", "aria-hidden": "true" }, s("path", { d: BLIND }));
    this.element = h(
      "div",
      { class: "studybar" },
      backLink(home, "Leave", "Leave the queue"),
      h("h1", { class: "id" }, queue.name ?? "Label queue"),
      h(
        "span",
        { class: "num nowrap", "data-progress": "" },
        h("b", { class: "strong" }, queue.position),
        ` of ${queue.total}`,
      ),
      queue.deadline
        ? h("span", { class: "dim nowrap hide-s", "data-deadline": "" }, `· by ${day(queue.deadline) ?? ""}`)
        : null,
      // Without an address of its own it is a stand-in: whose study it is stays unsaid.
      study.patient.url
        ? null
        : h("span", { class: "dim nowrap", "data-stand-in": "" }, `· ${study.patient.patient_id}`),
      why ? h("span", { class: "dim cut why", title: why }, `· why: ${why}`) : null,
      facts(study, false),
      h(
        "div",
        { class: "right small dim" },
        h("span", { class: "ok" }, eye, this.blinding),
        this.seconds,
        h("span", { class: "num hide-s" }, pace),
      ),
    );
    const began = Date.now();
    this.timer = window.setInterval(
      () => (this.seconds.textContent = `${number((Date.now() - began) / 1000)} s`),
      1000,
    );
  }

  /** Show what is hidden from the reader. */
  say(blinding: string): void {
    this.blinding.textContent = blinding;
  }

  close(): void {
    window.clearInterval(this.timer);
  }
}
