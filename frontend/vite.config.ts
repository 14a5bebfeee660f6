import { readdirSync } from "node:fs";
import { join } from "node:path";
import { defineConfig } from "vite";
import { compress } from "./build/compress.ts";
import { licences, root } from "./build/licences.ts";

const entries = readdirSync(join(root, "src/entries")).filter((name) => name.endsWith(".ts"));

export default defineConfig({
  root,
  base: "/static/",
  resolve: {
    alias: {
      // dcmjs comes with Cornerstone and reaches for Node's modules while it loads.
      events: join(root, "src/stubs/events.ts"),
      xmlbuilder2: join(root, "src/stubs/empty.ts"),
      "adm-zip": join(root, "src/stubs/empty.ts"),
    },
  },
  build: {
    outDir: "dist",
    manifest: true,
    target: "es2022",
    // The content security policy allows files of our own origin only: nothing is inlined as a data URL.
    assetsInlineLimit: 0,
    modulePreload: false,
    chunkSizeWarningLimit: 4000,
    rolldownOptions: {
      input: Object.fromEntries(entries.map((name) => [name.replace(/\.ts$/, ""), join(root, "src/entries", name)])),
    },
  },
  plugins: [licences(), compress()],
});
