/** A merge, and the question that is asked first where the two look like twins. */

import type { MergeResult } from "../api/schema";
import { ApiError, api } from "../common/api";
import { ask } from "../common/dialog";
import { h } from "../common/dom";

export interface MergeRequest {
  /** The platform's own number, or the hospital's identifier. */
  into: number | string | null;
  reason: string;
}

/** Null where they are twins after all. `patientUrl` is the API's address of the one that is merged. */
export async function mergeInto(patientUrl: string, request: MergeRequest): Promise<MergeResult | null> {
  const url = `${patientUrl}merge/`;
  try {
    return await api.post<MergeResult>(url, request);
  } catch (error) {
    if (!(error instanceof ApiError) || error.code !== "perhaps_twins") throw error;
    const answer = await ask({
      title: "Twins?",
      body: [h("p", {}, error.detail)],
      confirm: "They are one infant",
      cancel: "Keep them apart",
      stop: true,
    });
    return answer.confirmed ? api.post<MergeResult>(url, { ...request, confirmed: true }) : null;
  }
}
