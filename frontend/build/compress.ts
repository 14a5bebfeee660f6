/**
 * Puts a gzipped copy beside every script and style, which the web server gives to browsers: a quarter of the bytes.
 */

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Plugin } from "vite";

const TEXT = /\.(?:js|css)$/;

export function compress(): Plugin {
  return {
    name: "compress",
    writeBundle({ dir = "." }, bundle) {
      for (const name of Object.keys(bundle).filter((each) => TEXT.test(each))) {
        const file = join(dir, name);
        writeFileSync(`${file}.gz`, gzipSync(readFileSync(file), { level: 9 }));
      }
    },
  };
}
