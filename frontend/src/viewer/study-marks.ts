/** What a read marks in the pictures: drawings and keyframes, on the panes, under them and in the film. */

import { assertive } from "../common/announce";
import { type Drawing, PRESETS } from "./annotation/drawing";
import { DrawingEditor } from "./annotation/drawing-editor";
import { DrawingPanel } from "./annotation/drawing-panel";
import type { Preset } from "./annotation/measure";
import type { Coverage } from "./coverage/coverage";
import type { FilmStrip } from "./layout/film-strip";
import type { Clip, Current } from "./types";
import type { Pane } from "./viewport/pane";

interface Keyframe {
  sop_uid: string;
  frame: number;
}

export interface StudyMarksHost {
  clips: readonly Clip[];
  film: FilmStrip;
  coverage: Coverage;
  /** Every pane of this study, and those that can be seen. */
  panes: () => readonly Pane[];
  visiblePanes: () => readonly Pane[];
  /** The frame that a new drawing belongs to. */
  current: () => Current;
  goTo: (sop: string, frame: number) => void;
  /** Give the keyboard focus back to the pictures. */
  focusPictures: () => void;
  /** Something was drawn, moved, named or deleted. */
  drawingsChanged: (drawings: Drawing[], step?: string) => void;
}

export class StudyMarks {
  readonly drawingEditor: DrawingEditor;
  readonly drawingPanel: DrawingPanel;
  private keyframes: readonly Keyframe[] = [];

  constructor(private readonly host: StudyMarksHost) {
    this.drawingEditor = new DrawingEditor({
      changed: (drawings, step) => host.drawingsChanged(drawings, step),
      redraw: () => this.redraw(),
      askText: (drawing) => this.paneOf(drawing)?.picture.overlay.askText(drawing),
    });
    this.drawingPanel = new DrawingPanel({
      drawingEditor: this.drawingEditor,
      clips: host.clips,
      current: host.current,
      goTo: host.goTo,
      focusPictures: host.focusPictures,
    });
  }

  /** Show the drawings of a read; `editable` for an open one. */
  setDrawings(drawings: readonly Drawing[], editable: boolean): void {
    this.drawingEditor.set(drawings, editable);
    this.markFrames();
  }

  setKeyframes(keyframes: readonly Keyframe[]): void {
    this.keyframes = keyframes;
    this.markFrames();
  }

  /** Choose the tool of a measure, on the side that was chosen before. */
  startMeasure(preset: Exclude<Preset, "">, side: "right" | "left" | null): void {
    const facts = PRESETS[preset];
    if (facts.perSide && !side) return assertive(`${facts.name} is taken per side: press R or L first`);
    this.drawingPanel.choose({ tool: "length", preset, side: facts.perSide ? (side ?? "") : "" }, false);
  }

  goToDrawing(drawing: Drawing): void {
    this.host.goTo(drawing.sop_uid, drawing.frame);
    this.drawingEditor.select(drawing.uid);
  }

  openDrawingPanel(): void {
    this.drawingPanel.toggle(true);
  }

  markPane(pane: Pane): void {
    pane.setMarks(pane.clip ? this.markedFrames(pane.clip) : []);
    pane.drawCoverage();
  }

  /** Frames with a keyframe or a drawing stand out in the film and under the pictures. */
  private markFrames(): void {
    for (const clip of this.host.clips) this.host.film.setMarks(clip, this.markedFrames(clip));
    for (const pane of this.host.panes()) this.markPane(pane);
  }

  private redraw(): void {
    for (const pane of this.host.panes()) pane.picture.overlay.draw();
    this.drawingPanel.draw();
  }

  private paneOf({ sop_uid, frame }: Drawing): Pane | undefined {
    return this.host.visiblePanes().find((pane) => pane.clip?.sop_uid === sop_uid && pane.frame === frame);
  }

  private markedFrames({ sop_uid }: Clip): number[] {
    const frames = [...this.keyframes, ...this.drawingEditor.drawings]
      .filter((each) => each.sop_uid === sop_uid)
      .map(({ frame }) => frame);
    return [...new Set(frames)].sort((a, b) => a - b);
  }
}
