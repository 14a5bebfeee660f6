/** Label queues as the API tells them to an admin. */

import type { QueueFields } from "../api/schema";

export type {
  QueueChoices as Choices,
  QueueDetail,
  QueuePreview as Plan,
  QueueProgress as Queue,
  ReaderProgress as Labeller,
  RefusedLine as Refused,
} from "../api/schema";

export const QUEUES = "/api/v1/queues/";

export type Source = QueueFields["source"];
export type Blinding = NonNullable<QueueFields["blinding"]>;
export type Rule = NonNullable<QueueFields["rule"]>;

export const BLINDINGS: readonly [Blinding, string][] = [
  ["commit", "until one's own commit"],
  ["closed", "until the queue is closed"],
];

export const RULES: readonly [Rule, string][] = [
  ["clinical", "same verdict, no middle or high difference"],
  ["identical", "every finding is the same"],
  ["verdict", "same verdict: positive or not"],
  ["majority", "more than half say the same verdict"],
];

export function wordOf(words: readonly (readonly [string, string])[], value: string): string {
  return words.find(([name]) => name === value)?.[1] ?? value;
}
