/** How wide the letters of an element are, without asking the page to lay them out. */

const FALLBACK_PX = 12;

export class TextMeasurer {
  /** From one row to the next, and from the top of a row to its baseline, in pixels. */
  row = 15;
  ascent = 12;
  private readonly context = document.createElement("canvas").getContext("2d");
  private readonly widths = new Map<string, number>();
  private measuredSize = "";

  constructor(private readonly element: Element) {}

  /** Read the font again where the element has another size; only then can it have changed. */
  updateFont(width: number, height: number): void {
    const size = `${width} ${height}`;
    if (size === this.measuredSize) return;
    this.measuredSize = size;
    this.widths.clear();
    const { fontSize, fontWeight, fontFamily } = getComputedStyle(this.element);
    const px = Number.parseFloat(fontSize) || FALLBACK_PX;
    [this.row, this.ascent] = [px * 1.25, px];
    if (this.context) this.context.font = `${fontWeight} ${px}px ${fontFamily}`;
  }

  width(text: string): number {
    const known = this.widths.get(text);
    if (known !== undefined) return known;
    // Tabular figures are a little wider than what the canvas measures.
    const width = Math.ceil((this.context?.measureText(text).width ?? text.length * this.ascent * 0.6) * 1.03);
    this.widths.set(text, width);
    return width;
  }
}
