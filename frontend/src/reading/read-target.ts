/** What a session reads, and where its drafts are stored. */

import { api } from "../common/api";
import { DraftStore, type Place, tabName } from "./draft/draft-store";
import type { DraftServer } from "./draft/draft-sync";
import type { LabelQueue, Next } from "./types";

export interface Target {
  context: Place["context"];
  study: string;
  item?: number;
  /** The queue as the page or the commit before gave it; absent, it is fetched. */
  queue?: LabelQueue;
  /** Reopen the committed read. */
  reopen?: boolean;
}

export interface Previous {
  target: Target;
  text: string;
}

export const HOME: Record<Place["context"], string> = { triage: "/", queue: "/label/", adjudication: "/adjudicate/" };

export const draftServer: DraftServer = {
  save: (place, body) =>
    api.put(
      `/api/v1/studies/${place.study}/reads/draft/`,
      { context: place.context, ...itemOf(place), ...body },
      { keepalive: true },
    ),
  setAside: (place, { findings, comment }) =>
    api.post(`/api/v1/studies/${place.study}/reads/aside/`, {
      context: place.context,
      ...itemOf(place),
      findings,
      comment,
      version: 0,
    }),
  commit: (place, body) => api.post(`/api/v1/studies/${place.study}/reads/commit/`, body, { keepalive: true }),
};

export const draftStore = new DraftStore(localStorage, tabName(sessionStorage));

export function itemOf(place: Pick<Place, "item">): { item?: number } {
  return place.item === undefined ? {} : { item: place.item };
}

export function targetOf(next: Next, context: Place["context"], queue?: LabelQueue | null): Target {
  const item = /\/(?:label|adjudicate)\/(\d+)\//.exec(next.url)?.[1];
  return { context, study: next.study_uid, ...(item ? { item: Number(item) } : {}), ...(queue ? { queue } : {}) };
}
