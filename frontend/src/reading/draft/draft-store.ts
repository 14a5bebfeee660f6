/** Drafts in this browser: one entry for each read and tab, so that no tab overwrites another's. */

import type { ClipCoverage, StoredCoverage } from "../../viewer/coverage/coverage";
import { type Answer, sameAnswer } from "../answer/findings";

export interface Place {
  user: string;
  study: string;
  context: "triage" | "queue" | "adjudication";
  item?: number;
}

export interface Commit extends Answer {
  context: Place["context"];
  item?: number;
  version: number;
  seen: ClipCoverage[];
  duration_ms: number;
  idempotency_key: string;
  /** The reader has confirmed contradictions. */
  confirmed?: boolean;
  device?: Record<string, string | number>;
}

/** The entry of one read. */
export interface StoredDraft {
  place: Place;
  /** The tab that wrote it. */
  tab?: string;
  /** The server's draft version that this is based on. */
  base: number;
  at: string;
  /** What the server has not confirmed; absent once it has. */
  answer?: Answer;
  commit?: Commit;
  /** Answers sent since the last confirmation, by which a draft on the server is recognized as this tab's own. */
  sent?: Answer[];
  seen?: StoredCoverage;
}

const PREFIX = "fontanelle.draft.";
const TAB = "fontanelle.tab";
const KEPT_DAYS = 30;

export function storageKey(place: Place, tab = ""): string {
  const key = [PREFIX + place.user, place.study, place.context, place.item ?? ""];
  return (tab ? [...key, tab] : key).join("|");
}

/** This tab's name: the same after a reload, different in every tab. */
export function tabName(session: Pick<Storage, "getItem" | "setItem">): string {
  const fresh = Array.from(crypto.getRandomValues(new Uint8Array(6)), (byte) =>
    byte.toString(16).padStart(2, "0"),
  ).join("");
  try {
    const known = session.getItem(TAB) ?? fresh;
    session.setItem(TAB, known);
    return known;
  } catch {
    return fresh;
  }
}

/** Whether the server has not confirmed something of it. */
export function hasUnsent({ answer, commit }: StoredDraft): boolean {
  return Boolean(answer || commit);
}

export class DraftStore {
  constructor(
    private readonly storage: Pick<Storage, "getItem" | "setItem" | "removeItem" | "key" | "length">,
    readonly tab = "",
  ) {}

  /** This tab's entry; where it has none, it takes over the newest of another tab. */
  read(place: Place): StoredDraft | null {
    const own = this.parse(storageKey(place, this.tab));
    if (own) return own;
    const [newest] = [...this.draftsOf(place)].sort(
      (a, b) =>
        Number(hasUnsent(b)) - Number(hasUnsent(a)) ||
        Number(Boolean(b.commit)) - Number(Boolean(a.commit)) ||
        b.at.localeCompare(a.at),
    );
    if (!newest) return null;
    const adopted = { ...newest, place, tab: this.tab };
    if (this.write(adopted)) this.remove(newest);
    return adopted;
  }

  /** Unsent answers of other tabs to the same read that differ from this one. */
  otherTabs(place: Place, own: Answer | undefined): StoredDraft[] {
    const others = this.draftsOf(place).filter((stored) => (stored.tab ?? "") !== this.tab && stored.answer);
    return others.filter((stored) => !own || !sameAnswer(stored.answer as Answer, own));
  }

  /** False where the browser does not store it (full, or forbidden). */
  write(stored: StoredDraft): boolean {
    try {
      this.storage.setItem(
        storageKey(stored.place, stored.tab ?? this.tab),
        JSON.stringify({ ...stored, tab: stored.tab ?? this.tab }),
      );
      return true;
    } catch {
      return false;
    }
  }

  remove({ place, tab = "" }: StoredDraft): void {
    this.storage.removeItem(storageKey(place, tab));
  }

  /** Entries of this person's other reads that the server has not confirmed. */
  unsent(user: string, except: Place | null): StoredDraft[] {
    const own = except && storageKey(except);
    const keys = this.keys(`${PREFIX}${user}|`).filter((key) => !own || (key !== own && !key.startsWith(`${own}|`)));
    return keys
      .map((key) => this.parse(key))
      .filter((stored) => stored !== null)
      .filter(hasUnsent);
  }

  /** Remove confirmed entries older than 30 days. */
  removeOld(now: Date): void {
    const oldest = now.getTime() - KEPT_DAYS * 86_400_000;
    for (const key of this.keys(PREFIX)) {
      const stored = this.parse(key);
      if (stored && !hasUnsent(stored) && Date.parse(stored.at) < oldest) this.storage.removeItem(key);
    }
  }

  private keys(prefix: string): string[] {
    return Array.from({ length: this.storage.length }, (_, at) => this.storage.key(at) ?? "").filter((key) =>
      key.startsWith(prefix),
    );
  }

  private draftsOf(place: Place): StoredDraft[] {
    const own = storageKey(place);
    const keys = this.keys(own).filter((key) => key === own || key.startsWith(`${own}|`));
    return keys.map((key) => this.parse(key)).filter((stored) => stored !== null);
  }

  private parse(key: string): StoredDraft | null {
    try {
      return JSON.parse(this.storage.getItem(key) ?? "null") as StoredDraft | null;
    } catch {
      return null;
    }
  }
}
