/**
 * The peer in the viewer's benchmark: the same frames through Cornerstone's own WADO-RS loader,
 * on a page with nothing else.
 */

import { cache, Enums, imageLoader, init, RenderingEngine } from "@cornerstonejs/core";
import dicomImageLoader from "@cornerstonejs/dicom-image-loader";

async function measure(frames: number): Promise<number> {
  init({ rendering: { useCPURendering: true }, debug: { statsOverlay: false } });
  dicomImageLoader.init({});
  const metadata = await (await fetch("metadata")).json();
  const ids = Array.from({ length: frames }, (_, at) => `wadors:${location.origin}/frames/${at + 1}`);
  for (const id of ids) dicomImageLoader.wadors.metaDataManager.add(id, metadata);
  const element = document.querySelector<HTMLDivElement>("#picture") as HTMLDivElement;
  const engine = new RenderingEngine("peer");
  engine.enableElement({ viewportId: "peer", type: Enums.ViewportType.STACK, element });
  const viewport = engine.getViewport("peer") as import("@cornerstonejs/core").StackViewport;
  await viewport.setStack([ids[0] as string], 0);
  viewport.render();
  await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
  const began = performance.now();
  await Promise.all(ids.slice(1).map((id) => imageLoader.loadAndCacheImage(id)));
  const took = performance.now() - began;
  if (!ids.every((id) => cache.isLoaded(id))) throw new Error("not every frame came");
  return took;
}

Object.assign(window, { measure });
