/**
 * Numbers and times as text, the same everywhere. Unknown values give null: the caller shows "–" and says "unknown".
 */

const THIN = "\u202f";

export function number(value: number, decimals = 0): string {
  const [whole = "", rest] = Math.abs(value).toFixed(decimals).split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, THIN);
  const sign = value < 0 && Number(value.toFixed(decimals)) !== 0 ? "−" : "";
  return sign + grouped + (rest ? `.${rest}` : "");
}

export function count(value: number, one: string, many = `${one}s`): string {
  return `${number(value)} ${value === 1 ? one : many}`;
}

/** Gestational or postmenstrual age in days, as completed weeks and days: 191 is "27+2". */
export function weeks(days: number | null | undefined): string | null {
  if (days === null || days === undefined || days < 0) return null;
  return `${Math.floor(days / 7)}+${days % 7}`;
}

export function grams(value: number | null | undefined): string | null {
  return value === null || value === undefined ? null : `${number(value)} g`;
}

/** A probability of a score. The ends are never rounded to certainty. */
export function probability(value: number | null | undefined): string | null {
  if (value === null || value === undefined) return null;
  if (value > 0 && value < 0.005) return "<0.01";
  if (value < 1 && value >= 0.995) return ">0.99";
  return value.toFixed(2);
}

/** A statistic between 0 and 1. */
export function ratio(value: number | null | undefined, decimals = 2): string | null {
  return value === null || value === undefined || Number.isNaN(value) ? null : number(value, decimals);
}

/** The number that a text of digits alone says; null for every other text. */
export function wholeNumber(text: string): number | null {
  return /^\d+$/.test(text.trim()) ? Number(text.trim()) : null;
}

export function percent(value: number, decimals = 0): string {
  return `${number(value * 100, decimals)} %`;
}

export function interval(bounds: readonly (number | null)[] | null | undefined, decimals = 2): string | null {
  const [low, high] = bounds ?? [];
  if (low === null || low === undefined || high === null || high === undefined) return null;
  return `${number(low, decimals)} to ${number(high, decimals)}`;
}

/** How long something waits: "11 min", "3 h 41", "2 d 4 h". */
export function waiting(seconds: number): string {
  const minutes = Math.max(0, Math.floor(seconds / 60));
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${String(minutes % 60).padStart(2, "0")}`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** How long something takes: "48 s", "2 min 05 s", "1 h 03 min". */
export function duration(seconds: number | null | undefined): string | null {
  if (seconds === null || seconds === undefined) return null;
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return seconds > 0 && seconds < 9.95 ? `${seconds.toFixed(1)} s` : `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 10) return `${minutes} min ${String(whole % 60).padStart(2, "0")} s`;
  if (minutes < 60) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`;
}

/** A limit such as the waiting cap: "4 h", "90 min". */
export function limitText(seconds: number): string {
  return seconds % 3600 === 0 ? `${seconds / 3600} h` : `${Math.round(seconds / 60)} min`;
}

const CLOCK = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const CLOCK_SECONDS = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
const DATE = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });

type When = string | Date | null | undefined;

function dateOf(when: When): Date | null {
  if (!when) return null;
  const date = when instanceof Date ? when : new Date(when);
  return Number.isNaN(date.getTime()) ? null : date;
}

export function clock(when: When, seconds = false): string | null {
  const date = dateOf(when);
  return date && (seconds ? CLOCK_SECONDS : CLOCK).format(date);
}

export function day(when: When): string | null {
  const date = dateOf(when);
  return date && DAY.format(date);
}

export function date(when: When): string | null {
  const at = dateOf(when);
  return at && DATE.format(at);
}

/** The clock for today, the day before that for any other. */
export function when(value: When, now = new Date()): string | null {
  const at = dateOf(value);
  if (!at) return null;
  return at.toDateString() === now.toDateString() ? CLOCK.format(at) : `${DAY.format(at)} ${CLOCK.format(at)}`;
}

export function ordinal(position: number): string {
  const teen = position % 100 >= 11 && position % 100 <= 13;
  const suffix = teen ? "th" : (["th", "st", "nd", "rd"][position % 10] ?? "th");
  return `${position}${suffix}`;
}

export function grade(value: number | null | undefined): string | null {
  return value === null || value === undefined ? null : (["none", "I", "II", "III", "IV"][value] ?? null);
}

export function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}

/** The first and last characters of a digest, enough to compare by eye. */
export function digest(value: string | null | undefined): string | null {
  if (!value) return null;
  const hex = value.replace(/^sha256:/, "");
  return hex.length > 16 ? `${hex.slice(0, 8)}…${hex.slice(-8)}` : hex;
}
