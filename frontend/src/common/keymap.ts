/**
 * A person's own keys in place of the defaults. What a key does is known by its group and its default key: "Viewer/g".
 */

import { api } from "./api";
import { cap, scriptData } from "./dom";

export type Keymap = Record<string, string>;

interface Keyed {
  key: string | readonly string[];
  group: string;
}

const NAMES: Record<string, string> = {
  " ": "Space",
  Escape: "Esc",
  ArrowLeft: "←",
  ArrowRight: "→",
  ArrowUp: "↑",
  ArrowDown: "↓",
  PageUp: "PgUp",
  PageDown: "PgDn",
};
const MODIFIERS = new Set(["Shift", "Control", "Alt", "Meta", "AltGraph", "CapsLock", "Dead"]);

let ownKeys: Keymap | null = null;

export function keymap(): Keymap {
  ownKeys ??= scriptData<Keymap>("keymap", {});
  return ownKeys;
}

function defaults({ key }: Keyed): readonly string[] {
  return typeof key === "string" ? [key] : key;
}

export function bindingId(binding: Keyed): string {
  return `${binding.group}/${defaults(binding)[0] ?? ""}`;
}

export function isChanged(binding: Keyed): boolean {
  return bindingId(binding) in keymap();
}

/** The keys that do it now: the person's own in place of the first. */
export function keysOf(binding: Keyed): readonly string[] {
  const ownKey = keymap()[bindingId(binding)];
  return ownKey === undefined ? defaults(binding) : [ownKey, ...defaults(binding).slice(1)];
}

export function capNames(key: string): string[] {
  const parts = key === "+" ? ["+"] : key.split("+").map((part) => part || "+");
  return parts.map((part) => NAMES[part] ?? (part.length === 1 ? part.toUpperCase() : part));
}

/** A key cap that stands in a page, and follows when the key is changed. */
export function keyCap(group: string, label: string): HTMLElement {
  const key = label.length === 1 ? label.toLowerCase() : label;
  const element = cap(label);
  element.dataset["key"] = `${group}/${key}`;
  element.dataset["default"] = label;
  drawCap(element);
  return element;
}

function drawCap(element: HTMLElement): void {
  const ownKey = keymap()[element.dataset["key"] ?? ""];
  const text = ownKey === undefined ? (element.dataset["default"] ?? "") : capNames(ownKey).join(" ");
  element.textContent = text;
  element.classList.toggle("word", text.length > 1);
}

/** A key press that could be a shortcut: not a modifier on its own. */
export function isShortcutKey(event: Pick<KeyboardEvent, "key">): boolean {
  return !MODIFIERS.has(event.key) && event.key !== "Unidentified";
}

/** The other binding that has this key already; null where there is none. */
export function bindingWithKey<B extends Keyed & { label: string }>(
  bindings: readonly B[],
  binding: Keyed,
  key: string,
): B | null {
  return bindings.find((other) => bindingId(other) !== bindingId(binding) && keysOf(other).includes(key)) ?? null;
}

/** Store a map on the server; it takes effect once the server has it. */
export async function saveKeymap(next: Keymap): Promise<void> {
  const { keys } = await api.put<{ keys: Keymap }>("/api/v1/me/keys/", { keys: next });
  ownKeys = keys;
  for (const element of document.querySelectorAll<HTMLElement>("kbd[data-key]")) drawCap(element);
}

/** The map in an exported file. Throws where it is none. */
export function parseKeymap(text: string): Keymap {
  const { keys } = JSON.parse(text) as { keys?: unknown };
  if (typeof keys !== "object" || keys === null || Object.values(keys).some((key) => typeof key !== "string"))
    throw new Error("It holds no keys.");
  return keys as Keymap;
}
