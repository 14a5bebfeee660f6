/** The film strip: every clip in the order of acquisition, with how much of it was seen. */

import { h } from "../../common/dom";
import type { Coverage } from "../coverage/coverage";
import { CoverageRibbon } from "../coverage/coverage-ribbon";
import { bitmapOf, type FrameError } from "../loading/frame-decoder";
import type { Clip } from "../types";
import { CLIP_DRAGGED } from "./grid";

/** Until a thumbnail is requested again after no answer or a lost sign-in. */
const RETRY_MS = 2000;

interface Entry {
  button: HTMLButtonElement;
  image: HTMLCanvasElement;
  ribbon: CoverageRibbon;
  name: HTMLElement;
  note: HTMLElement;
}

function noteText(clip: Clip, share: number): string {
  if (clip.frames === 0) return "no picture";
  if (share === 0) return clip.decode_error ? "damaged" : "not seen";
  return clip.frames === 1 ? "still" : `${clip.frames} fr`;
}

/** What a clip is besides pictures in grey: on its thumbnail, seen or not. */
function kindText({ kind, flow_frames }: Clip): string {
  const named = kind === "volume" || kind === "video" ? kind : "";
  return [named, flow_frames.length ? "Doppler" : ""].filter(Boolean).join(", ");
}

export class FilmStrip {
  readonly element: HTMLElement;
  private readonly entries = new Map<string, Entry>();

  constructor(
    private readonly clips: readonly Clip[],
    private readonly coverage: Coverage,
    chosen: (clip: Clip) => void,
    /** Name of the study, where it is not the one that is read. */
    studyName = "",
  ) {
    this.element = h("nav", {
      class: "film",
      "aria-label": `${studyName ? `${studyName}: clips` : "Clips"}, in order of acquisition`,
    });
    for (const clip of clips) this.element.append(this.build(clip, chosen));
  }

  /** Thumbnails come after the first picture, which they would hold up. */
  loadThumbnails(): void {
    for (const clip of this.clips) {
      const entry = this.entries.get(clip.sop_uid);
      if (entry && clip.thumbnail_url && clip.frames) void this.paint(entry.image, clip.thumbnail_url);
    }
  }

  /** Draw the changed label of a clip. */
  rename(clip: Clip): void {
    const entry = this.entries.get(clip.sop_uid);
    if (entry) entry.name.textContent = `${clip.number} ${clip.label}`;
  }

  mark(shown: readonly (string | undefined)[]): void {
    for (const [sop, { button }] of this.entries) {
      const on = shown.includes(sop);
      button.classList.toggle("on", on);
      if (on) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
      if (on && sop === shown[0]) button.scrollIntoView({ block: "nearest" });
    }
  }

  /** Frames of a clip with a keyframe or a drawing. */
  setMarks(clip: Clip, frames: readonly number[]): void {
    const entry = this.entries.get(clip.sop_uid);
    if (!entry) return;
    entry.ribbon.marks = frames;
    this.drawCoverage(clip);
  }

  drawCoverage(clip: Clip): void {
    const entry = this.entries.get(clip.sop_uid);
    if (!entry) return;
    const share = this.coverage.fraction(clip.sop_uid);
    entry.ribbon.draw(this.coverage, clip.sop_uid, clip.frames);
    entry.button.dataset["seen"] = String(Math.round(share * 100));
    const { marks } = entry.ribbon;
    entry.note.textContent = (marks.length ? "◆ " : "") + noteText(clip, share);
    entry.note.title = marks.length ? `Marked: frame ${marks.join(", ")}` : "";
  }

  /** On a canvas, which is freed with its study; the browser keeps the pixels of an `<img>` far longer. */
  private async paint(image: HTMLCanvasElement, url: string): Promise<void> {
    try {
      const bitmap = await bitmapOf(url);
      image.width = bitmap.width;
      image.height = bitmap.height;
      image.getContext("bitmaprenderer")?.transferFromImageBitmap(bitmap);
    } catch (error) {
      // The entry works without its thumbnail; one of a study that was closed is not requested again.
      if ((error as FrameError).retryable && image.isConnected) setTimeout(() => void this.paint(image, url), RETRY_MS);
    }
  }

  private build(clip: Clip, chosen: (clip: Clip) => void): HTMLElement {
    const ribbon = new CoverageRibbon();
    const image = h("canvas", { class: "us", "aria-hidden": "true" });
    const note = h("i", {}, noteText(clip, 0));
    const name = h("span", {}, `${clip.number} ${clip.label}`);
    const kind = kindText(clip);
    const caption = h("span", { class: "cap" }, name, note);
    const button = h(
      "button",
      { class: "clip", type: "button", "data-sop": clip.sop_uid, onclick: () => chosen(clip) },
      image,
      kind ? h("em", { class: "kind" }, kind) : null,
      caption,
      ribbon.element,
    );
    button.draggable = true;
    button.addEventListener("dragstart", (event) => event.dataTransfer?.setData(CLIP_DRAGGED, clip.sop_uid));
    this.entries.set(clip.sop_uid, { button, image, ribbon, name, note });
    this.drawCoverage(clip);
    return button;
  }
}
