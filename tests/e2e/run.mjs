// Ring 4: every journey in specs/, one after the other. `node tests/e2e/run.mjs NAME` runs those whose name holds NAME.

import fs from "node:fs";

import { Actors } from "./actors.mjs";
import { launch } from "./browser.mjs";
import { claim, close } from "./report.mjs";

const wanted = process.argv[2] ?? "";
const specs = fs.readdirSync(new URL("specs/", import.meta.url)).filter((file) => file.endsWith(".mjs") && file.includes(wanted)).sort();

const browser = await launch();
try {
  for (const file of specs) {
    const name = file.replace(".mjs", "");
    const actors = new Actors();
    const since = performance.now();
    try {
      const spec = await import(new URL(`specs/${file}`, import.meta.url));
      await spec.default({ actors, browser, claim: (what, check, page) => claim(`${name}::${what}`, check, page) });
    } catch (error) {
      // Arranging failed: the claims that were not reached are failed as one.
      await claim(`${name}::was_reached`, () => Promise.reject(error));
    } finally {
      await actors.end();
    }
    console.log(`# ${name}: ${((performance.now() - since) / 1000).toFixed(1)} s`);
  }
} finally {
  await browser.close();
}
close();
