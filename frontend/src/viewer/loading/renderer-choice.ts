/** Whether WebGL is worth using: a software renderer shows 15 frames a second where the CPU path shows 60. */

const SOFTWARE = /swiftshader|llvmpipe|softpipe|software|microsoft basic render|mesa offscreen/i;

export function isSoftware(renderer: string): boolean {
  return SOFTWARE.test(renderer);
}

/** The name of the GPU, null where there is no WebGL. */
function rendererName(): string | null {
  const context = document.createElement("canvas").getContext("webgl2");
  if (!context) return null;
  const names = context.getExtension("WEBGL_debug_renderer_info");
  const name: unknown = context.getParameter(names ? names.UNMASKED_RENDERER_WEBGL : context.RENDERER);
  // A page may hold few contexts, and this one is not needed any more.
  context.getExtension("WEBGL_lose_context")?.loseContext();
  return String(name);
}

/**
 * "cpu" or "gpu" in this browser's store decides, whatever was found: for a driver that draws wrongly, and for tests.
 */
const FORCED = "fontanelle.rendering";

export function wantsCpu(): boolean {
  const forced = localStorage.getItem(FORCED);
  if (forced === "cpu" || forced === "gpu") return forced === "cpu";
  const name = rendererName();
  return name === null || isSoftware(name);
}
