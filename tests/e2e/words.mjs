// The texts of the interface, read from its own files, so that a spec names a control as a person sees it.

import fs from "node:fs";
import path from "node:path";

import { root } from "./actors.mjs";

const all = new Map();

function texts(language) {
  if (all.has(language)) return all.get(language);
  const found = new Map();
  const folder = path.join(root, "ui/locales", language);
  for (const file of fs.readdirSync(folder).filter((name) => name.endsWith(".ftl"))) {
    for (const line of fs.readFileSync(path.join(folder, file), "utf8").split("\n")) {
      const [, id, text] = line.match(/^([a-z][a-z0-9-]*) = (.+)$/) ?? [];
      if (id) found.set(id, text);
    }
  }
  all.set(language, found);
  return found;
}

/** The text of an id, with its arguments put in. Texts that depend on a number are not read. */
export function t(id, args = {}, language = "en") {
  const text = texts(language).get(id);
  if (text === undefined || /->/.test(text)) throw new Error(`no plain text ${id} in ${language}`);
  return text.replaceAll(/\{ ?\$([a-z-]+) ?\}/g, (_, name) => {
    if (!(name in args)) throw new Error(`${id} wants ${name}`);
    return args[name];
  });
}
