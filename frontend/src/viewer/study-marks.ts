/** What a read marks in the pictures: drawings and keyframes, on the panes, under them and in the film. */

import { assertive } from "../common/announce";
import { type Drawing, PRESETS } from "./annotation/drawing";
import { Sketcher } from "./annotation/drawing-editor";
import { DrawDock } from "./annotation/drawing-panel";
import type { Preset } from "./annotation/measure";
import type { Coverage } from "./coverage/coverage";
import type { Film } from "./layout/film-strip";
import type { Clip, Current } from "./types";
import type { Pane } from "./viewport/pane";

interface Keyframe {
  sop_uid: string;
  frame: number;
}

export interface Marked {
  clips: readonly Clip[];
  film: Film;
  coverage: Coverage;
  /** Every pane of this study, and those that can be seen. */
  panes: () => readonly Pane[];
  visible: () => readonly Pane[];
  /** The frame that is drawn on next. */
  current: () => Current;
  goTo: (sop: string, frame: number) => void;
  /** The keys belong to the pictures again. */
  release: () => void;
  /** Something was drawn, moved, named or deleted. */
  draw: (drawings: Drawing[], step?: string) => void;
}

export class Marks {
  readonly sketch: Sketcher;
  readonly dock: DrawDock;
  private keyframes: readonly Keyframe[] = [];

  constructor(private readonly on: Marked) {
    this.sketch = new Sketcher({
      changed: (drawings, step) => on.draw(drawings, step),
      redraw: () => this.redraw(),
      naming: (drawing) => this.holder(drawing)?.picture.easel.name(drawing),
    });
    this.dock = new DrawDock({
      sketch: this.sketch,
      clips: on.clips,
      current: on.current,
      goTo: on.goTo,
      release: on.release,
    });
  }

  /** What the read says was drawn; only a read that is open takes more. */
  setDrawings(drawings: readonly Drawing[], editable: boolean): void {
    this.sketch.set(drawings, editable);
    this.markFrames();
  }

  setKeyframes(keyframes: readonly Keyframe[]): void {
    this.keyframes = keyframes;
    this.markFrames();
  }

  /** Take a measure in hand, on the side that was said before. */
  measure(preset: Exclude<Preset, "">, side: "right" | "left" | null): void {
    const facts = PRESETS[preset];
    if (facts.perSide && !side) return assertive(`${facts.name} is taken per side: press R or L first`);
    this.dock.choose({ tool: "length", preset, side: facts.perSide ? (side ?? "") : "" }, false);
  }

  goToDrawing(drawing: Drawing): void {
    this.on.goTo(drawing.sop_uid, drawing.frame);
    this.sketch.select(drawing.uid);
  }

  openDock(): void {
    this.dock.toggle(true);
  }

  markPane(pane: Pane): void {
    pane.setMarks(pane.clip ? this.of(pane.clip) : []);
    pane.drawCoverage();
  }

  /** Frames with a keyframe or a drawing stand out in the film and under the pictures. */
  private markFrames(): void {
    for (const clip of this.on.clips) this.on.film.setMarks(clip, this.of(clip));
    for (const pane of this.on.panes()) this.markPane(pane);
  }

  private redraw(): void {
    for (const pane of this.on.panes()) pane.picture.easel.draw();
    this.dock.draw();
  }

  private holder({ sop_uid, frame }: Drawing): Pane | undefined {
    return this.on.visible().find((pane) => pane.clip?.sop_uid === sop_uid && pane.frame === frame);
  }

  private of({ sop_uid }: Clip): number[] {
    const frames = [...this.keyframes, ...this.sketch.drawings]
      .filter((each) => each.sop_uid === sop_uid)
      .map(({ frame }) => frame);
    return [...new Set(frames)].sort((a, b) => a - b);
  }
}
