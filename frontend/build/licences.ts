/** Gathers the licences of every package that ends in the bundle, and refuses one that may not be shipped. */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Plugin } from "vite";

interface Package {
  name: string;
  version: string;
  license?: string;
}

const FORBIDDEN = /\bA?GPL/i;
// Dual licences say "(A OR B)": the one that we take is enough.
const permitted = (licence: string) =>
  licence
    .replace(/[()]/g, "")
    .split(" OR ")
    .some((choice) => !FORBIDDEN.test(choice));

function folderOf(module: string): string | null {
  const path = module.replace(/^\0+/, "").replace(/\?.*$/, "");
  const at = path.lastIndexOf("/node_modules/");
  if (at < 0) return null;
  const parts = path.slice(at + "/node_modules/".length).split("/");
  const name = parts[0]?.startsWith("@") ? parts.slice(0, 2).join("/") : (parts[0] ?? "");
  return join(path.slice(0, at), "node_modules", name);
}

function texts(folder: string): string[] {
  const names = readdirSync(folder).filter((name) => /^(licen[cs]e|copying|notice)/i.test(name));
  return names.map((name) => readFileSync(join(folder, name), "utf8").trim());
}

function entry(folder: string): string {
  const facts = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Package;
  const licence = facts.license ?? "see its text";
  if (!permitted(licence)) throw new Error(`${facts.name} is ${licence} and may not be shipped`);
  const body = texts(folder);
  return [
    `${facts.name} ${facts.version} (${licence})`,
    "",
    ...(body.length ? body : ["Its package carries no licence text."]),
  ].join("\n");
}

export function licences(): Plugin {
  return {
    name: "licences",
    generateBundle(_options, bundle) {
      const folders = new Set<string>();
      for (const chunk of Object.values(bundle)) {
        if (chunk.type !== "chunk") continue;
        for (const module of chunk.moduleIds) {
          const folder = folderOf(module);
          if (folder && existsSync(join(folder, "package.json"))) folders.add(folder);
        }
      }
      const rule = `\n\n${"-".repeat(80)}\n\n`;
      this.emitFile({
        type: "asset",
        fileName: "LICENSES.txt",
        source: `${[...folders].sort().map(entry).join(rule)}\n`,
      });
    },
  };
}

export const root = dirname(import.meta.dirname);
