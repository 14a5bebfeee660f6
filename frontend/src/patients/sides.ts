/** The two sides of a question about identity, fact by fact; pure. */

import type { IdentitySide, IdentitySuggestion } from "../api/schema";
import { date } from "../common/format";
import { readableName } from "../common/person-name";

/** One fact on both sides: what each says, and in words whether that is the same. */
export interface ComparedFact {
  name: string;
  values: [string, string];
  verdict: "same" | "differs" | "known on one side" | "unknown";
}

export const SEXES: Record<string, string> = { F: "female", M: "male", O: "other" };
const TITLES: Record<IdentitySuggestion["kind"], string> = {
  clash: "Two infants under one number?",
  perhaps_one: "One infant under two identifiers, or twins?",
  changed: "Is this still the same infant?",
};

function born(side: IdentitySide): string {
  const day = date(side.birth_date) ?? "";
  return day && side.birth_date_from_age ? `${day}, reckoned from an age` : day;
}

const FACTS: [string, (side: IdentitySide) => string][] = [
  ["Number", (side) => side.patient_id],
  ["Issuer", (side) => side.issuer],
  ["Name", (side) => readableName(side.name)],
  ["Birth date", born],
  ["Sex", (side) => SEXES[side.sex] ?? side.sex],
  ["Institution", (side) => side.institution],
  ["Twin group", (side) => side.twin_group],
];

function verdict(one: string, other: string): ComparedFact["verdict"] {
  if (!one && !other) return "unknown";
  if (!one || !other) return "known on one side";
  return one === other ? "same" : "differs";
}

/** Every fact that at least one side states, the number always. */
export function comparedFacts({ sides }: IdentitySuggestion): ComparedFact[] {
  const [one, other] = sides as [IdentitySide, IdentitySide];
  const facts = FACTS.map(([name, of]): ComparedFact => {
    const values: [string, string] = [of(one), of(other)];
    return { name, values, verdict: verdict(...values) };
  });
  return facts.filter((fact) => fact.name === "Number" || fact.verdict !== "unknown");
}

export function questionTitle({ kind }: IdentitySuggestion): string {
  return TITLES[kind];
}

/** How a side is called where its name has to be short: "4711 (EAST), North, Anna". */
export function sideName(side: IdentitySide): string {
  const number = side.issuer ? `${side.patient_id} (${side.issuer})` : side.patient_id;
  return [number || "no ID", readableName(side.name)].filter(Boolean).join(", ");
}

/** What the header says of the infant and differs, as the facts that a patient is given. */
export function headerFacts({
  sides,
}: IdentitySuggestion): Partial<Pick<IdentitySide, "name" | "birth_date" | "sex" | "issuer">> {
  const [known, said] = sides as [IdentitySide, IdentitySide];
  return Object.fromEntries(
    (["name", "birth_date", "sex", "issuer"] as const)
      .filter((fact) => said[fact] && said[fact] !== known[fact])
      .map((fact) => [fact, said[fact]]),
  );
}
