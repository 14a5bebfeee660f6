/** Names as DICOM writes them (`Müller^Zoë`), made readable; pure. */

const GROUPS = 3;

function components(group: string): string[] {
  return group
    .split("^")
    .slice(0, 5)
    .map((part) => part.trim().replace(/\s+/g, " "));
}

function alphabetic(group: string): string {
  const [family, given, middle, prefix, suffix] = components(group);
  const called = [prefix, given, middle].filter(Boolean).join(" ");
  return [family, called, suffix].filter(Boolean).join(", ");
}

/** `Family, Given Middle`, then the ideographic and the phonetic group as they are spoken; empty for no name. */
export function readableName(written: string | null | undefined): string {
  const [first = "", ...others] = (written ?? "").split("\\", 1).join("").split("=").slice(0, GROUPS);
  const spoken = others.map((group) => components(group).filter(Boolean).join(" "));
  return [alphabetic(first), ...spoken].filter(Boolean).join(" · ");
}
