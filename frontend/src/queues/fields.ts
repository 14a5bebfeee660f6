/** The fields of a new queue. */

import { type Child, h, s } from "../common/dom";
import { card } from "../common/parts";
import { BLINDINGS, type Choices, RULES, type Source } from "./types";

type Words = readonly (readonly [string, string])[];

function row(id: string, label: string, control: Child, hint = ""): HTMLElement {
  return h(
    "div",
    { class: "form-row" },
    h("label", { class: "label", for: id }, label),
    h("span", { class: "inline" }, control),
    hint ? h("span", { class: "hint", id: `h-${id}` }, hint) : null,
  );
}

function input(id: string, props: Record<string, string | number | boolean> = {}, after = ""): HTMLElement {
  return h(
    "span",
    { class: "field" },
    h("input", { id, name: id, autocomplete: "off", ...props }),
    after ? h("span", {}, after) : null,
  );
}

const wholeNumberField = (id: string, value: number, min: number, max: number, after = "") =>
  input(id, { type: "number", value, min, max, inputmode: "numeric" }, after);

function select(id: string, options: Words): HTMLElement {
  return h(
    "span",
    { class: "field" },
    h("select", { id, name: id }, ...options.map(([value, text]) => h("option", { value }, text))),
  );
}

function check(id: string, label: string, on: boolean): HTMLElement {
  return h(
    "label",
    { class: "check" },
    h("input", { type: "checkbox", id, name: id, value: "on", checked: on }),
    label,
  );
}

function group(id: string, label: string, ...controls: Child[]): HTMLElement {
  return h(
    "div",
    { class: "form-row", role: "group", "aria-labelledby": id },
    h("span", { class: "label", id }, label),
    h("span", { class: "inline wraps" }, ...controls),
  );
}

function fieldsCard(title: string, ...content: Child[]): HTMLElement {
  return card({ title }, h("div", { class: "body form" }, ...content));
}

const SOURCES: readonly [Source, string][] = [
  ["filter", "A filter"],
  ["list", "A list"],
  ["strategy", "A strategy"],
];

function sourcePick(): HTMLElement {
  const option = ([value, text]: readonly [Source, string]) =>
    h(
      "label",
      { class: "check" },
      h("input", { type: "radio", name: "source", value, checked: value === "filter" }),
      text,
    );
  return group("l-source", "From", ...SOURCES.map(option));
}

function filterFields(): HTMLElement {
  const day = (id: string, label: string) => input(id, { type: "date", "aria-label": label });
  const week = (id: string, label: string) => input(id, { type: "number", min: 20, max: 45, "aria-label": label });
  return h(
    "div",
    { class: "form", "data-source": "filter" },
    group("l-when", "Examined", day("acquired_from", "Examined from"), "to", day("acquired_to", "Examined to")),
    group(
      "l-age",
      "Born at",
      week("weeks_from", "Born at, weeks from"),
      "to",
      week("weeks_to", "Born at, weeks to"),
      "weeks",
    ),
    row("device", "Scanner", input("device", { maxlength: 64 })),
    row(
      "words",
      "Words",
      input("words", { maxlength: 200 }),
      "In the description, the patient ID or the accession number.",
    ),
    row(
      "labelled",
      "Read by",
      select("labelled", [
        ["nobody", "nobody yet"],
        ["once", "one reader"],
        ["any", "anybody or nobody"],
      ]),
    ),
    row(
      "mastoid",
      "Mastoid view",
      select("mastoid", [
        ["", "with or without"],
        ["yes", "with one"],
        ["no", "without"],
      ]),
    ),
    group("l-queued", "Others", check("queued", "also those of other open queues", false)),
  );
}

function listFields(takeFile: (file: File) => void): HTMLElement {
  const file = h("input", {
    type: "file",
    accept: ".csv,.txt,text/csv,text/plain",
    hidden: true,
    "aria-label": "A CSV file",
  });
  file.addEventListener("change", () => {
    const chosen = file.files?.[0];
    file.value = "";
    if (chosen) takeFile(chosen);
  });
  return h(
    "div",
    { class: "form", "data-source": "list" },
    h(
      "div",
      { class: "stack" },
      h("label", { class: "label", for: "uids" }, "Study UIDs, one a line, or a CSV with a column study_uid"),
      h("textarea", { class: "field mono", id: "uids", name: "uids", rows: 8, spellcheck: "false" }),
    ),
    h(
      "div",
      { class: "line" },
      h("button", { class: "btn", type: "button", onclick: () => file.click() }, "Choose a file"),
      file,
    ),
  );
}

function strategyFields(choices: Choices): HTMLElement {
  const options = choices.strategies.map(({ name, label }) => [name, label] as const);
  if (!options.length)
    return h(
      "p",
      { class: "dim", "data-source": "strategy" },
      "This site has no strategy yet. Choose a filter or a list.",
    );
  return h(
    "div",
    { class: "form", "data-source": "strategy" },
    row("strategy", "Strategy", select("strategy", options)),
    h("p", { class: "small dim", id: "explained" }),
  );
}

function readers(choices: Choices): HTMLElement {
  const readerCheck = (each: Choices["readers"][number]) =>
    h(
      "label",
      { class: "check" },
      h("input", { type: "checkbox", name: "reader", value: each.username }),
      each.display,
      h("span", { class: "small dim" }, each.role),
    );
  return h(
    "div",
    { class: "stack" },
    h("div", { class: "checks", role: "group", "aria-label": "Readers" }, ...choices.readers.map(readerCheck)),
    h("p", { class: "hint" }, "None ticked: every annotator and adjudicator."),
  );
}

function eye(): SVGElement {
  return s(
    "svg",
    { class: "eye", viewBox: "0 0 14 14", "aria-hidden": "true" },
    s("path", { d: "M1 7s2.2-4 6-4 6 4 6 4-2.2 4-6 4-6-4-6-4Z", fill: "none", stroke: "currentColor" }),
  );
}

function studiesCard(choices: Choices, takeFile: (file: File) => void): HTMLElement {
  return fieldsCard(
    "Studies",
    row("name", "Name", input("name", { maxlength: 100, required: true }), "Readers see it."),
    sourcePick(),
    filterFields(),
    listFields(takeFile),
    strategyFields(choices),
    h(
      "div",
      { "data-source": "filter strategy" },
      row(
        "count",
        "At most",
        wholeNumberField("count", 0, 0, 100_000, "studies"),
        "0: all of them. From a filter they are drawn at random, by the seed.",
      ),
    ),
    h(
      "div",
      { "data-source": "filter list" },
      row(
        "why",
        "Why this one",
        input("why", { maxlength: 200, value: "not read yet" }),
        "Readers see this before they answer: nothing of AI or of other readers.",
      ),
    ),
  );
}

function readersCard(choices: Choices): HTMLElement {
  return fieldsCard(
    "Readers",
    readers(choices),
    row("readers_per_study", "Readers per study", wholeNumberField("readers_per_study", 2, 1, 20)),
    group(
      "l-trainee",
      "Trainees",
      check("trainee", "they see the known answer after each of theirs; no labels are made", false),
    ),
    group(
      "l-identity",
      "The infant",
      check("identified", "annotators see number, name, dates and whole pictures", false),
      check(
        "whole_pictures",
        "annotators see pictures that name no ultrasound region, with what is written on them",
        false,
      ),
    ),
  );
}

function methodCard(choices: Choices): HTMLElement {
  const gold = choices.known_answers
    ? `Studies whose answer is known (${choices.known_answers}), mixed in; every reader gets them.`
    : "No study has a reference label yet, so none can be mixed in.";
  return fieldsCard(
    "How",
    h(
      "p",
      { class: "small dim line" },
      eye(),
      "Until a reader commits, nothing of AI or of other readers is sent to them.",
    ),
    row(
      "blinding",
      "Hidden",
      select("blinding", BLINDINGS),
      "Of AI and other readers; a study that comes again stays hidden until its second answer.",
    ),
    row("rule", "Consensus", select("rule", RULES), "What does not meet it goes to an adjudicator."),
    group(
      "l-shuffled",
      "Order",
      check("shuffled", "each reader's own, shuffled", true),
      h("label", { class: "label", for: "seed" }, "seed"),
      wholeNumberField("seed", 1, 0, 2_147_483_647),
    ),
    row("gold", "Gold studies", wholeNumberField("gold", 0, 0, 50, "%"), gold),
    row(
      "repeats",
      "Repeats",
      wholeNumberField("repeats", 0, 0, 50, "%"),
      "The same study again to the same reader, for intra-reader agreement.",
    ),
    row("repeat_gap", "not before", wholeNumberField("repeat_gap", 20, 1, 1000, "other studies")),
    row("deadline", "Done by", input("deadline", { type: "date" })),
  );
}

export function queueForm(choices: Choices, takeFile: (file: File) => void): HTMLFormElement {
  return h(
    "form",
    { id: "new-queue", class: "side-col", novalidate: true, autocomplete: "off" },
    studiesCard(choices, takeFile),
    readersCard(choices),
    methodCard(choices),
  );
}

/** What depends on the source that is chosen. */
export function sourceFields(within: HTMLFormElement, source: Source, choices: Choices): void {
  const chosen = within.querySelector<HTMLSelectElement>("#strategy")?.value;
  const slot = within.querySelector("#explained");
  if (slot && source === "strategy")
    slot.textContent = choices.strategies.find(({ name }) => name === chosen)?.explained ?? "";
}
