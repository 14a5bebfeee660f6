/** Follows changes while a study is open: new images, a new score, a network or a sign-in that is back. */

import { api, onSignedIn } from "../common/api";
import { hideBanner, showBanner } from "../common/banner";
import { h } from "../common/dom";
import { type Kind, subscribe } from "../common/events";
import { count } from "../common/format";
import type { Study } from "../viewer/types";

const BANNER = "new-images";

export interface LiveUpdatesHost {
  study: Study;
  url: string;
  /** Called when the score may have changed; null where no score is shown. */
  scoreChanged: (() => void) | null;
  /** Send what the server has not confirmed. */
  sendUnsent: () => void;
  /** Open the study again, with the new images. */
  reopen: () => void;
}

/** Returns the function that stops following. */
export function followLiveUpdates(host: LiveUpdatesHost): () => void {
  let over = false;
  const kinds: Kind[] = host.scoreChanged ? ["study", "score"] : ["study"];
  const unsubscribe = subscribe(kinds, (event) => {
    if (event.kind !== "gap" && event.study_uid !== host.study.study_uid) return;
    if (event.kind !== "score") void checkForImages(host, () => over);
    if (event.kind !== "study") host.scoreChanged?.();
  });
  const unsigned = onSignedIn(host.sendUnsent);
  for (const name of ["online", "focus"]) window.addEventListener(name, host.sendUnsent);
  return () => {
    over = true;
    unsubscribe();
    unsigned();
    for (const name of ["online", "focus"]) window.removeEventListener(name, host.sendUnsent);
    hideBanner(BANNER);
  };
}

async function checkForImages(host: LiveUpdatesHost, over: () => boolean): Promise<void> {
  const fresh = await api.get<Study>(host.url).catch(() => null);
  const size = (study: Study) => study.clips.map((clip) => `${clip.sop_uid}:${clip.frames}`).join();
  if (!fresh || over() || size(fresh) === size(host.study)) return;
  const more = fresh.clips.length - host.study.clips.length;
  showBanner({
    name: BANNER,
    title: more > 0 ? `${count(more, "clip")} arrived for this study.` : "The pictures of this study have changed.",
    detail: "What you answered is kept. Show them before you commit.",
    actions: [h("button", { class: "btn", type: "button", onclick: host.reopen }, "Show")],
  });
}
