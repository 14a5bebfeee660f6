/** Conditions on findings, as data. `annotations/label_schema/conditions.py` says the same. */

export type Condition =
  | { field: string; is: readonly unknown[] }
  | { field: string; at_least: number }
  | { all: readonly Condition[] }
  | { any: readonly Condition[] };

export function holds(condition: Condition, findings: Readonly<Record<string, unknown>>): boolean {
  if ("all" in condition) return condition.all.every((part) => holds(part, findings));
  if ("any" in condition) return condition.any.some((part) => holds(part, findings));
  if (!(condition.field in findings)) return false;
  const value = findings[condition.field];
  if ("at_least" in condition) return typeof value === "number" && value >= condition.at_least;
  return condition.is.includes(value);
}
