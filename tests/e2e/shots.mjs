// Pictures of every page in every size, theme and language: `node tests/e2e/shots.mjs FOLDER [NAME]`.

import fs from "node:fs";
import path from "node:path";

import { Actors } from "./actors.mjs";
import { launch, open } from "./browser.mjs";
import { family, routes } from "./family.mjs";
import { choose, visit } from "./pages.mjs";
import { closedStates, emptyStates, into, openStates } from "./states.mjs";

const SIZES = [[360, 740], [390, 844], [768, 1024], [1280, 800], [1600, 1000]];
const LOOKS = ["light", "dark"];
const LANGUAGES = ["en", "id"];

const [folder = "target/shots", wanted = ""] = process.argv.slice(2);
fs.mkdirSync(folder, { recursive: true });

const actors = new Actors();
const browser = await launch();
let taken = 0;

/** One device's pages and states in every size and look, in the language that the device is set to. */
async function take(device, pages, states, language, chart = "") {
  for (const [width, height] of SIZES) {
    for (const colorScheme of LOOKS) {
      const page = await open(browser, device.page, { viewport: { width, height }, colorScheme });
      await choose(page, chart);
      const picture = async (name) => {
        await page.screenshot({ path: path.join(folder, `${name}-${width}x${height}-${colorScheme}-${language}.png`), animations: "disabled", caret: "hide" });
        taken += 1;
      };
      for (const [name, route] of pages.filter(([name]) => name.includes(wanted))) {
        if (route) await visit(page, device, route);
        await picture(name);
      }
      for (const state of states.filter(({ name }) => name.includes(wanted))) {
        await into(page, device, state, language);
        await picture(state.name);
      }
      for (const trouble of page.trouble) console.error(`${language} ${width} ${colorScheme}: ${trouble}`);
      await page.context().close();
    }
  }
}

try {
  const shown = await family(actors);
  const fresh = await actors.device("fresh");
  for (const language of LANGUAGES) {
    const set = async (device) => {
      const settings = await device.call("settings_get");
      await device.call("settings_set", { ...settings, display: { ...settings.display, language } });
    };
    await set(fresh);
    await take(fresh, [["first-run", null]], emptyStates(), language);
    await set(shown.device);
    await take(shown.device, routes(shown), openStates(shown), language, shown.chart);
    await shown.device.call("vault_lock");
    await take(shown.device, [["unlock", null]], closedStates(), language);
    await shown.device.call("vault_unlock", { passphrase: shown.passphrase });
  }
  console.log(`shots: ${taken} pictures in ${folder}`);
} finally {
  await browser.close();
  await actors.end();
}
