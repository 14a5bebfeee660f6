/** One infant: facts and studies; splits a patient that mixes two infants, merges two that are one. */

import type { PatientDetail, PatientStudy, SplitResult } from "../api/schema";
import { polite } from "../common/announce";
import { ApiError, api, reason } from "../common/api";
import { hideBanner, showBanner } from "../common/banner";
import { ask } from "../common/dialog";
import { byId, type Child, fill, h, known, pageConfig } from "../common/dom";
import { count, date, grams, weeks, when } from "../common/format";
import { bind } from "../common/keys";
import { identityNotice, pair } from "../common/parts";
import { readableName } from "../common/person-name";
import { changedFacts, type Facts, type Fields, fieldProblems, toFacts, toFields } from "./facts";
import { startImport } from "./import";
import { mergeInto } from "./merging";

const { patient: id } = pageConfig<{ patient: number | string }>({ patient: "" });
const URL_OF = `/api/v1/patients/${encodeURIComponent(String(id))}/`;
const FACTS = ["gestational_age_days", "birth_weight_g", "sex", "twin_group"] as const;
const SEXES: Record<string, string> = { F: "female", M: "male", O: "other" };

let patient: PatientDetail | null = null;
let factsBefore: Partial<Facts> | null = null;

function input(name: keyof Fields): HTMLInputElement | HTMLSelectElement {
  return byId<HTMLInputElement | HTMLSelectElement>(`f-${name}`);
}

function readFields(): Fields {
  return {
    weeks: input("weeks").value,
    days: input("days").value,
    weight: input("weight").value,
    sex: input("sex").value,
    twins: input("twins").value,
  };
}

function writeFields(fields: Fields): void {
  for (const [name, value] of Object.entries(fields)) input(name as keyof Fields).value = value;
}

function showProblems(): boolean {
  const problems = fieldProblems(readFields());
  for (const name of ["age", "weight"] as const) {
    const slot = byId(`e-${name}`);
    slot.textContent = problems[name] ?? "";
    slot.hidden = !problems[name];
    for (const field of document.querySelectorAll(`[data-error="e-${name}"]`)) {
      field.toggleAttribute("aria-invalid", Boolean(problems[name]));
      if (problems[name]) field.setAttribute("aria-invalid", "true");
    }
  }
  return !problems.age && !problems.weight;
}

// ---------- drawing ----------

function summary(current: PatientDetail): Child[] {
  const knownPair = (name: string, value: string | null): Child => pair(name, known(value));
  return [
    knownPair("Name", readableName(current.name)),
    knownPair("Born", date(current.birth_date)),
    knownPair("Gestational age", weeks(current.gestational_age_days)),
    knownPair("Birth weight", grams(current.birth_weight_g)),
    knownPair("Sex", SEXES[current.sex] ?? null),
    knownPair("Twin group", current.twin_group),
    current.merged_from?.length
      ? knownPair("Also known as", current.merged_from.map((other) => other.patient_id).join(", "))
      : null,
  ];
}

function studyRow(study: PatientStudy): HTMLTableRowElement {
  const label = when(study.acquired_at) ?? "time unknown";
  return h(
    "tr",
    {},
    h(
      "td",
      {},
      h("input", {
        type: "checkbox",
        name: "study",
        value: study.study_uid,
        "aria-label": `Select the study of ${label}`,
      }),
    ),
    h("th", { scope: "row" }, h("a", { href: study.url }, label)),
    h("td", { class: "num" }, known(study.day_of_life == null ? null : String(study.day_of_life))),
    h("td", { class: "num" }, known(weeks(study.postmenstrual_age_days))),
    h("td", {}, known(study.description)),
    h("td", {}, study.status),
    h(
      "td",
      { class: "dim" },
      study.original_patient_id && study.original_patient_id !== patient?.patient_id
        ? `sent as ${study.original_patient_id}`
        : "",
    ),
  );
}

function draw(current: PatientDetail, keepForm = false): void {
  byId("patient-title").textContent = current.patient_id || "no ID";
  fill(byId("patient-summary"), ...summary(current));
  fill(byId("patient-identity"), identityNotice(current.identity));
  fill(byId("study-rows"), ...current.studies.map(studyRow));
  byId("study-count").textContent = count(current.studies.length, "study", "studies");
  byId("undo").hidden = factsBefore === null;
  if (!keepForm) writeFields(toFields(current));
}

async function load(keepForm = false): Promise<void> {
  try {
    patient = await api.get<PatientDetail>(URL_OF);
    draw(patient, keepForm);
    hideBanner("patient");
    if (patient.merged_into) location.replace(`/patients/${patient.merged_into}/`);
  } catch (error) {
    failed("The patient could not be loaded.", error);
  }
}

function failed(title: string, error: unknown): void {
  if (error instanceof ApiError && error.signedOut) return;
  showBanner({ name: "patient", error: true, title, detail: reason(error) });
}

// ---------- acting ----------

async function patch(changes: Partial<Facts>, message: string): Promise<boolean> {
  try {
    await api.patch(URL_OF, changes);
    byId("saved").textContent = `${message} ${when(new Date())}`;
    polite(message);
    await load();
    return true;
  } catch (error) {
    failed("The facts were not saved. What you typed is still here.", error);
    return false;
  }
}

async function save(): Promise<void> {
  if (!patient || !showProblems()) return;
  const before = Object.fromEntries(FACTS.map((name) => [name, patient?.[name]])) as unknown as Facts;
  const changes = changedFacts(before, toFacts(readFields()));
  if (!Object.keys(changes).length) {
    byId("saved").textContent = "Nothing was changed";
    return;
  }
  const old = Object.fromEntries(
    Object.keys(changes).map((name) => [name, before[name as keyof Facts]]),
  ) as Partial<Facts>;
  factsBefore = old;
  if (!(await patch(changes, "Saved"))) factsBefore = null;
}

async function undo(): Promise<void> {
  if (!factsBefore) return;
  const old = factsBefore;
  factsBefore = null;
  if (!(await patch(old, "Undone"))) factsBefore = old;
}

function selectedStudies(): string[] {
  return [...document.querySelectorAll<HTMLInputElement>("input[name=study]:checked")].map((box) => box.value);
}

async function split(): Promise<void> {
  const studies = selectedStudies();
  if (!patient || !studies.length) {
    polite("Select the studies that belong to another infant first");
    byId("split-note").textContent = "Select the studies that belong to another infant first.";
    return;
  }
  const answer = await ask({
    title: `Split ${count(studies.length, "study", "studies")} from ${patient.patient_id}?`,
    body: [
      h(
        "p",
        {},
        "They go back to the patient that they were sent for, or to a new one if they were sent for this one. " +
          "Reads and scores stay with their studies.",
      ),
      h("p", {}, "It is audited, and merging takes it back."),
    ],
    confirm: "Split",
  });
  if (!answer.confirmed) return;
  try {
    const { split_to: others } = await api.post<SplitResult>(`${URL_OF}split/`, {
      studies,
    });
    polite(`${count(studies.length, "study", "studies")} split off`);
    fill(
      byId("split-note"),
      "Now with ",
      ...others.map((other) => [h("a", { href: `/patients/${other.id}/` }, other.patient_id), " "]),
    );
    await load(true);
  } catch (error) {
    failed("Nothing was split.", error);
  }
}

async function merge(): Promise<void> {
  const field = byId<HTMLInputElement>("merge-into");
  const into = field.value.trim();
  if (!patient || !into) {
    field.focus();
    return;
  }
  const answer = await ask({
    title: `Merge ${patient.patient_id} into ${into}?`,
    body: [
      h(
        "p",
        {},
        `All ${count(patient.studies.length, "study", "studies")} of ${patient.patient_id} will be those of ${into}. ` +
          `Facts of ${into} are kept; only what is unknown there is filled.`,
      ),
      h("p", {}, "It is audited, and splitting takes it back."),
    ],
    confirm: "Merge",
  });
  if (!answer.confirmed) return;
  try {
    const merged = await mergeInto(URL_OF, { into, reason: "" });
    if (merged) location.assign(merged.url);
  } catch (error) {
    failed("Nothing was merged.", error);
  }
}

export function startPatient(): void {
  byId("facts").addEventListener("submit", (event) => {
    event.preventDefault();
    void save();
  });
  byId("facts").addEventListener("input", () => {
    byId("saved").textContent = "Not saved yet";
    showProblems();
  });
  byId("undo").addEventListener("click", () => void undo());
  byId("split").addEventListener("click", () => void split());
  byId("merge").addEventListener("submit", (event) => {
    event.preventDefault();
    void merge();
  });
  window.addEventListener("beforeunload", (event) => {
    if (!patient) return;
    const typed = JSON.stringify(readFields()) !== JSON.stringify(toFields(patient));
    if (typed) event.preventDefault();
  });
  document.addEventListener("patients-imported", () => void load());
  const GROUP = "Patient";
  bind({ key: "Ctrl+s", label: "Save", group: GROUP, run: () => void save(), inFields: true });
  bind({
    key: "u",
    label: "Undo the last save",
    group: GROUP,
    run: () => void undo(),
    when: () => factsBefore !== null,
  });
  bind({ key: "Escape", label: "Back to the worklist", group: GROUP, run: () => location.assign("/"), bar: false });
  startImport();
  void load();
}
