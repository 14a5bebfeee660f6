import { join } from "node:path";
import { defineConfig } from "vite";
import { root } from "./build/licences.ts";
import base from "./vite.config.ts";

/** The benchmark's peer, never shipped: `vite build -c vite.peer.config.ts`. */
export default defineConfig({
  ...base,
  base: "/",
  plugins: [],
  worker: { format: "es" },
  build: { ...base.build, outDir: "dist-peer", rolldownOptions: { input: join(root, "peer/peer.ts") } },
});
