/** Label queues as the API tells them to an admin. */

export const QUEUES = "/api/v1/queues/";

export type Source = "filter" | "list" | "strategy";
export type Blinding = "commit" | "closed";
export type Rule = "identical" | "clinical" | "verdict" | "majority";

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

export interface Queue {
  id: number;
  url: string;
  name: string;
  active: boolean;
  created_at: string;
  created_by: string | null;
  source: Source;
  trainee: boolean;
  blinding: Blinding;
  rule: Rule;
  shuffled: boolean;
  seed: number;
  readers_per_study: number;
  repeat_gap: number;
  readers: number;
  open_to_all: boolean;
  studies: number;
  gold: number;
  repeats: number;
  reads_needed: number;
  reads_done: number;
  deadline: string | null;
  expected_end: string | null;
  overdue: boolean;
  late: boolean;
}

export interface Labeller {
  username: string;
  display: string;
  role: string;
  named: boolean;
  labels_now: boolean;
  done: number;
  total: number | null;
  skipped: number;
  median_seconds: number | null;
  last: string | null;
}

export interface QueueDetail extends Queue {
  made_from: Record<string, unknown>;
  people: Labeller[];
}

export interface Refused {
  line: number;
  text: string;
  reason: string;
}

export interface Plan {
  studies: number;
  patients: number;
  gold: number;
  repeats: number;
  readers: number;
  reads: number;
  refused: Refused[];
  refused_total: number;
}

export interface Choices {
  readers: { username: string; display: string; role: string; default: boolean }[];
  strategies: { name: string; label: string; explained: string }[];
  known_answers: number;
}

export function wordOf<T extends string>(words: readonly (readonly [T, string])[], value: T): string {
  return words.find(([name]) => name === value)?.[1] ?? value;
}
